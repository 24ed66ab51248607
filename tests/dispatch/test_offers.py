"""Decline, expire, cancel: what each ending does, and that nothing else follows."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from agents.errors import ShiftEnded
from agents.models import LedgerEntry, Shift
from dispatch import desk, presence
from dispatch.errors import NotHolder, OfferExpired, OfferGone, OfferNotFound
from dispatch.models import FeedEvent, Offer
from dispatch.offers import due_offer_ids, offer_accept, offer_decline, offer_expire, offers_cancel
from dispatch.queue import closed_with_live_offers
from dispatch.runs import match_pool
from tests.cast import World
from tests.forcing import force_offline
from tickets.lifecycle import ticket_close, ticket_reopen
from tickets.models import Message, Ticket, TicketEvent

pytestmark = pytest.mark.django_db


def offered(world: World, *names: str) -> list[Offer]:
    for name in names:
        presence.go_online(agent_id=world.agent(name).pk)
    world.ticket()
    match_pool(world.pool.pk)
    return list(Offer.objects.select_related("shift", "agent").order_by("agent_id"))


def feed_types(offer: Offer) -> list[str]:
    return list(FeedEvent.objects.filter(agent=offer.agent).order_by("seq").values_list("type", flat=True))


def test_decline_frees_units_at_once_and_has_no_consequence(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    (offer,) = offered(world, "Anna")
    offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1, reason="lunch")
    offer.refresh_from_db()
    shift = Shift.objects.get()
    assert (offer.state, offer.reason) == ("declined", "lunch")
    assert (shift.state, shift.units_taken) == ("online", 0)
    assert feed_types(offer) == ["shift.changed", "offer.made", "offer.declined"]
    invariants_hold()


def test_a_declined_ticket_goes_to_others_first_and_comes_back_after_a_minute(world: World) -> None:
    (offer,) = offered(world, "Anna")
    offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    assert match_pool(world.pool.pk) == 0  # a minute of peace
    ticket = Ticket.objects.get()
    assert ticket.flagged_at is not None  # nobody left: told honestly
    presence.go_online(agent_id=world.agent("Bernd").pk)
    assert match_pool(world.pool.pk) == 1
    second = Offer.objects.get(state="pending")
    assert second.agent.name == "Bernd"
    ticket.refresh_from_db()
    assert ticket.flagged_at is None
    offer_decline(offer_id=second.pk, agent_id=second.agent_id, epoch=1)
    Offer.objects.update(ended_at=F("ended_at") - timedelta(seconds=61))
    assert match_pool(world.pool.pk) == 2  # all others declined, so both are asked again


def test_declining_twice_is_one_decline(world: World) -> None:
    (offer,) = offered(world, "Anna")
    for _ in range(2):
        assert offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1).state == "declined"
    assert feed_types(offer).count("offer.declined") == 1


def test_an_offer_that_runs_out_pauses_the_agent(world: World, invariants_hold: Callable[[], None]) -> None:
    (offer,) = offered(world, "Anna")
    assert due_offer_ids() == []
    Offer.objects.update(expires_at=Now())
    assert due_offer_ids() == [(offer.pk, offer.shift_id)]
    with pytest.raises(OfferExpired):
        offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    assert offer_expire(offer_id=offer.pk, shift_id=offer.shift_id)
    assert not offer_expire(offer_id=offer.pk, shift_id=offer.shift_id)
    shift = Shift.objects.get()
    assert (shift.state, shift.reason, shift.units_taken) == ("paused", "missed_offer", 0)
    assert feed_types(offer) == ["shift.changed", "offer.made", "offer.expired", "shift.changed"]
    assert presence.go_online(agent_id=offer.agent_id).state == "online"  # one click returns
    assert Shift.objects.count() == 1
    invariants_hold()


def test_the_loser_is_told_and_nothing_counts_against_them(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    first, second = offered(world, "Anna", "Bernd")
    offer_accept(offer_id=first.pk, agent_id=first.agent_id, epoch=1)
    with pytest.raises(OfferGone):
        offer_accept(offer_id=second.pk, agent_id=second.agent_id, epoch=1)
    second.refresh_from_db()
    assert (second.state, second.shift.state) == ("rescinded", "online")
    assert Shift.objects.get(agent=second.agent).units_taken == 0
    assert feed_types(second) == ["shift.changed", "offer.made", "offer.rescinded"]
    assert feed_types(first) == ["shift.changed", "offer.made", "offer.accepted"]
    invariants_hold()


def test_refusals_change_nothing(world: World) -> None:
    (offer,) = offered(world, "Anna")
    stranger = world.agent("Bernd")
    before = (TicketEvent.objects.count(), FeedEvent.objects.count())
    with pytest.raises(OfferNotFound):
        offer_accept(offer_id=offer.pk, agent_id=stranger.pk, epoch=1)
    with pytest.raises(OfferNotFound):
        offer_decline(offer_id=offer.pk + 1, agent_id=offer.agent_id, epoch=1)
    with pytest.raises(ShiftEnded):
        offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=7)
    with pytest.raises(NotHolder):
        desk.reply(agent=offer.agent, epoch=1, ticket_id=offer.ticket_id, body="hello")
    offer.refresh_from_db()
    assert offer.state == "pending"
    assert (TicketEvent.objects.count(), FeedEvent.objects.count()) == before
    assert Message.objects.count() == 1


def test_an_old_epoch_writes_nothing(world: World) -> None:
    (offer,) = offered(world, "Anna")
    offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    presence.go_offline(agent_id=offer.agent_id, epoch=1)
    presence.go_online(agent_id=offer.agent_id)
    before = TicketEvent.objects.count()
    with pytest.raises(ShiftEnded):
        desk.reply(agent=offer.agent, epoch=1, ticket_id=offer.ticket_id, body="I am back from sleep")
    with pytest.raises(ShiftEnded):
        desk.resolve(agent=offer.agent, epoch=1, ticket_id=offer.ticket_id)
    with pytest.raises(NotHolder):
        desk.reply(agent=offer.agent, epoch=2, ticket_id=offer.ticket_id, body="It is not mine any more")
    assert TicketEvent.objects.count() == before
    assert LedgerEntry.objects.count() == 0


def test_a_ticket_closed_by_the_customer_ends_its_offers(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    first, second = offered(world, "Anna", "Bernd")
    ticket = Ticket.objects.get()
    ticket_close(ticket=ticket)
    with pytest.raises(OfferGone):
        offer_accept(offer_id=first.pk, agent_id=first.agent_id, epoch=1)
    assert offers_cancel(ticket_id=ticket.pk) == 2
    assert offers_cancel(ticket_id=ticket.pk) == 0
    assert set(Offer.objects.values_list("state", flat=True)) == {"cancelled"}
    assert set(Shift.objects.values_list("units_taken", flat=True)) == {0}
    assert feed_types(second)[-1] == "offer.cancelled"
    assert LedgerEntry.objects.count() == 0
    invariants_hold()


def test_closing_a_held_ticket_pays_its_holder(world: World, invariants_hold: Callable[[], None]) -> None:
    (offer,) = offered(world, "Anna")
    offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    ticket = Ticket.objects.get()
    ticket_close(ticket=ticket)
    assert offers_cancel(ticket_id=ticket.pk) == 1
    offer.refresh_from_db()
    assert (offer.state, offer.reason) == ("completed", "customer")
    assert LedgerEntry.objects.get().amount_cents == 400
    invariants_hold()


def test_hand_back_keeps_the_age_and_asks_others_first(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    (offer,) = offered(world, "Anna")
    age = Ticket.objects.get().waiting_since
    offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    desk.hand_back(agent=offer.agent, epoch=1, ticket_id=offer.ticket_id, reason="needs a specialist")
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.waiting_since) == ("waiting", age)
    offer.refresh_from_db()
    assert (offer.state, offer.reason) == ("released", "needs a specialist")
    # The customer is told of it, not of the agent's words.
    assert TicketEvent.objects.get(type="ticket.released").data == {"reason": "handed_back"}
    assert match_pool(world.pool.pk) == 0
    presence.go_online(agent_id=world.agent("Bernd").pk)
    assert match_pool(world.pool.pk) == 1
    invariants_hold()


def test_a_reopened_ticket_goes_to_the_agent_it_knows(world: World) -> None:
    first, second = offered(world, "Anna", "Bernd")
    Offer.objects.filter(pk=second.pk)
    offer_accept(offer_id=first.pk, agent_id=first.agent_id, epoch=1)
    desk.resolve(agent=first.agent, epoch=1, ticket_id=first.ticket_id)
    ticket = Ticket.objects.select_related("customer").get()
    ticket_reopen(ticket=ticket, body="It happened again")
    match_pool(world.pool.pk)
    pending = Offer.objects.filter(state="pending").order_by("pk")
    assert pending[0].agent == first.agent
    assert pending[0].why["terms"]["known"] > 0


def test_capacity_is_never_exceeded(world: World, invariants_hold: Callable[[], None]) -> None:
    agent = world.agent("Anna")  # 100 units; a ticket takes 30
    presence.go_online(agent_id=agent.pk)
    for _ in range(5):
        world.ticket()
    for taken in (30, 60, 90):
        match_pool(world.pool.pk)
        offer = Offer.objects.get(state="pending")
        offer_accept(offer_id=offer.pk, agent_id=agent.pk, epoch=1)
        assert Shift.objects.get().units_taken == taken
    assert match_pool(world.pool.pk) == 0
    invariants_hold()


@pytest.mark.parametrize(
    ("levels", "languages", "expected"),
    [
        ({"payments": 2}, ("en",), 1),
        ({"payments": 1}, ("en",), 0),
        ({"payments": 0, "cards": 5}, ("en",), 0),
        ({"payments": 5}, ("de",), 0),
    ],
)
def test_skill_and_language_are_hard_needs(
    world: World, levels: dict[str, int], languages: tuple[str, ...], expected: int
) -> None:
    presence.go_online(agent_id=world.agent("Anna", languages=languages, **levels).pk)
    world.ticket()
    assert match_pool(world.pool.pk) == expected
    assert (Ticket.objects.get().flagged_at is None) == bool(expected)


def test_people_who_could_not_take_it_keep_nobody_from_being_asked_again(world: World) -> None:
    """All able people said no; Greta, who is free and cannot, must not make the ticket wait for ever."""
    for name, payments in (("Anna", 3), ("Greta", 0)):
        presence.go_online(agent_id=world.agent(name, payments=payments).pk)
    world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get()
    offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    assert match_pool(world.pool.pk) == 0
    Offer.objects.update(answered_at=Now() - timedelta(seconds=61), ended_at=Now() - timedelta(seconds=61))
    assert match_pool(world.pool.pk) == 1
    assert Offer.objects.get(state="pending").agent.name == "Anna"


class TestClosedWhileNobodyListens:
    """The customer closed a held ticket, and whoever was to end its offer died."""

    @pytest.fixture
    def left(self, world: World) -> Offer:
        (offer,) = offered(world, "Anna")
        offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
        ticket_close(ticket=Ticket.objects.select_related("customer").get())
        return offer

    @pytest.mark.parametrize("how", ["offline", "forced", "lease"])
    def test_the_shift_can_end_all_the_same(
        self, left: Offer, how: str, invariants_hold: Callable[[], None]
    ) -> None:
        if how == "offline":
            presence.go_offline(agent_id=left.agent_id, epoch=1)
        elif how == "forced":
            assert force_offline(shift_id=left.shift_id)
        else:
            Shift.objects.update(lost_at=Now() - timedelta(minutes=10))
            assert presence.graces_end() == 1
        left.refresh_from_db()
        assert (left.state, left.reason) == ("completed", "customer")
        assert LedgerEntry.objects.get().amount_cents == 400
        assert Ticket.objects.get().state == "closed"
        invariants_hold()

    def test_reopened_meanwhile_it_goes_to_the_next_and_both_are_right(
        self, world: World, left: Offer, invariants_hold: Callable[[], None]
    ) -> None:
        ticket_reopen(ticket=Ticket.objects.select_related("customer").get())
        presence.pause(agent_id=left.agent_id, epoch=1)
        bernd = world.agent("Bernd")
        presence.go_online(agent_id=bernd.pk)
        Ticket.objects.update(waiting_since=Now() - timedelta(minutes=1))  # past waiting for whom it knows
        match_pool(world.pool.pk)
        second = Offer.objects.get(state="pending")
        offer_accept(offer_id=second.pk, agent_id=bernd.pk, epoch=1)
        left.refresh_from_db()
        assert (left.state, left.reason) == ("completed", "customer")
        assert Ticket.objects.get().served_by == "Bernd"
        invariants_hold()

    def test_reopened_meanwhile_the_tick_ends_it_too(
        self, left: Offer, invariants_hold: Callable[[], None]
    ) -> None:
        ticket_reopen(ticket=Ticket.objects.select_related("customer").get())
        assert closed_with_live_offers() == [left.ticket_id]
        assert offers_cancel(ticket_id=left.ticket_id) == 1
        assert closed_with_live_offers() == []
        assert Ticket.objects.get().state == "waiting"
        invariants_hold()
