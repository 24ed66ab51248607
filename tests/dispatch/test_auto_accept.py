"""Auto-accept: what the run accepts for people, and what is left to the tick."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models.functions import Now

from agents.models import Shift
from dispatch import automatic, desk, looks, presence, runs, tasks
from dispatch.automatic import accept_due, auto_accept_choose
from dispatch.errors import AnswersByHand, OfferExpired
from dispatch.models import Offer
from dispatch.offers import due_offer_ids, offer_accept, offer_decline, offer_expire
from dispatch.runs import match_pool
from tests.cast import World
from tests.dispatch.auto_accepting import feed_of, here
from tests.untouched import nothing_changed
from tickets import kept
from tickets.lifecycle import ticket_close
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs die when they have written their offers."""
    monkeypatch.setattr(runs.automatic, "accept_due", lambda: 0)


def test_the_run_accepts_and_asks_nobody_else(world: World, invariants_hold: Callable[[], None]) -> None:
    bernd, anna = here(world, "Bernd", on=False, payments=5), here(world, "Anna", payments=2)
    ticket = world.ticket()
    assert match_pool(world.pool.pk) == 1
    offer = Offer.objects.get()
    assert (offer.agent, offer.state, offer.automatic) == (anna, "accepted", True)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.served_by) == ("held", "Anna")
    assert feed_of(anna) == [
        ("auto_accept.changed", {"auto_accept": True}),
        ("shift.changed", {"epoch": 1, "state": "online", "reason": "", "lost": False}),
        ("offer.made", {"offer": offer.pk}),
        (
            "offer.accepted",
            {"offer": offer.pk, "reason": "", "ticket": ticket.public_id, "automatic": True},
        ),
    ]
    assert [kind for kind, _data in feed_of(bernd)] == ["shift.changed"]
    invariants_hold()


def test_it_is_off_at_first_and_kept_over_shifts(world: World) -> None:
    anna = world.agent("Anna")
    assert not anna.auto_accept
    presence.go_online(agent_id=anna.pk)
    auto_accept_choose(agent_id=anna.pk, on=True)
    presence.go_offline(agent_id=anna.pk, epoch=1)
    presence.go_online(agent_id=anna.pk)
    world.ticket()
    match_pool(world.pool.pk)
    assert Offer.objects.get().state == "accepted"


def test_only_as_much_as_there_is_capacity_for(world: World, invariants_hold: Callable[[], None]) -> None:
    here(world, "Anna")  # 100 units; a ticket takes 30
    for _ in range(5):
        world.ticket()
    assert [match_pool(world.pool.pk) for _ in range(5)] == [1, 1, 1, 0, 0]
    assert Shift.objects.get().units_taken == 90
    assert list(Offer.objects.values_list("state", flat=True)) == ["accepted"] * 3
    invariants_hold()


@pytest.mark.django_db(transaction=True)
def test_who_still_has_capacity_gets_the_next_one_without_the_tick(
    world: World, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    here(world, "Anna")
    for _ in range(5):
        world.ticket()
    asked = []

    def ask(pool_ids: Any) -> None:
        asked.append(sorted(pool_ids))
        for pool_id in asked[-1]:
            match_pool(pool_id)

    monkeypatch.setattr(tasks, "run_ask", ask)
    match_pool(world.pool.pk)
    assert Offer.objects.filter(state="accepted").count() == 3
    assert asked == [[world.pool.pk]] * 3
    invariants_hold()


def test_handing_back_stays_possible(world: World, invariants_hold: Callable[[], None]) -> None:
    anna = here(world, "Anna")
    ticket = world.ticket()
    match_pool(world.pool.pk)
    desk.hand_back(agent=anna, epoch=1, ticket_id=ticket.pk, reason="topic")
    assert match_pool(world.pool.pk) == 0  # not the same one to the same person again
    bernd = here(world, "Bernd", on=False)
    assert match_pool(world.pool.pk) == 1
    assert Offer.objects.get(state="pending").agent == bernd
    invariants_hold()


class TestWhatTheRunLeftOver:
    def test_the_tick_accepts_it_and_twice_is_once(
        self, world: World, dying: None, invariants_hold: Callable[[], None]
    ) -> None:
        anna = here(world, "Anna")
        world.ticket()
        match_pool(world.pool.pk)
        assert Offer.objects.get().state == "pending"
        assert (accept_due(), accept_due()) == (1, 0)
        offer = Offer.objects.get()
        assert (offer.state, offer.automatic) == ("accepted", True)
        assert [kind for kind, _data in feed_of(anna)].count("offer.accepted") == 1
        assert offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1, automatic=True).pk == offer.pk
        assert [kind for kind, _data in feed_of(anna)].count("offer.accepted") == 1
        invariants_hold()

    def test_the_whole_tick_does_it_before_it_expires_anything(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here(world, "Anna")
        world.ticket()
        with monkeypatch.context() as dying:
            dying.setattr(automatic, "accept_due", lambda: 0)
            match_pool(world.pool.pk)
        tasks.tick()
        assert Offer.objects.get().state == "accepted"

    def test_never_after_the_deadline_and_who_was_not_asked_is_not_paused(
        self, world: World, dying: None, invariants_hold: Callable[[], None]
    ) -> None:
        anna = here(world, "Anna")
        world.ticket()
        match_pool(world.pool.pk)
        Offer.objects.update(expires_at=Now())
        offer = Offer.objects.get()
        with nothing_changed():
            assert accept_due() == 0
            with pytest.raises(OfferExpired):
                offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1, automatic=True)
        ((offer_id, shift_id),) = due_offer_ids()
        assert offer_expire(offer_id=offer_id, shift_id=shift_id)
        offer.refresh_from_db()
        assert (offer.state, offer.reason) == ("revoked", "deadline")
        assert Shift.objects.get().state == "online"
        assert match_pool(world.pool.pk) == 1
        invariants_hold()

    def test_who_switched_off_meanwhile_is_asked(
        self, world: World, dying: None, invariants_hold: Callable[[], None]
    ) -> None:
        anna = here(world, "Anna")
        world.ticket()
        match_pool(world.pool.pk)
        assert looks.look(anna.pk).cards == []  # no card: it is about to be accepted
        auto_accept_choose(agent_id=anna.pk, on=False)
        offer = Offer.objects.get()
        with nothing_changed():
            assert accept_due() == 0
            with pytest.raises(AnswersByHand):
                offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1, automatic=True)
        assert [card.offer for card in looks.look(anna.pk).cards] == [offer.pk]
        offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
        offer.refresh_from_db()
        assert (offer.state, offer.automatic) == ("accepted", False)
        assert feed_of(anna)[-1][1]["automatic"] is False
        invariants_hold()

    def test_who_switched_off_and_lets_it_pass_is_paused(self, world: World, dying: None) -> None:
        anna = here(world, "Anna")
        world.ticket()
        match_pool(world.pool.pk)
        auto_accept_choose(agent_id=anna.pk, on=False)
        Offer.objects.update(expires_at=Now())
        ((offer_id, shift_id),) = due_offer_ids()
        offer_expire(offer_id=offer_id, shift_id=shift_id)
        assert Offer.objects.get().state == "expired"
        assert (Shift.objects.get().state, Shift.objects.get().reason) == ("paused", "missed_offer")

    def test_a_ticket_that_the_customer_closed_is_nobodys(self, world: World, dying: None) -> None:
        here(world, "Anna")
        ticket = world.ticket()
        match_pool(world.pool.pk)
        ticket_close(ticket=Ticket.objects.get(pk=ticket.pk))
        with nothing_changed():
            assert accept_due() == 0


def test_a_card_that_lay_open_when_the_switch_went_on_waits_for_its_answer(world: World) -> None:
    anna = here(world, "Anna", on=False)
    world.ticket()
    match_pool(world.pool.pk)
    auto_accept_choose(agent_id=anna.pk, on=True)
    with nothing_changed():
        assert accept_due() == 0
    (card,) = looks.look(anna.pk).cards
    offer_decline(offer_id=card.offer, agent_id=anna.pk, epoch=1)
    assert Offer.objects.get().state == "declined"


def test_what_a_run_knows_wrongly_is_set_right_by_what_it_writes(
    world: World, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    """Members are kept for two seconds: somebody has switched on since, and somebody off."""
    monkeypatch.setattr(kept, "KEPT_SECONDS", 3600.0)
    anna, bernd = here(world, "Anna", on=False), here(world, "Bernd", on=False)
    match_pool(world.pool.pk)
    world.ticket()
    runs.members_forget(world.pool.pk)
    match_pool(world.pool.pk)
    for offer in Offer.objects.all():
        offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    auto_accept_choose(agent_id=bernd.pk, on=True)
    second = world.ticket()
    assert match_pool(world.pool.pk) == 2
    states = dict(Offer.objects.filter(ticket=second).values_list("agent__name", "state"))
    assert states == {"Anna": "rescinded", "Bernd": "accepted"}
    runs.members_forget(world.pool.pk)
    auto_accept_choose(agent_id=anna.pk, on=True)
    auto_accept_choose(agent_id=bernd.pk, on=False)
    match_pool(world.pool.pk)
    third = world.ticket()
    auto_accept_choose(agent_id=anna.pk, on=False)
    match_pool(world.pool.pk)
    assert dict(Offer.objects.filter(ticket=third).values_list("agent__name", "state")) == {"Anna": "pending"}
    invariants_hold()
