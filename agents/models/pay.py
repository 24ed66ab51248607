"""LedgerEntry: what an agent earned, and what was paid out of it. It only grows (a trigger refuses changes)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from agents.models.people import Agent


class EntryKind(models.TextChoices):
    TICKET = "ticket", _("ticket")  # the base pay of a completed ticket
    SURGE = "surge", _("surge")  # what the card showed on top, because many waited
    WAITING = (
        "waiting",
        pgettext_lazy("ledger", "waiting"),
    )  # the minutes in which the customer did not answer
    RELEASE = (
        "release",
        _("work handed over"),
    )  # what the rate pays for work on a ticket that somebody else goes on with
    BONUS = "bonus", _("quality bonus")  # the customer rated the ticket well
    ADJUSTMENT = "adjustment", _("adjustment")  # by a person, with a reason; of either sign
    PAYOUT = "payout", _("payout")  # below 0: it is on its way to the agent's bank
    RETURNED = "returned", _("payout returned")  # the bank could not pay it: the money is theirs again


class LedgerEntry(models.Model):
    """One line, in whole cents. `reference` names what it is for, and can be credited once a kind.

    The sum of an agent's lines in a currency is what Standby owes them in it.
    """

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="ledger", verbose_name=_("agent"))
    kind = models.CharField(_("kind"), max_length=12, choices=EntryKind)
    amount_cents = models.BigIntegerField(_("amount in cents"))
    currency = models.CharField(_("currency"), max_length=3)
    reference = models.CharField(_("for"), max_length=60)
    memo = models.CharField(_("memo"), max_length=160)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    created_at = models.DateTimeField(_("at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-id"]
        permissions = [("adjust_ledger", "Can add an adjustment to the ledger")]
        constraints = [
            models.UniqueConstraint(fields=["kind", "reference"], name="ledger_credited_once"),
            models.CheckConstraint(
                condition=Q(kind="adjustment") & ~Q(amount_cents=0)
                | Q(kind="payout", amount_cents__lt=0)
                | ~Q(kind__in=["adjustment", "payout"]) & Q(amount_cents__gt=0),
                name="ledger_sign_of_kind",
            ),
            models.CheckConstraint(
                condition=~Q(kind="adjustment") | Q(author__isnull=False) & ~Q(memo=""),
                name="ledger_adjusted_by_a_person_for_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["agent", "-created_at"], name="ledger_agent_latest")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.amount_cents} {self.currency}"
