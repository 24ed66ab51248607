"""Alert: something that a team lead should know while it lasts."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class AlertKind(models.TextChoices):
    NOBODY_LEFT = (
        "nobody_left",
        _("nobody left"),  # to offer a ticket to; subject: the topic's key, empty without one
    )


class Alert(models.Model):
    """One stretch in which something was wrong. At most one is open of a kind and subject."""

    kind = models.CharField(_("kind"), max_length=20, choices=AlertKind)
    subject = models.CharField(_("subject"), max_length=100, blank=True)
    opened_at = models.DateTimeField(_("opened"), db_default=Now(), editable=False)
    closed_at = models.DateTimeField(_("over since"), null=True, blank=True, editable=False)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True, editable=False)
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
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject or '*'}"
