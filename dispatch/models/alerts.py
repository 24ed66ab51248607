"""Alert: something that a team lead should know while it lasts."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class AlertKind(models.TextChoices):
    NOBODY_LEFT = (
        "nobody_left",
        _("nobody left"),  # to offer a ticket to; subject: the topic's key, empty without one
    )
    SKILL_AWAY = "skill_away", _("nobody online for a skill")  # that waits; subject: the skill's key
    TARGET_RISK = "target_risk", _("target at risk")  # subject: the topic's key, empty without one
    SILENT = "silent", _("process silent")  # subject: the kind of process
    OUTBOX = "outbox", _("mails pile up")  # subject: empty
    # What waits for a person of the team; subject: the row's number.
    ESCALATION = "escalation", _("escalation")
    ABUSE = "abuse", _("ended as abuse")
    INQUIRY = "inquiry", _("question of an agent")
    CONTEST = "contest", _("contest")
    OVERDUE = "overdue", _("contest overdue")
    ANSWER_LATE = "answer_late", _("promised answer late")
    MAIL_HELD = "mail_held", _("mail held")
    ASSISTANT_PAUSED = "assistant_paused", _("assistant paused")  # subject: the topic's number
    WEBHOOK_STOPPED = "webhook_stopped", _("webhook stopped")  # by us, since nothing reaches it


class Alert(models.Model):
    """One stretch in which something was wrong. At most one is open of a kind and subject."""

    kind = models.CharField(_("kind"), max_length=20, choices=AlertKind)
    subject = models.CharField(_("subject"), max_length=100, blank=True)
    opened_at = models.DateTimeField(_("opened"), db_default=Now(), editable=False)
    closed_at = models.DateTimeField(_("over since"), null=True, blank=True, editable=False)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True, editable=False)
    told_at = models.DateTimeField(_("last told"), null=True, blank=True, editable=False)
    called_at = models.DateTimeField(_("rang on devices"), null=True, blank=True, editable=False)
    acknowledged_at = models.DateTimeField(_("seen to since"), null=True, blank=True, editable=False)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("seen to by"),
        editable=False,
    )
    recovery_mailed_at = models.DateTimeField(_("its end mailed"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-id"]
        permissions = [("be_alerted", "Gets alerts by mail")]
        indexes = [models.Index(fields=["kind", "subject", "mailed_at"], name="alert_mailed")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(closed_at__isnull=True), name="alert_one_open"
            ),
            models.CheckConstraint(
                condition=Q(recovery_mailed_at__isnull=True)
                | Q(closed_at__isnull=False, mailed_at__isnull=False),
                name="alert_end_mailed_after_its_begin",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
                name="alert_closed_after_opened",
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=True, acknowledged_by__isnull=True)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="alert_acknowledged_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject or '*'}"


class AlertRule(models.Model):
    """What an admin has set for a kind of alert; without a row, the defaults of dispatch/rules/alerting.py hold."""

    kind = models.CharField(
        _("kind"),
        max_length=20,
        unique=True,
        choices=AlertKind,
    )
    active = models.BooleanField(_("active"), default=True)
    threshold = models.PositiveIntegerField(
        _("threshold"),
        default=0,
        help_text=_(
            "Nobody online for a skill: seconds that a ticket has waited. Target at risk: percent of the target that have "
            "passed. Process silent: seconds. Mails pile up: minutes that the oldest has waited. All others: not used."
        ),
    )
    repeat_minutes = models.PositiveSmallIntegerField(
        _("told again after minutes"),
        default=60,
        help_text=_("While it lasts and nobody has seen to it. 0: never."),
    )

    class Meta:
        verbose_name = _("rule of alerts")
        verbose_name_plural = _("rules of alerts")
        ordering = ["kind"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="target_risk") | Q(threshold__gte=1, threshold__lte=99),
                name="alert_rule_risk_is_a_percentage",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())
