"""What agents may ask for: Inquiry, DataExport, Leaving; and Notice, what they are told of it. Services in agents/rights.py,
dispatch/leaving.py, dispatch/erasure.py.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models.people import Agent


class InquiryKind(models.TextChoices):
    DECISION = "decision", _("a decision about me")
    PAY = "pay", _("my pay")
    DATA = "data", _("my data")
    OTHER = "other", _("something else")


class Inquiry(models.Model):
    """What an agent asks a person; answered by a person, once (a trigger)."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="inquiries", verbose_name=_("agent"))
    kind = models.CharField(_("about"), max_length=10, choices=InquiryKind)
    text = models.TextField(_("question"))
    asked_at = models.DateTimeField(_("asked"), db_default=Now(), editable=False)
    due_at = models.DateTimeField(_("answer promised by"))
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
        verbose_name = _("question of an agent")
        verbose_name_plural = _("questions of agents")
        ordering = ["-id"]
        permissions = [("answer_inquiry", "Answers questions of agents")]
        indexes = [
            models.Index(fields=["due_at"], name="inquiry_open", condition=Q(answered_at__isnull=True))
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
                name="inquiry_answered_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_kind_display()}"


class DataExport(models.Model):
    """Everything stored about an agent, as a ZIP that is kept for some days.

    In the database and not on a disk: it is gone with its row, on every node, and nothing can be left behind.
    """

    token = models.CharField(
        max_length=43, unique=True, editable=False
    )  # 256 bits; opens nothing without the log-in
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="exports", verbose_name=_("agent"))
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    asked_at = models.DateTimeField(_("asked"), db_default=Now(), editable=False)
    made_at = models.DateTimeField(_("made"), null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(_("kept until"), null=True, blank=True, editable=False)
    size = models.PositiveIntegerField(_("bytes"), default=0)
    content = models.BinaryField(editable=False)
    downloaded_at = models.DateTimeField(_("first downloaded"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("data export")
        verbose_name_plural = _("data exports")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["agent"], condition=Q(made_at__isnull=True), name="export_one_under_way_an_agent"
            ),
            models.CheckConstraint(
                condition=Q(made_at__isnull=True, expires_at__isnull=True)
                | Q(made_at__isnull=False, expires_at__isnull=False),
                name="export_expires_iff_made",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.asked_at:%Y-%m-%d}"


class Leaving(models.Model):
    """An agent goes, by their own choice; and, if they ask for it, is erased after a time to think it over."""

    agent = models.OneToOneField(
        Agent, models.PROTECT, primary_key=True, related_name="leaving", verbose_name=_("agent")
    )
    status_before = models.CharField(_("status before"), max_length=10)
    asked_at = models.DateTimeField(_("asked to leave"), db_default=Now(), editable=False)
    left_at = models.DateTimeField(_("left"), null=True, blank=True)  # nothing is held any more
    erase_asked_at = models.DateTimeField(_("asked to be erased"), null=True, blank=True)
    erase_at = models.DateTimeField(_("erased at the earliest"), null=True, blank=True)
    forgoes = models.BooleanField(
        _("forgoes what cannot be paid"), default=False, help_text=_("There were no payout details.")
    )
    steps_done = ArrayField(models.CharField(max_length=20), default=list, verbose_name=_("steps done"))
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)

    class Meta:
        verbose_name = _("leaving")
        verbose_name_plural = _("leavings")
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(erase_asked_at__isnull=True, erase_at__isnull=True)
                | Q(erase_asked_at__isnull=False, erase_at__isnull=False),
                name="leaving_erase_at_iff_asked",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(erase_at__isnull=False, left_at__isnull=False),
                name="leaving_erased_after_asked",
            ),
        ]

    def __str__(self) -> str:
        return str(self.agent_id)


class NoticeKind(models.TextChoices):
    INQUIRY = "inquiry", _("your question was answered")
    REVIEW = "review", _("a ticket of yours was reviewed")
    CONTEST = "contest", _("your contest was answered")
    EXPORT = "export", _("your data are ready")
    LEAVING = "leaving", _("you leave")
    ERASURE = "erasure", _("you asked to be erased")
    KEPT = "kept", _("you are not erased")
    OFFLINE = "offline", _("you were taken offline")


class Notice(models.Model):
    """What an agent is told: shown on their page, and mailed, written in the transaction of what it tells."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="notices", verbose_name=_("agent"))
    kind = models.CharField(_("kind"), max_length=10, choices=NoticeKind)
    text = models.TextField(_("text"), blank=True)  # a person's words, as they were written
    created_at = models.DateTimeField(_("at"), db_default=Now(), editable=False)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], name="notice_due", condition=Q(mailed_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
