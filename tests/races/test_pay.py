"""Nothing is credited twice, however many try at once; and no line is paid out twice."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.errors import NothingToPay, Refusal, RunMoved
from agents.models import LedgerEntry, Payout, PayoutItem, PayoutRun
from agents.pay import credit, runs
from agents.pay.ledger import adjust
from dispatch import contests, desk, offers, paying, presence
from dispatch.models import Offer, Rate
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.agents.conftest import Office, lines_of
from tests.cast import World
from tests.races.conftest import together
from tickets import kept
from tickets.lifecycle import ticket_close
from tickets.models import Rating

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

ROUNDS = 8


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_a_ticket_is_credited_once_by_whoever_ends_it(world: World, invariants_hold: Any) -> None:
    """Its agent resolves it twice while the customer closes it and the tick comes by."""
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    for turn in range(ROUNDS):
        ticket = world.ticket()
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=anna.pk, epoch=1)
        together(
            lambda ticket=ticket: desk.resolve(agent=anna, epoch=1, ticket_id=ticket.pk),
            lambda ticket=ticket: desk.resolve(agent=anna, epoch=1, ticket_id=ticket.pk),
            lambda ticket=ticket: ticket_close(ticket=ticket),
            lambda ticket=ticket: offers.offers_cancel(ticket_id=ticket.pk),
        )
        offers.offers_cancel(ticket_id=ticket.pk)
        assert lines_of(anna) == [("ticket", 400)] * (turn + 1)
        invariants_hold()


def test_a_bonus_is_credited_once(world: World) -> None:
    Rate.objects.update(bonus_cents=50)
    kept.forget()
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    for turn in range(ROUNDS):
        ticket = world.ticket()
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=anna.pk, epoch=1)
        desk.resolve(agent=anna, epoch=1, ticket_id=ticket.pk)
        with transaction.atomic():  # the signal would be the first of them
            Rating.objects.create(ticket=ticket, resolution_seq=99, score=5, solved=True)
        rating = Rating.objects.latest("pk")
        outcomes = together(*[lambda rating=rating: paying.rated(rating_id=rating.pk)] * 4)
        assert sorted(outcomes) == [False, False, False, True]
        assert lines_of(anna).count(("bonus", 50)) == turn + 1


def test_a_correction_and_a_late_rating_credit_one_bonus(world: World, office: Office) -> None:
    """A person corrects a rating, sent twice, while its news arrives late and the hourly look comes by."""
    Rate.objects.update(bonus_cents=50)
    kept.forget()
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    for turn in range(ROUNDS):
        ticket = world.ticket()
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=anna.pk, epoch=1)
        desk.resolve(agent=anna, epoch=1, ticket_id=ticket.pk)
        with transaction.atomic():
            Rating.objects.create(ticket=ticket, resolution_seq=99, score=4, solved=True)
        rating = Rating.objects.latest("pk")
        contest = contests.contest_rating(agent_id=anna.pk, rating_id=rating.pk, text="It was a 5.")
        Rating.objects.filter(pk=rating.pk).update(
            score=5
        )  # so that the other way earns it in the same moment

        def answer(contest_id: int = contest.pk) -> Any:
            return contests.answer(
                contest_id=contest_id, by=office.olga, outcome="corrected", answer="So it was.", score=5
            )

        outcomes = together(
            answer,
            answer,
            lambda rating=rating: paying.rated(rating_id=rating.pk),
            paying.ratings_catch_up,
        )
        assert [type(one).__name__ for one in outcomes].count("AlreadyAnswered") == 1
        assert [type(one).__name__ for one in outcomes].count("Contest") == 1
        assert lines_of(anna).count(("bonus", 50)) == turn + 1


def test_control_without_the_reference_two_that_look_first_credit_twice(office: Office) -> None:
    """What the unique reference prevents: both look, both see nothing, both write."""
    anna = office.owes("Anna")
    looked = threading.Barrier(2)

    def naive(reference: str) -> None:
        with transaction.atomic():
            there = LedgerEntry.objects.filter(kind="bonus", agent=anna).exists()
            looked.wait(10)
            if not there:
                credit(
                    agent_id=anna.pk,
                    kind="bonus",  # type: ignore[arg-type]
                    amount_cents=50,
                    currency="EUR",
                    reference=reference,
                    memo="",
                )

    together(lambda: naive("offer:1 by one"), lambda: naive("offer:1 by another"))
    assert lines_of(anna) == [("bonus", 50), ("bonus", 50)]
    outcomes = together(lambda: naive("offer:2"), lambda: naive("offer:2"))
    assert outcomes == [None, None]  # they saw the first two


def test_a_form_that_is_sent_twice_adjusts_once(office: Office) -> None:
    anna = office.owes("Anna")
    for turn in range(ROUNDS):
        outcomes = together(
            *[
                lambda turn=turn: adjust(
                    agent_id=anna.pk,
                    amount_cents=100,
                    currency="EUR",
                    reason="Forgotten",
                    author_id=office.olga.pk,
                    key=f"k{turn}",
                )
            ]
            * 3
        )
        assert len({line.pk for line in outcomes}) == 1
    assert lines_of(anna) == [("adjustment", 100)] * ROUNDS


def test_runs_made_at_once_pay_each_line_once(office: Office, invariants_hold: Any) -> None:
    """For the same day they are one run; for two days the second finds what the first has left."""
    today = timezone.localdate()
    office.owes("Anna", 5000)
    office.owes("Bernd", 6000)

    def make(day: Any) -> Any:
        return runs.payout_run_make(up_to=day, made_by_id=office.olga.pk)

    outcomes = together(*[lambda: make(today)] * 3, lambda: make(today - timedelta(days=1)))
    assert isinstance(outcomes[3], NothingToPay)
    assert len({run.pk for run, _made in outcomes[:3]}) == 1
    assert sorted(made for _run, made in outcomes[:3]) == [False, False, True]
    assert sorted(Payout.objects.values_list("amount_cents", flat=True)) == [5000, 6000]
    invariants_hold()


def test_control_without_the_lock_the_key_of_the_lines_refuses_the_second_run(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs of different days that have both seen the same line: one is refused as a whole, and nothing is paid twice."""
    anna = office.owes("Anna", 5000)
    looked, seen = runs.unpaid, threading.Barrier(2)

    class Unpaid:
        """Both have read the lines before either writes."""

        def __init__(self, *args: Any) -> None:
            self.rows = looked(*args)

        def values_list(self, *names: str) -> list[Any]:
            found = list(self.rows.values_list(*names))
            seen.wait(10)
            return found

    monkeypatch.setattr(runs, "_alone", lambda: None)
    monkeypatch.setattr(runs, "unpaid", Unpaid)
    monkeypatch.setattr(timezone, "localdate", lambda *_: timezone.now().date() + timedelta(days=3))
    day = timezone.now().date()
    outcomes = together(
        lambda: runs.payout_run_make(up_to=day + timedelta(days=1), made_by_id=office.olga.pk),
        lambda: runs.payout_run_make(up_to=day + timedelta(days=2), made_by_id=office.olga.pk),
    )
    refused = [one for one in outcomes if isinstance(one, (IntegrityError, NothingToPay))]
    assert len(refused) == 1, outcomes
    assert isinstance(refused[0], IntegrityError)
    assert list(PayoutItem.objects.values_list("entry__agent", flat=True)) == [anna.pk]


def test_steps_of_a_run_happen_once(office: Office, invariants_hold: Any) -> None:
    anna = office.owes("Anna", 5000)
    run, _made = runs.payout_run_make(up_to=timezone.localdate(), made_by_id=office.olga.pk)
    moves = [
        lambda: runs.payout_run_approve(run_id=run.pk, by_id=office.otto.pk),
        lambda: runs.payout_run_approve(run_id=run.pk, by_id=office.otto.pk),
        lambda: runs.payout_run_discard(run_id=run.pk),
    ]
    outcomes = together(*moves)
    assert sum(isinstance(one, RunMoved) for one in outcomes) == 2, outcomes
    invariants_hold()
    if PayoutRun.objects.get().state == "discarded":
        return
    files = together(*[lambda: runs.payout_run_export(run_id=run.pk)] * 3)
    assert len(set(files)) == 1
    payout = Payout.objects.get()
    outcomes = together(
        *[lambda: runs.payout_fail(payout_id=payout.pk, reason="Closed")] * 3,
        lambda: runs.payouts_confirm(run_id=run.pk),
    )
    assert sum(isinstance(one, Refusal) for one in outcomes) == 2, outcomes
    assert lines_of(anna) == [("ticket", 5000), ("payout", -5000), ("returned", 5000)]
    invariants_hold()
