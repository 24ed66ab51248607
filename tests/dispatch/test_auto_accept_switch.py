"""Auto-accept as its agent meets it: the switch, what they are told, and what becomes of one who says no word."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from agents.models import Agent, Shift, User
from dispatch import automatic, desk, fragments, presence
from dispatch.automatic import auto_accept_choose
from dispatch.cards import agent_snapshot
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.callers import agent_of, problem
from tests.cast import PASSWORD, World
from tests.console import Person, text_of
from tests.dispatch.auto_accepting import feed_of, here
from tests.untouched import nothing_changed
from tickets.errors import KeyReused

pytestmark = pytest.mark.django_db


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
