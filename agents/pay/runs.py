"""Payout runs: made, approved by a second person, exported once, and each payout confirmed or returned.

Each is of one currency: one in euros goes to the bank as a file, one in any other is paid by hand, by a list.

Making sets lines of the ledger aside (PayoutItem); nothing is booked before the approval. All steps are outermost, safe to
ask for twice, and decided by conditional updates; `payout_run_once_a_day` and the key of PayoutItem stand behind them.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone

from agents.errors import DayNotCome, FourEyes, NoDebtor, NotEuro, NothingToPay, PaidByFile, RunMoved
from agents.models import (
    Agent,
    EntryKind,
    LedgerEntry,
    Payout,
    PayoutAccount,
    PayoutItem,
    PayoutRun,
    PayoutState,
    RunState,
)
from agents.models.payouts import EURO
from agents.pay import by_hand, mail, sepa
from agents.pay.sealing import opened, seal

LOCK = 7303  # advisory: one run is made at a time, so that the second one sees what the first has set aside


def unpaid(up_to: date, currency: str) -> QuerySet[LedgerEntry]:
    """Lines up to the end of a day that no payout pays yet. What is below 0 counts at once, whenever it came."""
    end = timezone.make_aware(datetime.combine(up_to + timedelta(days=1), time.min))
    return LedgerEntry.objects.filter(
        Q(created_at__lt=end) | Q(amount_cents__lt=0), currency=currency, paid_in__isnull=True
    ).exclude(kind=EntryKind.PAYOUT)


def unpaid_sums() -> dict[str, int]:
    """Currency, by its code → cents of all lines of all agents that no payout pays yet. One query."""
    lines = LedgerEntry.objects.filter(paid_in__isnull=True).exclude(kind=EntryKind.PAYOUT)
    sums = lines.order_by("currency").values_list("currency").annotate(Sum("amount_cents"))
    return {currency: cents for currency, cents in sums if cents}


def currency_usual(sums: dict[str, int]) -> str:
    """Of a run that nobody has named one for: euros, or where none are owed (`unpaid_sums`) what is."""
    owed = [currency for currency, cents in sums.items() if cents > 0]
    return EURO if EURO in owed or not owed else owed[0]


def payout_run_make(
    *, up_to: date, made_by_id: int, minimum_cents: int | None = None, currency: str = EURO
) -> tuple[PayoutRun, bool]:
    """A draft of what to pay to everybody who has payout details and is owed at least the minimum. Outermost.

    Returns (run, whether it was made now): there is one a day and currency. Raises DayNotCome, NothingToPay.
    """
    if up_to > timezone.localdate():
        raise DayNotCome
    minimum = max(settings.PAYOUT_MINIMUM_CENTS if minimum_cents is None else minimum_cents, 1)
    with transaction.atomic(durable=True):
        _alone()
        there = PayoutRun.objects.exclude(state=RunState.DISCARDED).filter(up_to=up_to, currency=currency)
        if run := there.first():
            return run, False
        run = PayoutRun.objects.create(
            up_to=up_to, currency=currency, minimum_cents=minimum, made_by_id=made_by_id
        )
        if not _set_aside(run):
            raise NothingToPay
    return run, True


def _alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _set_aside(run: PayoutRun) -> int:
    """The run's payouts with their lines. Inner. Returns how many. Five queries."""
    lines: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pk, agent_id, cents in unpaid(run.up_to, run.currency).values_list("pk", "agent_id", "amount_cents"):
        lines[agent_id].append((pk, cents))
    owed = {agent_id: sum(cents for _pk, cents in own) for agent_id, own in lines.items()}
    # Who leaves is paid whatever there is: for them no later run adds to it.
    leaves = set(Agent.objects.filter(pk__in=owed, leaving_since__isnull=False).values_list("pk", flat=True))
    due = [
        agent_id
        for agent_id, cents in owed.items()
        if cents >= run.minimum_cents or (agent_id in leaves and cents > 0)
    ]
    payouts = Payout.objects.bulk_create(
        [
            Payout(
                run=run,
                agent_id=account.agent_id,
                amount_cents=owed[account.agent_id],
                holder=account.holder,
                iban_sealed=account.iban_sealed,
                hint=account.hint,
            )
            for account in PayoutAccount.objects.filter(agent_id__in=due).order_by("agent_id")
        ]
    )
    PayoutItem.objects.bulk_create(
        [
            PayoutItem(entry_id=pk, payout=payout)
            for payout in payouts
            for pk, _cents in lines[payout.agent_id]
        ]
    )
    return len(payouts)


def payout_run_approve(*, run_id: int, by_id: int) -> None:
    """A second person agrees: each payout becomes a line of its agent's ledger, below 0. Outermost.

    Raises FourEyes, RunMoved.
    """
    with transaction.atomic(durable=True):
        drafts = PayoutRun.objects.filter(pk=run_id, state=RunState.DRAFT)
        if not drafts.exclude(made_by_id=by_id).update(
            state=RunState.APPROVED, approved_by_id=by_id, approved_at=Now()
        ):
            raise FourEyes if drafts.exists() else RunMoved
        LedgerEntry.objects.bulk_create(
            [
                LedgerEntry(
                    agent_id=payout.agent_id,
                    kind=EntryKind.PAYOUT,
                    amount_cents=-payout.amount_cents,
                    currency=payout.run.currency,
                    reference=f"payout:{payout.pk}",
                    memo=f"{payout.number} · {payout.hint}",
                )
                for payout in Payout.objects.select_related("run").filter(run_id=run_id).order_by("pk")
            ]
        )


def payout_run_discard(*, run_id: int) -> None:
    """Drop a draft: its lines wait for the next run. Outermost. Raises RunMoved."""
    with transaction.atomic(durable=True):
        if not PayoutRun.objects.filter(pk=run_id, state=RunState.DRAFT).update(state=RunState.DISCARDED):
            raise RunMoved
        PayoutItem.objects.filter(payout__run_id=run_id).delete()


def payout_run_export(*, run_id: int) -> bytes:
    """The file for the bank (pain.001.001.09), of a run in euros. Made once; asked for again, it is the same file, so that the
    bank knows it. Outermost. Raises NotEuro, NoDebtor, NoPayoutKey, RunMoved.
    """

    def file(run: PayoutRun) -> bytes:
        debtor = sepa.Debtor(
            settings.PAYOUT_DEBTOR_NAME, settings.PAYOUT_DEBTOR_IBAN, settings.PAYOUT_DEBTOR_BIC
        )
        return sepa.transfer_file(debtor, _transfers(run), timezone.localdate())

    with transaction.atomic(durable=True):
        run = PayoutRun.objects.select_for_update().get(pk=run_id)
        if run.by_hand:
            raise NotEuro
        if not settings.PAYOUT_DEBTOR_IBAN:
            raise NoDebtor
        return _exported(run, file)


def payout_run_list(*, run_id: int) -> bytes:
    """The list by which a person pays a run in another currency than euros: CSV, with the numbers in full. With it the run goes
    the way of one that was exported. Made once; later the same again. Outermost. Raises PaidByFile, NoPayoutKey, RunMoved.
    """
    with transaction.atomic(durable=True):
        run = PayoutRun.objects.select_for_update().get(pk=run_id)
        if not run.by_hand:
            raise PaidByFile
        return _exported(run, lambda run: by_hand.transfer_list(_transfers(run), run.currency))


def _exported(run: PayoutRun, file: Callable[[PayoutRun], bytes]) -> bytes:
    """What a locked run is paid by: made and kept, or what was made. Inner. Raises RunMoved."""
    if run.state == RunState.EXPORTED:
        return opened(run.file_sealed).encode()
    if run.state != RunState.APPROVED:
        raise RunMoved
    made = file(run)
    run.state, run.file_sealed, run.exported_at = RunState.EXPORTED, seal(made.decode()), Now()
    run.save(update_fields=["state", "file_sealed", "exported_at"])
    return made


def _transfers(run: PayoutRun) -> list[sepa.Transfer]:
    """What is sent to whom, by number."""
    return [
        sepa.Transfer(
            payout.holder,
            opened(payout.iban_sealed),
            payout.amount_cents,
            payout.number,
            f"{settings.BRAND} {payout.number}",
        )
        for payout in run.payouts.order_by("pk")
    ]


def payouts_confirm(*, run_id: int) -> int:
    """The bank has paid all that is still open. Outermost. Returns how many. Raises RunMoved before the export."""
    if not PayoutRun.objects.filter(pk=run_id, state=RunState.EXPORTED).exists():
        raise RunMoved
    return Payout.objects.filter(run_id=run_id, state=PayoutState.OPEN).update(
        state=PayoutState.CONFIRMED, settled_at=Now()
    )


def payout_fail(*, payout_id: int, reason: str) -> None:
    """The bank has returned one: the money is a line of the ledger again, and the agent is told. Outermost.

    Raises RunMoved when it was returned before, or was never sent.
    """
    with transaction.atomic(durable=True):
        # The state stands beside the key, not behind a join: of two that race, the second one looks at it once more.
        exported = PayoutRun.objects.filter(state=RunState.EXPORTED).values("pk")
        sent = Payout.objects.filter(
            pk=payout_id, state__in=(PayoutState.OPEN, PayoutState.CONFIRMED), run_id__in=exported
        )
        if not sent.update(state=PayoutState.FAILED, settled_at=Now(), reason=reason.strip()[:140]):
            raise RunMoved
        payout = Payout.objects.select_related("run", "agent__user").get(pk=payout_id)
        LedgerEntry.objects.create(
            agent_id=payout.agent_id,
            kind=EntryKind.RETURNED,
            amount_cents=payout.amount_cents,
            currency=payout.run.currency,
            reference=f"payout:{payout.pk}",
            memo=f"{payout.number} · {payout.reason}",
        )
        transaction.on_commit(lambda: mail.payout_returned(payout.agent.user, payout), robust=True)


def left_out(up_to: date, currency: str, minimum_cents: int) -> list[tuple[int, int]]:
    """(agent id, cents) of those who are owed at least the minimum and have no payout details, most first. One query."""
    owed: dict[int, int] = defaultdict(int)
    lines = unpaid(up_to, currency).filter(agent__payout_account__isnull=True)
    for agent_id, cents in lines.values_list("agent_id", "amount_cents"):
        owed[agent_id] += cents
    return sorted(
        ((agent_id, cents) for agent_id, cents in owed.items() if cents >= minimum_cents),
        key=lambda one: -one[1],
    )
