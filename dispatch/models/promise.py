"""PromiseDay: how the promise of a person was kept on a day, by topic. PromisedAnswer: an answer by mail, with its time."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tickets.models import Ticket, Topic


class PromiseDay(models.Model):
    """Waits that began on a day, counted from the timelines (dispatch/promise.py). Made anew while any of them lasts."""

    day = models.DateField(_("day"))
    topic = models.ForeignKey(
        Topic, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("topic")
    )
    asked = models.PositiveIntegerField(_("wanted a person"), default=0)
    kept = models.PositiveIntegerField(_("a person came in time"), default=0)
    missed = models.PositiveIntegerField(_("not in time"), default=0)
    left = models.PositiveIntegerField(_("left before"), default=0)
    pending = models.PositiveIntegerField(_("still in time"), default=0)
    longest = models.FloatField(_("longest wait in seconds"), default=0)
    # Of those who were gone before anybody came, and, so far, of those who still wait. The defaults are the database's too:
    # processes of the version before know nothing of them.
    longest_left = models.FloatField(_("longest wait in vain, in seconds"), default=0, db_default=0)
    longest_waiting = models.FloatField(_("longest wait that lasts, in seconds"), default=0, db_default=0)
    waits = models.JSONField(default=dict)  # class of the wait → how many (dispatch/rules/promise.py)
    estimates = models.PositiveIntegerField(_("estimates"), default=0)
    early = models.FloatField(_("seconds longer than told, in all"), default=0)
    off = models.FloatField(_("seconds between told and true, in all"), default=0)
    made_at = models.DateTimeField(_("counted"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("day of the promise")
        verbose_name_plural = _("days of the promise")
        ordering = ["-day", "topic__position"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "topic"], nulls_distinct=False, name="promise_day_topic_once"
            ),
            models.CheckConstraint(
                condition=Q(asked=F("kept") + F("missed") + F("left") + F("pending")),
                name="promise_day_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.topic or '*'}"


class PromisedAnswer(models.Model):
    """Nobody who fits was online, so the customer was promised an answer by mail until a time."""

    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="promised_answers", verbose_name=_("ticket")
    )
    made_at = models.DateTimeField(_("promised"), db_default=Now(), editable=False)
    due_at = models.DateTimeField(_("until"), editable=False)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True, editable=False)
    mail_next_at = models.DateTimeField(_("mail tried next"), null=True, blank=True, editable=False)
    kept_at = models.DateTimeField(_("answered"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(
        _("over"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Answered, or the customer needed none any more."),
    )

    class Meta:
        verbose_name = _("promised answer")
        verbose_name_plural = _("promised answers")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(ended_at__isnull=True), name="promised_answer_one_open"
            ),
            models.CheckConstraint(
                condition=Q(kept_at__isnull=True) | Q(ended_at__isnull=False),
                name="promised_answer_kept_is_over",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} → {self.due_at:%Y-%m-%d %H:%M}"

    @property
    def in_time(self) -> bool | None:
        """Whether it was kept in time; None while that is open, or the customer needed none any more."""
        if self.kept_at is not None:
            return self.kept_at <= self.due_at
        return None
