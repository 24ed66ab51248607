"""Reveal: that somebody had personal data of a customer shown. Written by dispatch/reveals.py only."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tickets.models import Ticket


class RevealReason(models.TextChoices):
    """Why; what else it was for is said in words."""

    IDENTIFY = "identify", _("to identify the customer")
    CONTACT = "contact", _("to call or write to them")
    CORRECT = "correct", _("to correct their data")
    OTHER = "other", _("another reason")


class Reveal(models.Model):
    """One place that was shown to one person, once. What was shown is not in it. The ticket's timeline has it too."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="reveals", verbose_name=_("ticket"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    place = models.CharField(_("place"), max_length=20)  # name, email, message-<number of the message>
    kinds = models.JSONField(_("kinds"), default=list)  # of tickets.masking.KINDS
    reason = models.CharField(_("reason"), max_length=10, choices=RevealReason)
    words = models.CharField(_("in words"), max_length=200, blank=True)
    shown_at = models.DateTimeField(_("shown"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("reveal")
        verbose_name_plural = _("reveals")
        ordering = ["-id"]
        indexes = [models.Index(fields=["by", "shown_at"], name="reveal_by_person_and_time")]
        permissions = [("reveal_personal", "Has personal data of customers shown")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reason__in=RevealReason.values), name="reveal_reason_known"
            )
        ]

    def __str__(self) -> str:
        return f"S-{self.ticket_id} {self.place}"
