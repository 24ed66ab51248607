"""Passing a ticket on: to a pool, to a colleague, to the eyes of team leads; each with a note."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db.models.functions import Now
from django.test import Client

from agents.models import Agent, Pool, User
from dispatch import desk, passing, presence, queue
from dispatch.errors import AlreadyEscalated, AlreadySettled, NobodyThere, NoteMissing, NotHolder
from dispatch.models import Escalation, Offer, Route, Transfer
from dispatch.offers import offer_accept, offer_decline
from dispatch.runs import match_pool
from tests.callers import agent_of, customer_of, problem
from tests.cast import PASSWORD, World
from tests.console import Person, text_of
from tests.untouched import nothing_changed
from tickets import kept
from tickets.conversation import customer_reply
from tickets.models import Message, Ticket, TicketEvent

pytestmark = pytest.mark.django_db

NOTE = "Refund was booked twice; the shop must confirm."


@pytest.fixture
def second(world: World) -> Pool:
    """A pool that the tickets of "card" go to."""
    pool = Pool.objects.create(key="second", name_en="Second line", name_de="Zweite Reihe")
    Route.objects.filter(topic=world.card).update(pool=pool)
    kept.forget()
    return pool


def online(world: World, name: str, pool: Pool | None = None, **levels: int) -> Agent:
    agent = world.agent(name, **levels)
    if pool is not None:
        agent.pools.set([pool])
    presence.go_online(agent_id=agent.pk)
    return agent


def held(world: World, agent: Agent) -> Ticket:
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(ticket=ticket, agent=agent).pk, agent_id=agent.pk, epoch=1)
    return Ticket.objects.select_related("customer").get(pk=ticket.pk)


def asked() -> list[str]:
    return sorted(Offer.objects.filter(state="pending").values_list("agent__name", flat=True))


def pass_on(agent: Agent, ticket: Ticket, note: str = NOTE, **to: Any) -> None:
    passing.transfer(agent=agent, epoch=1, ticket_id=ticket.pk, note=note, **to)


class TestToAPool:
    def test_it_waits_there_alone_with_its_age_its_note_and_its_history(
        self, world: World, second: Pool, invariants_hold: Any
    ) -> None:
        anna, bernd, zoe = online(world, "Anna"), world.agent("Bernd"), online(world, "Zoe", second)
        ticket = held(world, anna)
        presence.go_online(agent_id=bernd.pk)
        since = ticket.waiting_since
        pass_on(anna, ticket, pool_id=second.pk)
        ticket.refresh_from_db()
        assert (ticket.state, ticket.waiting_since) == ("waiting", since)
        assert Offer.objects.get(agent=anna).state == "released"
        assert Message.objects.get(internal=True).body == NOTE
        assert queue.pools_due() == {second.pk}
        assert match_pool(world.pool.pk) == 0  # Bernd could take it, but it is not his pool's any more
        assert match_pool(second.pk) == 1
        assert asked() == [zoe.name]
        told = TicketEvent.objects.get(ticket=ticket, type="ticket.transferred")
        assert told.data == {"by": "Anna", "pool": "second", "agent_name": None}
        assert not told.public
        invariants_hold()

    def test_required_skills_are_never_relaxed(self, world: World, second: Pool) -> None:
        anna = online(world, "Anna")
        online(world, "Zoe", second, payments=1)  # 2 is needed
        ticket = held(world, anna)
        assert passing.targets(agent=anna, ticket_id=ticket.pk).pools == [(world.pool, 0), (second, 0)]
        pass_on(anna, ticket, pool_id=second.pk)
        assert match_pool(second.pk) == 0
        ticket.refresh_from_db()
        assert (
            ticket.flagged_at is not None
        )  # said to the customer and to leads, instead of waiting for a miracle

    def test_its_place_is_counted_there(self, world: World, second: Pool) -> None:
        anna = online(world, "Anna")
        ticket = held(world, anna)
        world.ticket("Another")
        pass_on(anna, ticket, pool_id=second.pk)
        queue.places_write()
        assert [one.place for one in Ticket.objects.order_by("pk")] == [1, 1]

    def test_an_unknown_pool_and_an_empty_note_change_nothing(self, world: World, second: Pool) -> None:
        anna = online(world, "Anna")
        ticket = held(world, anna)
        unrouted = Pool.objects.create(key="other", name_en="Other", name_de="Andere")
        other = world.ticket("Not hers")
        with nothing_changed():
            for to in (
                {"pool_id": unrouted.pk},
                {"to_agent_id": anna.pk},
                {},
                {"pool_id": second.pk, "to_agent_id": anna.pk},
            ):
                with pytest.raises(NobodyThere):
                    pass_on(anna, ticket, **to)
            with pytest.raises(NoteMissing):
                pass_on(anna, ticket, note=" \n", pool_id=second.pk)
            with pytest.raises(NotHolder):
                pass_on(anna, other, pool_id=second.pk)


class TestToAColleague:
    def test_who_is_named_is_asked_first_and_told_why(self, world: World) -> None:
        anna = online(world, "Anna")
        ticket = held(world, anna)
        for name in ("Bernd", "Cem", "Dora"):
            online(world, name)
        cem = world.agents["Cem"]
        pass_on(anna, ticket, to_agent_id=cem.pk)
        assert match_pool(world.pool.pk) == 1
        offer = Offer.objects.get(state="pending")
        assert (offer.agent, offer.why["by_name"]) == (cem, True)
        card = agent_of(cem).ask(f"offers/{offer.pk}").json()
        assert "A colleague passed this ticket on to you by name, with a note." in card["why"]
        offer_decline(offer_id=offer.pk, agent_id=cem.pk, epoch=1)
        match_pool(world.pool.pk)
        assert set(asked()) <= {"Bernd", "Dora"}
        assert asked()

    def test_somebody_busy_is_waited_for_and_not_for_ever(self, world: World) -> None:
        anna, cem = online(world, "Anna"), online(world, "Cem", units=30)
        ticket = held(world, anna)
        match_pool(world.pool.pk)
        other = world.ticket("Another")
        match_pool(world.pool.pk)
        for offer in Offer.objects.filter(ticket=other, state="pending"):
            if offer.agent == cem:
                offer_accept(offer_id=offer.pk, agent_id=cem.pk, epoch=1)
        assert Offer.objects.filter(agent=cem, state="accepted").exists()
        online(world, "Dora")
        pass_on(anna, ticket, to_agent_id=cem.pk)
        assert match_pool(world.pool.pk) == 0
        Transfer.objects.update(made_at=Now() - timedelta(seconds=61))
        assert match_pool(world.pool.pk) == 1
        assert asked() == ["Dora"]

    def test_a_no_of_before_does_not_count(self, world: World) -> None:
        """Bernd gave it back; Anna passes it on to him by name."""
        bernd = online(world, "Bernd")
        ticket = held(world, bernd)
        desk.hand_back(agent=bernd, epoch=1, ticket_id=ticket.pk)
        anna = online(world, "Anna")
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get(agent=anna).pk, agent_id=anna.pk, epoch=1)
        online(world, "Cem")
        pass_on(anna, ticket, to_agent_id=bernd.pk)
        assert match_pool(world.pool.pk) == 1
        assert asked() == ["Bernd"]

    def test_only_who_is_online_and_able_can_be_named(self, world: World, second: Pool) -> None:
        anna = online(world, "Anna")
        online(world, "Bernd")
        online(world, "Greta", payments=1)
        online(world, "Hans", languages=("de",))
        online(world, "Zoe", second)
        world.agent("Ivo")
        ticket = held(world, anna)
        found = passing.targets(agent=anna, ticket_id=ticket.pk)
        assert [one.name for one in found.colleagues] == ["Bernd"]
        assert found.pools == [(world.pool, 1), (second, 1)]
        with nothing_changed(), pytest.raises(NobodyThere):
            pass_on(anna, ticket, to_agent_id=world.agents["Ivo"].pk)


def test_the_customer_is_told_that_and_not_to_whom(world: World) -> None:
    anna = online(world, "Anna")
    ticket = held(world, anna)
    online(world, "Bernd")
    pass_on(anna, ticket, to_agent_id=world.agents["Bernd"].pk)
    carla = customer_of(ticket)
    events = carla.ask(f"tickets/{ticket.public_id}/events").json()["frames"]
    assert [one["data"] for one in events if one["type"] == "ticket.released"] == [{"reason": "transferred"}]
    assert b"Bernd" not in carla.ask(f"tickets/{ticket.public_id}/events").content
    assert b"booked twice" not in carla.ask(f"tickets/{ticket.public_id}/messages").content


def test_a_repeated_key_passes_on_once(world: World, second: Pool) -> None:
    anna = online(world, "Anna")
    ticket = held(world, anna)
    for _ in range(2):
        passing.transfer(agent=anna, epoch=1, ticket_id=ticket.pk, note=NOTE, pool_id=second.pk, key="k")
    assert Message.objects.filter(internal=True).count() == 1
    assert TicketEvent.objects.filter(type="ticket.released").count() == 1


class TestEscalation:
    def test_it_stays_is_more_urgent_and_the_customer_knows(self, world: World) -> None:
        anna = online(world, "Anna")
        ticket = held(world, anna)
        passing.escalate(agent=anna, epoch=1, ticket_id=ticket.pk, reason="He threatens to sue.")
        ticket.refresh_from_db()
        assert (ticket.state, ticket.priority) == ("held", 1)
        assert Escalation.objects.get().reason == "He threatens to sue."
        assert Message.objects.get(internal=True).body == "He threatens to sue."
        assert TicketEvent.objects.get(type="ticket.escalated").data == {"agent_name": "Anna"}
        with nothing_changed():
            with pytest.raises(AlreadyEscalated):
                passing.escalate(agent=anna, epoch=1, ticket_id=ticket.pk, reason="Again")
            with pytest.raises(NoteMissing):
                passing.escalate(agent=anna, epoch=1, ticket_id=ticket.pk, reason="")

    def test_a_lead_answers_and_the_holder_reads_it(self, world: World) -> None:
        anna = online(world, "Anna")
        ticket = held(world, anna)
        passing.escalate(agent=anna, epoch=1, ticket_id=ticket.pk, reason="May I refund 500?")
        lead = User.objects.create_user("lead@team.example", PASSWORD, name="Lea")
        passing.escalation_settle(escalation_id=Escalation.objects.get().pk, lead=lead, answer="You may.")
        answer = Message.objects.latest("pk")
        assert (answer.body, answer.author_name, answer.internal) == ("You may.", "Lea", True)
        with nothing_changed(), pytest.raises(AlreadySettled):
            passing.escalation_settle(escalation_id=Escalation.objects.get().pk, lead=lead)
        passing.escalate(agent=anna, epoch=1, ticket_id=ticket.pk, reason="And 800?")
        assert Escalation.objects.filter(settled_at=None).count() == 1


class TestPages:
    def test_the_form_lists_whom_and_does_it(self, world: World, second: Pool) -> None:
        anna = Person(world, "Anna").online()
        ticket = anna.holding()
        Person(world, "Bernd").online()
        Person(world, "Zoe").online().agent.pools.set([second])
        path = f"/console/tickets/{ticket.public_id}/pass-on"
        page = text_of(anna.get(path))
        for words in ("<h1", "Second line – 1 person online", ">Bernd</option>", "Ask a team lead"):
            assert words in page
        assert "<h1" not in text_of(anna.get(f"{path}?part=1"))
        refused = anna.post(path[9:], to=f"pool:{second.pk}", note="")
        assert refused.status_code == 422
        assert "so that nobody asks again" in text_of(refused)
        kept_text = text_of(anna.post(path[9:], to="pool:x", note="Half a note"))
        assert "Half a note" in kept_text
        assert "Please choose where the ticket should go." in kept_text
        done = text_of(anna.post(path[9:], to=f"pool:{second.pk}", note=NOTE))
        assert f"thread-{ticket.public_id}" not in done
        assert Transfer.objects.get().pool == second

    def test_who_takes_over_reads_who_passed_it_on(self, world: World) -> None:
        anna, bernd = Person(world, "Anna").online(), Person(world, "Bernd", language="de")
        ticket = anna.holding()
        bernd.online()
        anna.fetch(f"tickets/{ticket.public_id}/pass-on", to=f"agent:{bernd.agent.pk}", note=NOTE)
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get(state="pending").pk, agent_id=bernd.agent.pk, epoch=1)
        page = text_of(bernd.get())
        assert "Anna hat es an Bernd weitergegeben" in page
        assert NOTE in page

    def test_leads_see_and_settle(self, world: World) -> None:
        anna = Person(world, "Anna").online()
        ticket = anna.holding()
        anna.fetch(f"tickets/{ticket.public_id}/pass-on", to="lead", note="May I refund 500?")
        lead = User.objects.create_user("lead@team.example", PASSWORD, name="Lea")
        client = Client()
        client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
        settle = f"/lead/escalations/{Escalation.objects.get().pk}/settle"
        assert client.get("/lead/escalations").status_code == 403
        with nothing_changed():
            assert client.post(settle, {"answer": "Yes"}).status_code == 403
        lead.user_permissions.add(
            *Permission.objects.filter(codename__in=("view_escalation", "change_escalation"))
        )
        page = client.get("/lead/escalations").content.decode()
        assert "May I refund 500?" in page
        assert "Anna" in page
        assert "A team lead has been asked" in text_of(anna.get())
        assert client.post(settle, {"answer": "You may."}, follow=True).status_code == 200
        assert "A team lead has been asked" not in text_of(anna.get())
        assert "You may." in text_of(anna.get())
        assert "Nothing open." in client.get("/lead/escalations").content.decode()


def test_the_api_names_the_refusals(world: World, second: Pool) -> None:
    anna = online(world, "Anna")
    ticket = held(world, anna)
    here = f"desk/{ticket.public_id}"
    assert agent_of(anna).ask(f"{here}/targets").json()["pools"][1]["name"] == "Second line"
    problem(agent_of(anna).tell(f"{here}/transfer", {"epoch": 1, "pool": second.pk}), 422, "note_missing")
    problem(agent_of(anna).tell(f"{here}/transfer", {"epoch": 1, "note": NOTE}), 409, "nobody_there")
    answer = agent_of(anna).tell(f"{here}/transfer", {"epoch": 1, "note": NOTE, "pool": second.pk})
    assert (answer.status_code, answer.json()) == (200, {"state": "waiting"})
    customer_reply(ticket=ticket, body="Hello?")
