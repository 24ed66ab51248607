"""The ledger and its payout runs by their public services, in random order, against a few sums in Python.

Each answer is predicted, some things are done twice, and after each step everybody has earned what was credited, is owed what
was not paid, and each line is in one live payout at most.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agents.errors import NothingToPay, Refusal
from agents.models import EntryKind, LedgerEntry, Payout, PayoutItem, PayoutRun
from agents.pay import credit, ledger, runs
from tests.agents.conftest import Office
from tests.invariants import BROKEN

pytestmark = pytest.mark.django_db

WITH_DETAILS, PEOPLE = ("Anna", "Bernd"), ("Anna", "Bernd", "Clara")
INVARIANTS = (
    "a payout is the sum of its lines, and of nobody else's",
    "a payout is booked with its run's approval, once, and comes back with its failure, once",
    "what is owed is what no approved payout pays",
)
BOOKED = ("approved", "exported")

people = st.sampled_from([*WITH_DETAILS, *PEOPLE])
currencies = st.sampled_from(["EUR", "EUR", "USD"])
times = st.sampled_from([1, 1, 2])
which = st.integers(0, 3)  # of those there are, the latest first, modulo their number


@dataclass
class Line:
    agent: str
    currency: str
    cents: int
    payout: int | None = None  # that pays it


@dataclass
class Run:
    pk: int
    currency: str
    state: str = "draft"
    day: int = 0  # how long ago
    payouts: dict[int, Pays] = field(default_factory=dict)


@dataclass
class Pays:
    agent: str
    cents: int
    state: str = "open"


class Ledger(RuleBasedStateMachine):
    """`office` is given by the test: its people stay, what an example does is rolled back."""

    office: Office

    def __init__(self) -> None:
        super().__init__()
        self.ids = {name: self.office.world.agents[name].pk for name in PEOPLE}
        self.lines: dict[int, Line] = {}
        self.runs: list[Run] = []
        self.earned: dict[tuple[str, str], int] = {}
        self.paid: dict[tuple[str, str], int] = {}
        self.scene = transaction.atomic()
        self.scene._from_testcase = True  # services insist on being outermost
        self.scene.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.scene.__exit__(None, None, None)

    @initialize(cents=st.integers(1000, 9999), currency=currencies, steps=st.sampled_from([1, 2, 3, 3]))
    def begin(self, cents: int, currency: str, steps: int) -> None:
        """Something is owed, and a run on its way: else most examples would end before they send anything."""
        for name in PEOPLE:
            self._credited(name, "EUR", cents)
            self._credited(name, "USD", cents)
        self.makes(currency, 0, 1)
        if steps > 1:
            self.approves(0, maker=False, times=1)
        if steps > 2:
            self.exports(0, wrong=False, times=1)
        self.another_day()

    # --- Lines --------------------------------------------------------------------------------------------------------

    def _credited(self, name: str, currency: str, cents: int) -> LedgerEntry:
        line = credit(
            agent_id=self.ids[name],
            kind=EntryKind.TICKET,
            amount_cents=cents,
            currency=currency,
            reference=f"offer:{uuid.uuid4()}",
            memo="",
        )
        self._earns(line, name)
        return line

    def _earns(self, line: LedgerEntry, name: str) -> None:
        self.lines[line.pk] = Line(name, line.currency, line.amount_cents)
        self._add(self.earned, name, line.currency, line.amount_cents)

    @staticmethod
    def _add(sums: dict[tuple[str, str], int], name: str, currency: str, cents: int) -> None:
        sums[name, currency] = sums.get((name, currency), 0) + cents

    @rule(name=people, currency=currencies, cents=st.integers(1, 5000), times=times)
    def credits(self, name: str, currency: str, cents: int, times: int) -> None:
        line = self._credited(name, currency, cents)
        for _ in range(times - 1):
            with pytest.raises(IntegrityError, match="ledger_credited_once"), transaction.atomic():
                credit(
                    agent_id=self.ids[name],
                    kind=EntryKind.TICKET,
                    amount_cents=cents,
                    currency=currency,
                    reference=line.reference,
                    memo="",
                )

    @rule(
        name=people,
        currency=currencies,
        cents=st.integers(-3000, 3000).filter(bool),
        times=times,
    )
    def adjusts(self, name: str, currency: str, cents: int, times: int) -> None:
        key = str(uuid.uuid4())
        found = {
            ledger.adjust(
                agent_id=self.ids[name],
                amount_cents=cents,
                currency=currency,
                reason="To set it right",
                author_id=self.office.olga.pk,
                key=key,
            )
            for _ in range(times)
        }
        [line] = found
        self._earns(line, name)

    # --- Runs ---------------------------------------------------------------------------------------------------------

    def _run(self, number: int, *first: str) -> Run:
        there = sorted(self.runs, key=lambda run: (run.state not in first, -run.pk))
        return there[number % len(there)]

    def _same(self, predict: Callable[[], str | None], act: Callable[[], Any], times: int) -> None:
        """So often; the service must do or refuse what was predicted each time."""
        for _ in range(times):
            refusal, said = predict(), None
            try:
                act()
            except Refusal as error:
                said = type(error).__name__
            assert said == refusal

    @rule(currency=currencies, minimum=st.sampled_from([0, 1, 1000, 4000]), times=times)
    def makes(self, currency: str, minimum: int, times: int) -> None:
        for _ in range(times):
            there = [
                run
                for run in self.runs
                if (run.currency, run.day) == (currency, 0) and run.state != "discarded"
            ]
            owed: dict[str, int] = {}
            for line in self.lines.values():
                if line.currency == currency and line.payout is None:
                    owed[line.agent] = owed.get(line.agent, 0) + line.cents
            due = {
                name: cents
                for name, cents in owed.items()
                if name in WITH_DETAILS and cents >= max(minimum, 1)
            }
            make = partial(
                runs.payout_run_make,
                up_to=timezone.localdate(),
                made_by_id=self.office.olga.pk,
                minimum_cents=minimum,
                currency=currency,
            )
            if not (there or due):
                with pytest.raises(NothingToPay):
                    make()
                continue
            run, made = make()
            assert made == (not there)
            if there:
                assert run.pk == there[0].pk
                continue
            mine = Run(run.pk, currency)
            for payout in run.payouts.select_related("agent"):
                mine.payouts[payout.pk] = Pays(payout.agent.name, payout.amount_cents)
            assert {one.agent: one.cents for one in mine.payouts.values()} == due
            of = {one.agent: pk for pk, one in mine.payouts.items()}
            for line in self.lines.values():
                if line.currency == currency and line.payout is None:
                    line.payout = of.get(line.agent)
            self.runs.append(mine)

    @precondition(lambda self: self.runs)
    @rule(number=which, maker=st.sampled_from([True, False, False]), times=times)
    def approves(self, number: int, maker: bool, times: int) -> None:
        run = self._run(number, "draft")
        by = self.office.olga if maker else self.office.otto

        def predict() -> str | None:
            if run.state != "draft":
                return "RunMoved"
            if maker:
                return "FourEyes"
            run.state = "approved"
            for one in run.payouts.values():
                self._add(self.paid, one.agent, run.currency, one.cents)
            return None

        self._same(predict, lambda: runs.payout_run_approve(run_id=run.pk, by_id=by.pk), times)

    @precondition(lambda self: self.runs)
    @rule(number=which, times=times)
    def discards(self, number: int, times: int) -> None:
        run = self._run(number, "draft")

        def predict() -> str | None:
            if run.state != "draft":
                return "RunMoved"
            run.state = "discarded"
            for line in self.lines.values():
                if line.payout in run.payouts:
                    line.payout = None
            return None

        self._same(predict, lambda: runs.payout_run_discard(run_id=run.pk), times)

    @precondition(lambda self: self.runs)
    @rule(number=which, wrong=st.sampled_from([False, False, True]), times=times)
    def exports(self, number: int, wrong: bool, times: int) -> None:
        """`wrong`: a file of dollars, or a list of euros."""
        run = self._run(number, "approved")
        file = (run.currency == "EUR") is not wrong

        def predict() -> str | None:
            if wrong:
                return "NotEuro" if file else "PaidByFile"
            if run.state not in BOOKED:
                return "RunMoved"
            run.state = "exported"
            return None

        made: set[bytes] = set()
        export = runs.payout_run_export if file else runs.payout_run_list
        self._same(predict, lambda: made.add(export(run_id=run.pk)), times)
        assert len(made) <= 1  # twice the same

    @precondition(lambda self: self.runs)
    @rule(number=which, times=times)
    def confirms(self, number: int, times: int) -> None:
        run = self._run(number, "exported")

        def predict() -> str | None:
            if run.state != "exported":
                return "RunMoved"
            for one in run.payouts.values():
                one.state = "confirmed" if one.state == "open" else one.state
            return None

        self._same(predict, lambda: runs.payouts_confirm(run_id=run.pk), times)

    @precondition(lambda self: self.runs)
    @rule(number=which, payout=which, times=times)
    def comes_back(self, number: int, payout: int, times: int) -> None:
        run = self._run(number, "exported")
        pk = sorted(run.payouts)[payout % len(run.payouts)]
        one = run.payouts[pk]

        def predict() -> str | None:
            if run.state != "exported" or one.state == "failed":
                return "RunMoved"
            one.state = "failed"
            self._add(self.paid, one.agent, run.currency, -one.cents)
            return None

        self._same(predict, lambda: runs.payout_fail(payout_id=pk, reason="Account closed"), times)
        for line in LedgerEntry.objects.filter(kind=EntryKind.RETURNED, reference=f"payout:{pk}"):
            self.lines.setdefault(line.pk, Line(one.agent, run.currency, one.cents))

    @precondition(lambda self: self.runs)
    @rule()
    def another_day(self) -> None:
        """Runs of so far are those of yesterday and before."""
        for run in sorted(self.runs, key=lambda run: -run.day):
            run.day += 1
            PayoutRun.objects.filter(pk=run.pk).update(up_to=timezone.localdate() - timedelta(days=run.day))

    # --- After each step ----------------------------------------------------------------------------------------------

    def check_invariants(self, settings: Any, *more: Any, **named: Any) -> None:
        super().check_invariants(settings, *more, **named)
        for name, agent_id in self.ids.items():
            found = {row["currency"]: row for row in ledger.standing(agent_id)}
            assert {one: row["paid_cents"] for one, row in found.items()} == {
                one: self.paid.get((name, one), 0) for one in found
            }
            assert {one: row["pending_cents"] + row["paid_cents"] for one, row in found.items()} == {
                currency: cents for (agent, currency), cents in self.earned.items() if agent == name
            }
        # The key of an item is its line, so one payout at most; here which.
        assert dict(PayoutItem.objects.values_list("entry_id", "payout_id")) == {
            pk: line.payout for pk, line in self.lines.items() if line.payout is not None
        }
        assert dict(Payout.objects.values_list("pk", "state")) == {
            pk: one.state for run in self.runs for pk, one in run.payouts.items()
        }
        with connection.cursor() as cursor:
            for words in INVARIANTS:
                cursor.execute(BROKEN[words])
                assert cursor.fetchall() == [], words


QUICK = settings(
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    phases=(Phase.generate,),  # each step is a journey to the database: shrinking would take minutes
    suppress_health_check=list(HealthCheck),
    max_examples=15,
    stateful_step_count=20,
)


@pytest.fixture
def machine(office: Office) -> type[Ledger]:
    for name in PEOPLE:
        office.owes(name, account=name in WITH_DETAILS)
    return type("Given", (Ledger,), {"office": office})


def test_pending_and_paid_are_what_was_earned(machine: type[Ledger]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


def unpaid_and_paid(_up_to: object, currency: str) -> Any:
    return LedgerEntry.objects.filter(currency=currency).exclude(kind=EntryKind.PAYOUT)


REMOVED: dict[str, tuple[Any, str, Any]] = {
    "that a line is paid once": (runs, "unpaid", unpaid_and_paid),
    "that a returned payout is owed again": (ledger, "PAID_OUT", (EntryKind.PAYOUT,)),
}


@pytest.mark.parametrize("guard", REMOVED)
def test_control_without_a_guard_it_fails(
    machine: type[Ledger], monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    room, name, instead = REMOVED[guard]
    assert hasattr(room, name)
    monkeypatch.setattr(room, name, instead)
    with pytest.raises((AssertionError, IntegrityError)):
        run_state_machine_as_test(machine, settings=QUICK)
