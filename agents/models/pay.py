"""LedgerEntry: what an agent earned. It only grows (a trigger refuses changes)."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models.people import Agent


class EntryKind(models.TextChoices):
    TICKET = "ticket", _("ticket")  # later rooms add: bonus, adjustment, payout


class LedgerEntry(models.Model):
    """One line, in whole cents. `reference` names what it is for, and can be credited once."""

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="ledger", verbose_name=_("agent"))
    kind = models.CharField(_("kind"), max_length=12, choices=EntryKind)
    amount_cents = models.BigIntegerField(_("amount in cents"))
    currency = models.CharField(_("currency"), max_length=3)
    reference = models.CharField(_("for"), max_length=60)
    memo = models.CharField(_("memo"), max_length=160)
    created_at = models.DateTimeField(_("at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "reference"], name="ledger_credited_once"),
        ]
        indexes = [models.Index(fields=["agent", "-created_at"], name="ledger_agent_latest")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.amount_cents} {self.currency}"
