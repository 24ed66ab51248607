"""Review and Contest: what colleagues and leads say of a sample of resolved tickets, and what agents say against it.

Steps in dispatch/reviews.py and dispatch/contests.py.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from dispatch.models.offers import Offer
from tickets.models import Rating


class Review(models.Model):
    """One resolved ticket that was drawn to be looked at; written once, by a lead or a colleague, never by its agent."""

    offer = models.OneToOneField(Offer, models.PROTECT, related_name="review", verbose_name=_("offer"))
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="reviews", verbose_name=_("agent"))
    drawn_at = models.DateTimeField(_("drawn"), db_default=Now(), editable=False)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reviewer"),
    )
    by_peer = models.BooleanField(_("by a colleague"), null=True, blank=True)
    points = models.JSONField(_("points"), default=dict)  # criterion → 0–4 (dispatch/rules/quality.py)
    score = models.FloatField(_("score, 0–1"), null=True, blank=True)
    text = models.TextField(_("text"), blank=True)
    written_at = models.DateTimeField(_("written"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["drawn_at"], name="review_open", condition=Q(written_at__isnull=True)),
            models.Index(fields=["agent", "written_at"], name="review_of_agent"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    written_at__isnull=True, reviewer__isnull=True, score__isnull=True, by_peer__isnull=True
                )
                | Q(
                    written_at__isnull=False,
                    reviewer__isnull=False,
                    score__gte=0,
                    score__lte=1,
                    by_peer__isnull=False,
                ),
                name="review_written_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Outcome(models.TextChoices):
    STANDS = "stands", _("it stands")
    CORRECTED = "corrected", _("corrected")  # the score that counts is another one
    STRUCK = "struck", _("struck out")  # it does not count any more


class Contest(models.Model):
    """What an agent says against a rating or a review, and what a person answers: once, for good (a trigger)."""

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="contests", verbose_name=_("agent"))
    rating = models.OneToOneField(
        Rating, models.PROTECT, null=True, blank=True, related_name="contest", verbose_name=_("rating")
    )
    review = models.OneToOneField(
        Review, models.PROTECT, null=True, blank=True, related_name="contest", verbose_name=_("review")
    )
    # Kept here, for the check that somebody else answers.
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reviewer"),
    )
    text = models.TextField(_("what the agent says"))
    written_at = models.DateTimeField(_("written"), db_default=Now(), editable=False)
    due_at = models.DateTimeField(_("answer promised by"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)
    score = models.FloatField(_("corrected score, 0–1"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("answered by"),
    )
    role = models.CharField(_("as"), max_length=80, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("contest")
        verbose_name_plural = _("contests")
        ordering = ["-id"]
        permissions = [("answer_contest", "Answers contests of ratings and reviews")]
        indexes = [
            models.Index(fields=["due_at"], name="contest_open", condition=Q(answered_at__isnull=True))
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(rating__isnull=False, review__isnull=True)
                | Q(rating__isnull=True, review__isnull=False),
                name="contest_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(answered_by__isnull=True)
                | Q(reviewer__isnull=True)
                | ~Q(answered_by=F("reviewer")),
                name="contest_answered_by_another",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, outcome="", answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False, outcome__in=Outcome.values)
                & ~Q(answer=""),
                name="contest_answered_whole",
            ),
            models.CheckConstraint(
                condition=Q(outcome="corrected", score__gte=0, score__lte=1)
                | ~Q(outcome="corrected") & Q(score__isnull=True),
                name="contest_score_iff_corrected",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
