"""What team leads do: through the services everybody else goes through, for a reason, and written down for good."""

from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from kombu.exceptions import OperationalError

from agents.models import CallWishes, Notice, PushDevice, Shift, User
from dispatch import calling, leading, presence, tasks
from dispatch.errors import MayNotIntervene, NobodyThere, NotInHand, NotOnShift, WhyMissing
from dispatch.models import LeadAction, Offer, Transfer
from dispatch.runs import match_pool
from tests.cast import PASSWORD, World
from tests.console import Person, text_of
from tests.dispatch.test_wallboard import signed_in
from tests.untouched import nothing_changed
from tickets import stream
from tickets.erasing import ticket_erase
from tickets.errors import EmptyMessage, KeyReused, TicketClosed
from tickets.lifecycle import ticket_close
from tickets.models import Message, Ticket, TicketEvent

pytestmark = pytest.mark.django_db


def broker_away(*_: Any, **__: Any) -> None:
    raise OperationalError


Holds = Callable[[], None]
ACTS = ("view_halfhour", "intervene", "view_leadaction")


@pytest.fixture
def lead(db: None) -> User:
    user = User.objects.create_user("lea@team.example", PASSWORD, name="Lea")
    user.user_permissions.add(*Permission.objects.filter(codename__in=ACTS))
    return user


@pytest.fixture
def anna(world: World) -> Person:
    return Person(world, "Anna").online()


def events_of(ticket: Ticket) -> list[str]:
    return list(TicketEvent.objects.filter(ticket=ticket).order_by("seq").values_list("type", flat=True))


def written() -> list[tuple[str, str]]:
    return list(LeadAction.objects.order_by("pk").values_list("kind", "why"))


# --- Whisper ----------------------------------------------------------------------------------------------------------


def test_a_whisper_reaches_the_agent_and_never_the_customer(lead: User, anna: Person) -> None:
    ticket = anna.holding()
    note = leading.whisper(lead=lead, ticket_id=ticket.pk, body="Offer her 20 euros.", key="w1")
    assert leading.whisper(lead=lead, ticket_id=ticket.pk, body="Offer her 20 euros.", key="w1").pk == note.pk
    assert (note.author, note.author_name, note.internal) == ("lead", "Lea", True)
    shown = stream.frames_after(ticket.pk, ticket.stream, 0, staff=True) or []
    assert [one["data"]["body"] for one in shown if one["type"] == "note.added"] == ["Offer her 20 euros."]
    seen = stream.frames_after(ticket.pk, ticket.stream, 0, staff=False) or []
    assert not [one for one in seen if "20 euros" in str(one)]
    assert "Offer her 20 euros." in text_of(anna.get())
    assert "Team lead" in text_of(anna.get())
    assert written() == [("whisper", "")]


def test_a_whisper_needs_words_a_right_and_an_open_ticket(world: World, lead: User, anna: Person) -> None:
    ticket = anna.holding()
    with nothing_changed():
        with pytest.raises(EmptyMessage):
            leading.whisper(lead=lead, ticket_id=ticket.pk, body=" ")
        with pytest.raises(MayNotIntervene):
            leading.whisper(lead=anna.agent.user, ticket_id=ticket.pk, body="Hello")
    ticket_close(ticket=ticket)
    with nothing_changed(), pytest.raises(TicketClosed):
        leading.whisper(lead=lead, ticket_id=ticket.pk, body="Hello")


# --- Reassign ---------------------------------------------------------------------------------------------------------


def test_a_held_ticket_goes_to_somebody_by_name(
    world: World, lead: User, anna: Person, invariants_hold: Holds
) -> None:
    ticket = anna.holding()
    before = Ticket.objects.get(pk=ticket.pk).waiting_since
    ben = Person(world, "Ben").online()
    for _twice in range(2):
        leading.reassign(
            lead=lead, ticket_id=ticket.pk, why="She speaks Danish.", to_agent_id=ben.agent.pk, key="r1"
        )
    ticket.refresh_from_db()
    assert (ticket.state, ticket.waiting_since) == ("waiting", before)
    assert Offer.objects.get(agent=anna.agent).reason == leading.REASSIGNED
    assert Shift.objects.get(agent=anna.agent).units_taken == 0
    match_pool(world.pool.pk)
    assert Offer.objects.get(state="pending").agent == ben.agent
    assert Message.objects.get(ticket=ticket, internal=True).body == "She speaks Danish."
    assert written() == [("reassign", "She speaks Danish.")]
    assert events_of(ticket).count("ticket.released") == 1
    invariants_hold()


def test_a_waiting_ticket_loses_its_offers(
    world: World, lead: User, anna: Person, invariants_hold: Holds
) -> None:
    offer = anna.offered()
    leading.reassign(lead=lead, ticket_id=offer.ticket_id, why="For the first line.", pool_id=world.pool.pk)
    offer.refresh_from_db()
    assert (offer.state, offer.reason) == ("revoked", leading.REASSIGNED)
    assert Transfer.objects.get(ticket_id=offer.ticket_id).pool == world.pool
    assert "ticket.released" not in events_of(offer.ticket)
    invariants_hold()


def test_what_cannot_be_reassigned(world: World, lead: User, anna: Person) -> None:
    ticket = anna.holding()
    ben = world.agent("Ben")
    calls: list[tuple[type[Exception], dict[str, Any]]] = [
        (WhyMissing, {"why": " ", "pool_id": world.pool.pk}),
        (NobodyThere, {"why": "x"}),
        (NobodyThere, {"why": "x", "pool_id": world.pool.pk, "to_agent_id": anna.agent.pk}),
        (NobodyThere, {"why": "x", "to_agent_id": ben.pk}),  # offline
    ]
    with nothing_changed():
        for refusal, more in calls:
            with pytest.raises(refusal):
                leading.reassign(lead=lead, ticket_id=ticket.pk, **more)
    ticket_close(ticket=ticket)
    with nothing_changed(), pytest.raises(NotInHand):
        leading.reassign(lead=lead, ticket_id=ticket.pk, why="x", pool_id=world.pool.pk)


# --- Call in, take offline --------------------------------------------------------------------------------------------


def test_calling_in_keeps_to_what_people_agreed_to(
    world: World, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ben agreed; Cleo did not; Dora is not able to do what waits. Ben is not called twice."""
    called: list[int] = []
    monkeypatch.setattr(calling, "send", lambda *, device_id, call: called.append(device_id) or True)
    monkeypatch.setattr(current_app._get_current_object(), "send_task", broker_away)
    for name, levels in (("Ben", {}), ("Cleo", {}), ("Dora", {"payments": 0})):
        agent = world.agent(name, **levels)
        if name != "Cleo":
            PushDevice.objects.create(
                agent=agent, endpoint=f"https://push.example/{name}", offers=False, busy=True
            )
    world.ticket()
    assert leading.call_in(lead=lead, pool_id=world.pool.pk, why="A shop is down.") == 1
    assert called == []  # not in the request
    tasks.calls_look()
    assert called == [PushDevice.objects.get(agent__name="Ben").pk]
    assert leading.call_in(lead=lead, pool_id=world.pool.pk, why="Still.") == 0
    assert [one.data["called"] for one in LeadAction.objects.order_by("pk")] == [1, 0]
    with nothing_changed(), pytest.raises(WhyMissing):
        leading.call_in(lead=lead, pool_id=world.pool.pk, why="")


def test_who_is_taken_offline_is_told_why(lead: User, anna: Person, invariants_hold: Holds) -> None:
    ticket = anna.holding()
    with nothing_changed(), pytest.raises(WhyMissing):
        leading.force_offline(lead=lead, agent_id=anna.agent.pk, why="")
    leading.force_offline(lead=lead, agent_id=anna.agent.pk, why="You do not answer.")
    ticket.refresh_from_db()
    assert ticket.state == "waiting"
    assert Shift.objects.get(agent=anna.agent).end_reason == "forced"
    assert Notice.objects.get(agent=anna.agent).text == "You do not answer."
    assert written() == [("force_offline", "You do not answer.")]
    with nothing_changed(), pytest.raises(NotOnShift):
        leading.force_offline(lead=lead, agent_id=anna.agent.pk, why="Again")
    presence.go_online(agent_id=anna.agent.pk)
    invariants_hold()


def test_a_call_in_that_is_sent_twice_is_one(world: World, lead: User) -> None:
    """A double click, with a ticket more in between: the second time nobody else is called, and the same is answered."""
    for name in ("Ben", "Cleo"):
        agent = world.agent(name)
        PushDevice.objects.create(
            agent=agent, endpoint=f"https://push.example/{name}", offers=False, busy=True
        )
    world.ticket()
    said: dict[str, Any] = {"lead": lead, "pool_id": world.pool.pk, "why": "A shop is down.", "key": "c1"}
    assert leading.call_in(**said) == 1
    world.ticket()
    with nothing_changed():
        assert leading.call_in(**said) == 1
        with pytest.raises(KeyReused):
            leading.call_in(**said | {"why": "Another"})
    assert leading.call_in(**said | {"key": "c2"}) == 1
    assert CallWishes.objects.filter(call_until__isnull=False).count() == 2


def test_who_is_called_in_and_the_act_are_one_transaction(
    world: World, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = world.agent("Ben")
    PushDevice.objects.create(agent=agent, endpoint="https://push.example/", offers=False, busy=True)
    world.ticket()

    def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(leading, "_record", dies)
    with nothing_changed(), pytest.raises(RuntimeError):
        leading.call_in(lead=lead, pool_id=world.pool.pk, why="A shop is down.", key="c1")


# --- The record -------------------------------------------------------------------------------------------------------


def test_the_record_only_grows_and_its_words_go_with_the_ticket(
    world: World, lead: User, anna: Person
) -> None:
    ticket = anna.holding()
    leading.reassign(lead=lead, ticket_id=ticket.pk, why="Mrs Carla is cross.", pool_id=world.pool.pk)
    for change in (lambda rows: rows.update(why="Nothing"), lambda rows: rows.delete()):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change(LeadAction.objects.all())
    ticket_erase(ticket=Ticket.objects.get(pk=ticket.pk))
    assert written() == [("reassign", "–")]


# --- Pages ------------------------------------------------------------------------------------------------------------


def test_pages_are_for_who_may(world: World, anna: Person) -> None:
    ticket = anna.holding(text="Call me at 030 901820, says Carla")
    reads = signed_in("view_ticket", "view_shift", "view_leadaction", "view_halfhour")
    for path in (f"tickets/{ticket.public_id}", "queue", "people", "acts"):
        answer = reads.get(f"/lead/{path}")
        assert answer.status_code == 200
        assert "030 901820" not in answer.content.decode()
        assert "offline" not in answer.content.decode().replace("You", "") or path == "people"
    acts = {
        f"tickets/{ticket.public_id}/whisper": {"body": "Hello"},
        f"tickets/{ticket.public_id}/reassign": {"to": f"pool-{world.pool.pk}", "why": "x"},
        f"people/{anna.agent.pk}/offline": {"why": "x"},
        "call-in": {"pool": world.pool.pk, "why": "x"},
    }
    with nothing_changed():
        for path, fields in acts.items():
            assert reads.post(f"/lead/{path}", fields).status_code == 403
            assert Client().post(f"/lead/{path}", fields).status_code == 302
    may = signed_in("view_ticket", "view_shift", "view_halfhour", "intervene")
    for path, fields in acts.items():
        assert may.post(f"/lead/{path}", fields).status_code == 302, path
    assert [kind for kind, _why in written()] == ["whisper", "reassign", "force_offline", "call_in"]


def test_a_refusal_stands_at_the_field_with_what_was_typed(world: World, anna: Person) -> None:
    ticket = anna.holding()
    may = signed_in("view_ticket", "intervene")
    answer = may.post(
        f"/lead/tickets/{ticket.public_id}/reassign", {"to": "agent-7", "why": "Because of that"}
    )
    assert answer.status_code == 409
    assert "This ticket cannot go there now." in answer.content.decode()
    assert "Because of that</textarea>" in answer.content.decode()
