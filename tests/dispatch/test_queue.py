"""Place and expected wait on the ticket, pools that want a run, figures of the recent past, what a ticket pays."""

from datetime import date, timedelta

import numpy as np
import pytest
from django.db.models import F
from django.db.models.functions import Now

from agents.models import EntryKind, Pool, Shift
from agents.pay import credit
from dispatch import decisions, desk, presence, queue
from dispatch.members import members
from dispatch.models import Offer, Policy, PoolStanding, Run, Standing
from dispatch.offers import offer_accept, offer_decline
from dispatch.pricing import Price, RateRow, price
from dispatch.runs import match_pool
from tests.cast import World
from tickets import kept
from tickets.models import Ticket, TicketEvent, Topic

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_places_follow_age_and_are_told_when_they_change(world: World) -> None:
    first, second, third = (world.ticket(f"Question {n}") for n in (1, 2, 3))
    assert queue.places_write() == 3
    assert queue.places_write() == 0
    assert list(Ticket.objects.order_by("pk").values_list("place", "expected_seconds")) == [
        (1, None),
        (2, None),
        (3, None),
    ]
    presence.go_online(agent_id=world.agent("Anna").pk)
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=Offer.objects.get().agent_id, epoch=1)
    Ticket.objects.filter(pk=first.pk).update(created_at=F("first_held_at") - timedelta(seconds=90))
    assert queue.places_write() == 2
    assert list(Ticket.objects.order_by("pk").values_list("place", "expected_seconds")) == [
        (None, None),
        (1, 90),
        (2, 90),
    ]
    event = TicketEvent.objects.filter(ticket=second).order_by("-seq")[0]
    assert (event.type, event.data) == ("ticket.placed", {"place": 1, "expected_seconds": 90})
    assert third.pk


def test_only_a_first_accept_says_how_long_new_tickets_wait(world: World) -> None:
    """A ticket that a person had days ago, and that was opened again, was not waiting all the time since."""
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    new, again = (world.ticket(text) for text in ("New", "Again"))
    for ticket in (new, again):
        match_pool(world.pool.pk)
        offer = Offer.objects.get(ticket=ticket)
        offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    world.ticket("Waits")
    Ticket.objects.filter(pk=new.pk).update(created_at=F("first_held_at") - timedelta(seconds=90))
    Ticket.objects.filter(pk=again.pk).update(
        created_at=F("first_held_at") - timedelta(days=3),
        first_held_at=F("first_held_at") - timedelta(days=2),
    )
    queue.places_write()
    assert Ticket.objects.get(summary="Waits").expected_seconds == 90


def test_a_pool_wants_a_run_while_a_ticket_has_no_open_offer(world: World) -> None:
    assert queue.pools_due() == set()
    world.ticket()
    assert queue.pools_due() == {world.pool.pk}
    presence.go_online(agent_id=world.agent("Anna").pk)
    match_pool(world.pool.pk)
    assert queue.pools_due() == set()


def test_standings_of_newcomer_worker_and_decliner(world: World) -> None:
    for name in ("Anna", "Bernd", "Cem"):
        presence.go_online(agent_id=world.agent(name).pk)
    Shift.objects.update(started_at=F("started_at") - HOUR, online_since=F("online_since") - HOUR)
    world.ticket()
    match_pool(world.pool.pk)
    mine = Offer.objects.get(agent__name="Anna")
    no = Offer.objects.get(agent__name="Bernd")
    offer_decline(offer_id=no.pk, agent_id=no.agent_id, epoch=1)
    offer_accept(offer_id=mine.pk, agent_id=mine.agent_id, epoch=1)
    desk.resolve(agent=mine.agent, epoch=1, ticket_id=mine.ticket_id)
    assert queue.standings_refresh() == 3
    found = {standing.agent.name: standing for standing in Standing.objects.select_related("agent")}
    # One yes, one no, one rescinded offer that counts for nothing; drawn towards 4 of 5.
    assert found["Anna"].accept_rate == pytest.approx(5 / 6)
    assert found["Bernd"].accept_rate == pytest.approx(4 / 6)
    assert found["Cem"].accept_rate == pytest.approx(4 / 5)
    # 400 cents in 3 hours are a mean of 133.3 an hour; Anna has (400 + 133.3) ÷ 2 h, the others (0 + 133.3) ÷ 2 h.
    assert found["Anna"].share == pytest.approx(2.0, rel=0.01)
    assert found["Cem"].share == pytest.approx(0.5, rel=0.01)


def answered(world: World, name: str, topic: Topic | None, *states: str) -> None:
    """Offers of this topic to them that ended so."""
    agent = world.agents[name]
    policy = Policy.objects.get_or_create(pool=world.pool, version=1)[0]
    run = Run.objects.create(
        pool=world.pool, policy=policy, tickets=1, agents=1, offers=1, solve_micros=1, snapshot=b""
    )
    for state in states:
        ticket = world.ticket(topic=topic)
        if topic is None:
            Ticket.objects.filter(pk=ticket.pk).update(topic=None)
        Ticket.objects.filter(pk=ticket.pk).update(state="closed", closed_at=Now())
        Offer.objects.create(
            ticket=ticket, agent=agent, shift=agent.shifts.get(), run=run, state=state, units=30, pay_cents=0,
            currency="EUR", expires_at=Now(), answered_at=Now(), ended_at=Now(),
        )  # fmt: skip


def test_acceptance_is_by_topic_and_what_ran_out_is_no_answer(world: World) -> None:
    for name in ("Anna", "Bernd"):
        presence.go_online(agent_id=world.agent(name).pk)
    answered(
        world, "Anna", world.refund, "completed", "released", "declined", "expired", "rescinded", "revoked"
    )
    answered(world, "Anna", world.card, "declined", "declined")
    answered(world, "Anna", None, "completed")
    answered(world, "Bernd", world.refund, "expired", "expired", "cancelled")
    assert queue.standings_refresh() == 2
    anna, bernd = (Standing.objects.get(agent=world.agents[name]) for name in ("Anna", "Bernd"))
    # 3 of 6, drawn towards 4 of 5 by five answers; each topic towards that by as many.
    assert (anna.answered, anna.accept_rate) == (6, pytest.approx(7 / 11))
    assert anna.accept_by_topic == {
        str(world.refund.pk): round((2 + 5 * 7 / 11) / 8, 4),
        str(world.card.pk): round(5 * 7 / 11 / 7, 4),
        "0": round((1 + 5 * 7 / 11) / 6, 4),
    }
    assert (bernd.answered, bernd.accept_rate, bernd.accept_by_topic) == (0, pytest.approx(4 / 5), {})


def test_who_says_yes_to_a_topic_is_asked_first_about_it(world: World) -> None:
    """Anna declines card tickets and takes refunds; Bernd the other way round. In all they say yes equally often."""
    for name in ("Anna", "Bernd"):
        presence.go_online(agent_id=world.agent(name).pk)
    for name, takes, leaves in (("Anna", world.refund, world.card), ("Bernd", world.card, world.refund)):
        answered(world, name, takes, *["completed"] * 6)
        answered(world, name, leaves, *["declined"] * 6)
    Policy.objects.update(max_parallel=1)
    queue.standings_refresh()
    kept.forget()
    for topic, one in ((world.refund, "Anna"), (world.card, "Bernd")):
        ticket = world.ticket(topic=topic)
        match_pool(world.pool.pk)
        offer = Offer.objects.get(state="pending")
        assert offer.agent.name == one
        yes = (6 + 5 * 10 / 17) / 11
        assert offer.why["terms"]["accept"] == pytest.approx(yes, abs=1e-4)
        run = Run.objects.latest("pk")
        assert decisions.replay(run).verdict == "same"
        other = next(agent for name, agent in world.agents.items() if name != one)
        why_not = decisions.why_not(run, ticket.pk, other.pk, "en")
        assert why_not[-1].startswith("Mostly because they were likelier to answer with yes")
        offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
        Ticket.objects.update(state="closed", closed_at=Now())


def test_a_run_of_one_topic_solves_by_person_and_one_of_several_by_topic(world: World) -> None:
    for name in ("Anna", "Bernd"):
        presence.go_online(agent_id=world.agent(name).pk)
    answered(world, "Anna", world.card, *["declined"] * 6)
    queue.standings_refresh()
    kept.forget()
    in_all, of_card = np.float32(4 / 11), np.float32(round(5 * 4 / 11 / 11, 4))
    usual = np.float32(4 / 5)
    for topics, expected in (
        ([world.refund], [in_all, usual]),
        ([world.card], [of_card, usual]),
        ([world.refund, world.card], [[in_all, usual], [of_card, usual]]),
    ):
        for topic in topics:
            world.ticket(topic=topic)
        match_pool(world.pool.pk)
        replayed = decisions.replay(Run.objects.latest("pk"))
        assert replayed.verdict == "same"
        assert replayed.solution is not None
        assert replayed.solution.problem.agents.accept.tolist() == np.array(expected).tolist()
        for offer in Offer.objects.filter(state="pending"):
            offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
        Ticket.objects.update(state="closed", closed_at=Now())


def test_the_share_in_a_pool_is_against_that_pools_mean(world: World) -> None:
    """Anna and Bernd work where tickets pay 100, Bernd and Cem where they pay 300 too: each is compared with whom they meet."""
    second = Pool.objects.create(key="second", name_en="Second line", name_de="Zweite Reihe")
    Policy.objects.create(pool=world.pool, version=1)
    Policy.objects.create(pool=second, version=1)
    for name, cents in (("Anna", 100), ("Bernd", 200), ("Cem", 600)):
        agent = world.agent(name)
        presence.go_online(agent_id=agent.pk)
        credit(
            agent_id=agent.pk,
            kind=EntryKind.TICKET,
            amount_cents=cents,
            currency="EUR",
            reference=name,
            memo="",
        )
    world.agents["Bernd"].pools.add(second)
    world.agents["Cem"].pools.set([second])
    Shift.objects.update(started_at=Now() - HOUR, online_since=Now() - HOUR)
    queue.standings_refresh()
    queue.pool_standings_refresh()
    kept.forget()
    # Lines are worth 1/3, 2/3 and 2, each in an hour: a mean of 1/2 in the first pool, of 4/3 in the second, of 1 in all.
    assert dict(PoolStanding.objects.values_list("pool__key", "hourly")) == pytest.approx(
        {"first": 1 / 2, "second": 4 / 3}, rel=0.01
    )
    share = {
        pool.key: dict(zip(members(pool.pk).id.tolist(), members(pool.pk).share.tolist(), strict=True))
        for pool in (world.pool, second)
    }
    anna, bernd, cem = (world.agents[name].pk for name in ("Anna", "Bernd", "Cem"))
    assert share["first"] == pytest.approx({anna: 5 / 6, bernd: 7 / 6}, rel=0.01)
    assert share["second"] == pytest.approx({bernd: 3 / 4, cem: 5 / 4}, rel=0.01)
    in_all = dict(Standing.objects.values_list("agent", "share"))
    assert in_all == pytest.approx({anna: 2 / 3, bernd: 5 / 6, cem: 3 / 2}, rel=0.01)
    PoolStanding.objects.all().delete()  # nobody has looked at the pools yet: against all online
    kept.forget()
    assert members(world.pool.pk).share.tolist() == pytest.approx([2 / 3, 5 / 6], rel=0.01)


def test_earnings_of_two_currencies_are_not_added_as_they_are(world: World) -> None:
    """300 and 100 yen are to 3 and 1 euro as each other: what a currency's line is usually worth counts as one."""
    for name, cents, currency in (
        ("Anna", 300, "EUR"),
        ("Bernd", 100, "EUR"),
        ("Cem", 30_000, "JPY"),
        ("Dora", 10_000, "JPY"),
    ):
        agent = world.agent(name)
        presence.go_online(agent_id=agent.pk)
        credit(
            agent_id=agent.pk,
            kind=EntryKind.TICKET,
            amount_cents=cents,
            currency=currency,
            reference=name,
            memo="",
        )
    Shift.objects.update(started_at=Now() - HOUR, online_since=Now() - HOUR)
    queue.standings_refresh()
    share = dict(Standing.objects.values_list("agent__name", "share"))
    # Lines are worth 1.5, 0.5, 1.5 and 0.5, a mean of 1 an hour; each is drawn to it by one hour.
    assert share == pytest.approx({"Anna": 1.25, "Bernd": 0.75, "Cem": 1.25, "Dora": 0.75}, rel=0.01)


RATES = [
    RateRow(None, date(2026, 1, 1), 250, "EUR"),
    RateRow(1, date(2026, 1, 1), 400, "EUR"),
    RateRow(1, date(2026, 6, 1), 450, "EUR"),
    RateRow(1, date(2027, 1, 1), 999, "EUR"),
    RateRow(2, date(2027, 1, 1), 700, "EUR"),
]


@pytest.mark.parametrize(
    ("topic", "on", "expected"),
    [
        (1, date(2026, 5, 31), 400),
        (1, date(2026, 6, 1), 450),
        (2, date(2026, 6, 1), 250),
        (None, date(2026, 6, 1), 250),
        (3, date(2026, 6, 1), 250),
        (1, date(2025, 1, 1), 0),
    ],
)
def test_the_latest_rate_that_has_begun_counts(topic: int | None, on: date, expected: int) -> None:
    assert price(topic, on, RATES) == Price(expected, "EUR")


def test_places_of_tickets_that_somebody_changes_just_now_are_told_next_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows are locked by others, so none is free to be written."""
    ticket = world.ticket()
    lock = Ticket.objects.select_for_update
    monkeypatch.setattr(Ticket.objects, "select_for_update", lambda **how: lock(**how).filter(pk=0))
    assert queue.places_write() == 0
    monkeypatch.undo()
    assert queue.places_write() == 1
    ticket.refresh_from_db()
    assert ticket.place == 1
