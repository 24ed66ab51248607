"""Place and expected wait on the ticket, pools that want a run, figures of the recent past, what a ticket pays."""

from datetime import date, timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from agents.models import EntryKind, Shift
from agents.pay import credit
from dispatch import desk, presence, queue
from dispatch.models import Offer, Standing
from dispatch.offers import offer_accept, offer_decline
from dispatch.pricing import Price, RateRow, price
from dispatch.runs import match_pool
from tests.cast import World
from tickets.models import Ticket, TicketEvent

pytestmark = pytest.mark.django_db


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
    Shift.objects.update(started_at=F("started_at") - timedelta(hours=1))
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
    Shift.objects.update(started_at=Now() - timedelta(hours=1))
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
