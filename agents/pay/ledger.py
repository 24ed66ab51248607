"""The ledger: lines are added, none is ever changed. Sums are those of whole cents."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from agents.errors import BadAdjustment
from agents.models import EntryKind, LedgerEntry, Payout, RunState

MOST_CENTS = 1_000_000  # an adjustment above 10,000.00 is a slip of the finger
PAID_OUT = (EntryKind.PAYOUT, EntryKind.RETURNED)
BOOKED = (RunState.APPROVED, RunState.EXPORTED)  # of a run: its payouts are in the ledger


def credit(
    *, agent_id: int, kind: EntryKind, amount_cents: int, currency: str, reference: str, memo: str
) -> LedgerEntry:
    """Write one line. `reference` (e.g. "offer:17") can be credited once a kind: a second time violates
    `ledger_credited_once`, and the caller's transaction with it. Inner. One query.
    """
    return LedgerEntry.objects.create(
        agent_id=agent_id,
        kind=kind,
        amount_cents=amount_cents,
        currency=currency,
        reference=reference,
        memo=memo,
    )


def adjust(
    *, agent_id: int, amount_cents: int, currency: str, reason: str, author_id: int, key: str
) -> LedgerEntry:
    """A person sets something right, in either direction, and says why; the agent reads it. Outermost.

    The same key again, as of a form that was sent twice, gives the line of the first time. Raises BadAdjustment.
    """
    reason = reason.strip()
    if not reason or not amount_cents or abs(amount_cents) > MOST_CENTS:
        raise BadAdjustment
    reference = f"adjustment:{key}"
    try:
        with transaction.atomic():
            return LedgerEntry.objects.create(
                agent_id=agent_id,
                kind=EntryKind.ADJUSTMENT,
                amount_cents=amount_cents,
                currency=currency,
                reference=reference,
                memo=reason[:160],
                author_id=author_id,
            )
    except IntegrityError as error:
        if "ledger_credited_once" not in str(error):
            raise
        return LedgerEntry.objects.get(kind=EntryKind.ADJUSTMENT, reference=reference)


def standing(agent_id: int) -> list[dict[str, Any]]:
    """What an agent is owed and was paid: {"currency", "pending_cents", "paid_cents"} a currency, by its code. One query.

    Pending is the sum of all lines; paid is what was booked as payouts, less what came back.
    """
    sums = (
        LedgerEntry.objects.filter(agent_id=agent_id)
        .order_by("currency")
        .values("currency")
        .annotate(
            pending_cents=Sum("amount_cents"),
            paid_cents=-Coalesce(Sum("amount_cents", filter=Q(kind__in=PAID_OUT)), 0),
        )
    )
    return [dict(row) for row in sums]


def lines_pending(agent_id: int) -> QuerySet[LedgerEntry]:
    """The lines that make up what an agent is owed: those that no approved payout pays."""
    return (
        LedgerEntry.objects.filter(agent_id=agent_id)
        .exclude(kind=EntryKind.PAYOUT)
        .exclude(paid_in__payout__run__state__in=BOOKED)
    )


def payouts_of(agent_id: int) -> QuerySet[Payout]:
    """An agent's payouts, those of approved runs only, newest first; with their runs."""
    return (
        Payout.objects.select_related("run").filter(agent_id=agent_id, run__state__in=BOOKED).order_by("-pk")
    )
