"""Where agents want their money, and the runs that send it: PayoutAccount, PayoutRun, Payout, PayoutItem.

A run takes each agent's unpaid lines up to a day; which ones a payout pays stands in its items, and a line is in one at most.
Steps in agents/pay/runs.py. Amounts are whole cents.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models.pay import LedgerEntry
from agents.models.people import Agent

EURO = "EUR"


class PayoutAccount(models.Model):
    """Name and IBAN of an agent. The number is sealed (agents/pay/sealing.py); screens have `hint` only."""

    agent = models.OneToOneField(
        Agent, models.PROTECT, primary_key=True, related_name="payout_account", verbose_name=_("agent")
    )
    holder = models.CharField(_("account holder"), max_length=70)
    iban_sealed = models.TextField(editable=False)
    hint = models.CharField(_("IBAN"), max_length=20)  # DE89 •••• 3000
    changed_at = models.DateTimeField(_("changed"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("payout details")
        verbose_name_plural = _("payout details")
        ordering = ["agent__name"]

    def __str__(self) -> str:
        return f"{self.holder}, {self.hint}"


class RunState(models.TextChoices):
    """draft → approved → exported; draft → discarded."""

    DRAFT = "draft", _("draft")  # lines are set aside, nothing is booked
    APPROVED = "approved", _("approved")  # by a second person; the ledgers have their payout lines
    EXPORTED = "exported", _("exported")  # the file for the bank was made, once; or the list, to pay by hand
    DISCARDED = "discarded", _("discarded")  # the lines wait for the next run


class PayoutRun(models.Model):
    """All that is paid out at once, up to and including a day of TIME_ZONE."""

    up_to = models.DateField(_("up to and including"))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    minimum_cents = models.PositiveIntegerField(_("least amount in cents"))
    state = models.CharField(_("state"), max_length=10, choices=RunState, default=RunState.DRAFT)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("approved by"),
    )
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    exported_at = models.DateTimeField(_("exported"), null=True, blank=True)
    file_sealed = models.TextField(
        editable=False, blank=True
    )  # the same file again, however often it is asked for

    class Meta:
        verbose_name = _("payout run")
        verbose_name_plural = _("payout runs")
        ordering = ["-id"]
        permissions = [("approve_payoutrun", "Can approve payout runs")]
        constraints = [
            models.UniqueConstraint(
                fields=["up_to", "currency"],
                condition=~Q(state="discarded"),
                name="payout_run_once_a_day",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("made_by")),
                name="payout_run_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["draft", "discarded"], approved_at__isnull=True, exported_at__isnull=True
                )
                | Q(state="approved", approved_by__isnull=False, exported_at__isnull=True)
                | Q(state="exported", approved_by__isnull=False, exported_at__isnull=False),
                name="payout_run_steps",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} · {self.up_to} {self.currency}"

    @property
    def by_hand(self) -> bool:
        """SEPA credit transfers carry euros only: what is owed in another currency a person pays, by a list."""
        return self.currency != EURO


class PayoutState(models.TextChoices):
    """open → confirmed | failed; confirmed → failed (banks return money days later)."""

    OPEN = "open", _("under way")
    CONFIRMED = "confirmed", _("paid")
    FAILED = "failed", _("returned")


class PayoutStage(models.TextChoices):
    """What an agent sees of a payout, once it is approved."""

    APPROVED = "approved", _("approved")
    SENT = "sent", _("sent to the bank")
    PAID = "paid", _("paid")
    RETURNED = "returned", _("returned")


class Payout(models.Model):
    """One agent's part of a run. Name and number are those of the day on which the run was made."""

    run = models.ForeignKey(PayoutRun, models.PROTECT, related_name="payouts", verbose_name=_("run"))
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="payouts", verbose_name=_("agent"))
    amount_cents = models.PositiveBigIntegerField(_("amount in cents"))
    holder = models.CharField(_("account holder"), max_length=70)
    iban_sealed = models.TextField(editable=False)
    hint = models.CharField(_("IBAN"), max_length=20)
    state = models.CharField(_("state"), max_length=10, choices=PayoutState, default=PayoutState.OPEN)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    reason = models.CharField(_("why it was returned"), max_length=140, blank=True)

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "agent"], name="payout_once_a_run_and_agent"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="payout_above_nothing"),
            models.CheckConstraint(
                condition=Q(state="open", settled_at__isnull=True)
                | ~Q(state="open") & Q(settled_at__isnull=False),
                name="payout_settled_at_iff_settled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.amount_cents}"

    @property
    def number(self) -> str:
        """As statements and bank transfers name it."""
        return f"P-{self.pk}"

    @property
    def stage(self) -> PayoutStage:
        """Reads the run."""
        if self.state != PayoutState.OPEN:
            return PayoutStage.PAID if self.state == PayoutState.CONFIRMED else PayoutStage.RETURNED
        return PayoutStage.SENT if self.run.state == RunState.EXPORTED else PayoutStage.APPROVED


class PayoutItem(models.Model):
    """A line of the ledger that a payout pays. The primary key is the line: no line is paid twice."""

    entry = models.OneToOneField(
        LedgerEntry, models.PROTECT, primary_key=True, related_name="paid_in", verbose_name=_("ledger entry")
    )
    payout = models.ForeignKey(Payout, models.PROTECT, related_name="items", verbose_name=_("payout"))

    class Meta:
        verbose_name = _("line of a payout")
        verbose_name_plural = _("lines of a payout")

    def __str__(self) -> str:
        return f"{self.entry_id} in {self.payout_id}"
