"""Auto-accept: the agent's own switch, what the run accepts for them, and what is left to the tick."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from agents.models import Agent, Shift, User
from dispatch import automatic, desk, fragments, looks, presence, runs, tasks
from dispatch.automatic import accept_due, auto_accept_choose
from dispatch.cards import agent_snapshot
from dispatch.errors import AnswersByHand, OfferExpired
from dispatch.models import FeedEvent, Offer
from dispatch.offers import due_offer_ids, offer_accept, offer_decline, offer_expire
from dispatch.runs import match_pool
from tests.callers import agent_of, problem
from tests.cast import PASSWORD, World
from tests.console import Person, text_of
from tests.untouched import nothing_changed
from tickets import kept
from tickets.errors import KeyReused
from tickets.lifecycle import ticket_close
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def here(world: World, name: str, *, on: bool = True, **more: Any) -> Agent:
    """Online, with the switch so."""
    agent = world.agent(name, **more)
    auto_accept_choose(agent_id=agent.pk, on=on)
    presence.go_online(agent_id=agent.pk)
    return agent


def feed_of(agent: Agent) -> list[tuple[str, dict[str, Any]]]:
    return list(FeedEvent.objects.filter(agent=agent).order_by("seq").values_list("type", "data"))


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


class TestTheSwitch:
    def test_over_the_api(self, world: World) -> None:
        caller = agent_of(world.agent("Anna"))
        assert caller.ask("me").json()["auto_accept"] is False
        answer = caller.tell("me/auto-accept", {"auto_accept": True}, key="k")
        assert (answer.status_code, answer.json()) == (200, {"auto_accept": True})
        assert caller.ask("me").json()["auto_accept"] is True
        with nothing_changed():  # the same again, with the key and without
            assert caller.tell("me/auto-accept", {"auto_accept": True}, key="k").json() == {
                "auto_accept": True
            }
            assert caller.tell("me/auto-accept", {"auto_accept": True}).json() == {"auto_accept": True}
            problem(
                caller.tell("me/auto-accept", {"auto_accept": False}, key="k"), 422, "idempotency_key_reused"
            )
            for body in ({}, {"auto_accept": "true"}, {"auto_accept": 1}, {"auto_accept": None}):
                problem(caller.tell("me/auto-accept", body), 400, "invalid")

    def test_a_late_repeat_does_not_switch_again(self, world: World) -> None:
        anna = world.agent("Anna")
        auto_accept_choose(agent_id=anna.pk, on=True, key="first")
        auto_accept_choose(agent_id=anna.pk, on=False, key="second")
        with nothing_changed():
            auto_accept_choose(agent_id=anna.pk, on=True, key="first")
            with pytest.raises(KeyReused):
                auto_accept_choose(agent_id=anna.pk, on=False, key="first")

    def test_events_and_snapshot_say_the_same(self, world: World) -> None:
        anna = world.agent("Anna")
        assert agent_snapshot(anna, "en")["data"]["auto_accept"] is False
        auto_accept_choose(agent_id=anna.pk, on=True)
        assert feed_of(anna) == [("auto_accept.changed", {"auto_accept": True})]
        assert agent_snapshot(anna, "en")["data"]["auto_accept"] is True

    def test_at_the_console_by_script_and_by_form(self, world: World) -> None:
        anna = Person(world, "Anna")
        assert "Off: you are asked about each ticket, and decide." in text_of(anna.get())
        answer = anna.fetch("auto-accept", {f"agent:{anna.agent.pk}": 0}, on="1").json()
        (frame,) = answer["frames"]
        assert frame["type"] == "auto_accept.changed"
        assert 'role="switch" aria-checked="true"' in frame["html"]
        page = anna.post("auto-accept", on="0")
        assert 'role="switch" aria-checked="false"' in text_of(page)
        assert not Agent.objects.get().auto_accept
        with nothing_changed():
            assert (
                Client().post("/console/auto-accept", {"on": "1"}).headers["Location"] == "/accounts/login/"
            )

    def test_admins_see_it_and_cannot_set_it(self, world: World) -> None:
        anna = world.agent("Anna")
        User.objects.create_superuser("root@team.example", PASSWORD)
        client = Client()
        client.login(username="root@team.example", password=PASSWORD)
        page = client.get(f"/admin/agents/agent/{anna.pk}/change/").content.decode()
        assert "Accepts offers automatically" in page
        assert 'name="auto_accept"' not in page


class TestWhatTheAgentIsTold:
    def test_accepted_for_you_with_pay_topic_and_why(self, world: World) -> None:
        anna = Person(world, "Anna")
        here_before = agent_snapshot(anna.agent, "en")["seq"]
        auto_accept_choose(agent_id=anna.agent.pk, on=True)
        anna.online()
        ticket = world.ticket()
        match_pool(world.pool.pk)
        frames = anna.fetch("news", {f"agent:{anna.agent.pk}": here_before}).json()["frames"]
        made, accepted = frames[2:4]
        assert (made["type"], accepted["type"]) == ("offer.made", "offer.accepted")
        assert f"offer-{made['data']['offer']}" not in made["html"]  # no card flashes up
        assert f"Accepted for you: {ticket.number}, Refund, €4.00." in accepted["html"]
        for words in ("€4.00", "automatically, as you have chosen", "You have the skill Payments at level 3"):
            assert words in accepted["html"].split('id="threads"')[-1]
            assert words in text_of(anna.get())

    def test_by_hand_nothing_of_it_is_said_and_why_me_stays(self, world: World) -> None:
        anna = Person(world, "Anna").online()
        offer = anna.offered()
        frames = anna.fetch(f"offers/{offer.pk}/accept", {f"agent:{anna.agent.pk}": 2}).json()["frames"]
        assert "Accepted for you" not in frames[0]["html"]
        page = text_of(anna.get())
        assert "automatically, as you have chosen" not in page
        assert "You have the skill Payments at level 3, 2 was needed." in page

    def test_in_german(self, world: World) -> None:
        anna = Person(world, "Anna", language="de")
        page = text_of(anna.get())
        assert "Automatisch annehmen" in page
        assert "Aus: Sie werden zu jedem Ticket gefragt und entscheiden." in page


def test_what_the_card_said_costs_the_desk_no_query(world: World, django_assert_num_queries: Any) -> None:
    anna = here(world, "Anna")
    for _ in range(3):
        world.ticket()
        match_pool(world.pool.pk)
    with django_assert_num_queries(1 + 3 * 3):
        held = fragments.desk(anna)
    assert [entry["offer"]["automatic"] for entry in held] == [True] * 3


def late(offer: Offer, seconds: int = 91) -> None:
    """So many seconds have passed since it was accepted."""
    Offer.objects.filter(pk=offer.pk).update(answered_at=Now() - timedelta(seconds=seconds))


def test_who_says_no_word_to_the_customer_gives_it_up(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    anna = here(world, "Anna")
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get()
    late(offer, 89)
    with nothing_changed():
        assert automatic.unanswered_release() == 0
    late(offer)
    before = len(feed_of(anna))
    assert automatic.unanswered_release() == 1
    ticket.refresh_from_db()
    offer.refresh_from_db()
    anna.refresh_from_db()
    assert (ticket.state, offer.state, offer.reason) == ("waiting", "released", "unanswered")
    assert not anna.auto_accept
    shift = Shift.objects.get()
    assert (shift.state, shift.reason, shift.units_taken) == ("paused", "unanswered", 0)
    assert [kind for kind, _data in feed_of(anna)[before:]] == [
        "offer.released",
        "auto_accept.changed",
        "shift.changed",
    ]
    assert ticket.events.get(type="ticket.released").data == {"reason": "unanswered"}
    with nothing_changed():
        assert automatic.unanswered_release() == 0
    invariants_hold()
    # It goes to somebody else; Anna's page says why, and how to return.
    presence.go_online(agent_id=world.agent("Bernd").pk)
    assert match_pool(world.pool.pk) == 1
    page = Client()
    page.force_login(anna.user)
    assert "One click returns" in text_of(page.get("/console/"))


@pytest.mark.parametrize("author", ["the agent", "nobody, but by hand", "the agent in a note"])
def test_a_word_to_the_customer_keeps_it(world: World, author: str) -> None:
    anna = here(world, "Anna", on=author != "nobody, but by hand")
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get()
    if author == "nobody, but by hand":
        offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    late(offer)
    if author == "the agent":
        desk.reply(agent=anna, epoch=1, ticket_id=ticket.pk, body="Good morning, I am looking into it.")
    if author == "the agent in a note":
        desk.note(agent=anna, epoch=1, ticket_id=ticket.pk, body="Looking into it.")
    assert automatic.unanswered_release() == (author == "the agent in a note")
