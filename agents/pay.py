"""The ledger: credit. Payouts and adjustments come in a later room; all are lines, none is ever changed."""

from agents.models import EntryKind, LedgerEntry


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
