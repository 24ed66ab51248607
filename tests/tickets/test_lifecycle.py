"""What a customer can do with a ticket, and when not."""

from collections.abc import Callable

import pytest

from tests.cast import World
from tickets import timeline
from tickets.conversation import customer_reply
from tickets.errors import (
    AlreadyRated,
    BadText,
    EmptyMessage,
    KeyReused,
    MessageTooLong,
    TicketClosed,
    TicketNotResolved,
    UnknownTopic,
)
from tickets.intake import ticket_open
from tickets.lifecycle import (
    ticket_close,
    ticket_hold,
    ticket_rate,
    ticket_reopen,
    ticket_request_human,
    ticket_resolve,
)
from tickets.models import Channel, Customer, Message, Rating, Ticket, TicketEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(world: World) -> Ticket:
    return Ticket.objects.select_related("customer").get(pk=world.ticket().pk)


@pytest.fixture
def resolved(world: World, ticket: Ticket) -> Ticket:
    anna = world.agent("Anna")
    with timeline.command():
        ticket_hold(ticket_id=ticket.pk, agent_name="Anna", actor_id=anna.user_id)
    with timeline.command():
        ticket_resolve(ticket_id=ticket.pk, actor_id=anna.user_id)
    ticket.refresh_from_db()
    return ticket


def rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Customer, Ticket, TicketEvent, Message, Rating))


def test_opening_redacts_summarises_and_detects(world: World) -> None:
    text = (
        "Guten Tag,\r\n\r\nmeine Karte 4111 1111 1111 1111 wurde zweimal belastet. "
        + "Bitte helfen Sie mir. " * 20
    )
    ticket = ticket_open(text=text, channel=Channel.API, name="Jürgen Groß").ticket
    assert ticket.language == "de"
    body = Message.objects.get().body
    assert "[card …1111]" in body
    assert "4111 1111" not in body
    assert "\r" not in body
    assert len(ticket.summary) == 160
    assert ticket.summary.endswith("…")
    assert (ticket.state, ticket.last_seq, ticket.topic) == ("waiting", 2, None)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", EmptyMessage),
        ("  \n\t ", EmptyMessage),
        ("x" * 8001, MessageTooLong),
        ("nul \x00 byte", BadText),
        ("lone \ud800 surrogate", BadText),
    ],
)
def test_bad_text_is_refused_and_leaves_nothing(world: World, text: str, refusal: type[Exception]) -> None:
    before = rows()
    with pytest.raises(refusal):
        ticket_open(text=text, channel=Channel.FORM)
    assert rows() == before


def test_an_unknown_or_inactive_topic_is_refused(world: World) -> None:
    before = rows()
    world.card.active = False
    world.card.save()
    for key in ("nonsense", "card"):
        with pytest.raises(UnknownTopic):
            ticket_open(text="Hello", topic_key=key, channel=Channel.FORM)
    assert rows() == before


def test_one_key_opens_one_ticket(world: World) -> None:
    first = ticket_open(text="Hello", channel=Channel.FORM, key="k")
    again = ticket_open(text="Hello", channel=Channel.FORM, key="k")
    assert (first.created, again.created, again.ticket.pk) == (True, False, first.ticket.pk)
    before = rows()
    with pytest.raises(KeyReused):
        ticket_open(text="Something else", channel=Channel.FORM, key="k")
    assert rows() == before


def test_asking_for_a_person_twice_is_asking_once(ticket: Ticket) -> None:
    for _ in range(2):
        ticket_request_human(ticket=ticket)
    assert ticket.events.filter(type="ticket.human_requested").count() == 1


def test_a_closed_ticket_takes_no_message(ticket: Ticket) -> None:
    ticket_close(ticket=ticket)
    before = rows()
    for act in (
        lambda: customer_reply(ticket=ticket, body="one more thing"),
        lambda: ticket_close(ticket=ticket),
        lambda: ticket_request_human(ticket=ticket),
    ):
        with pytest.raises(TicketClosed):
            act()
    with pytest.raises(TicketNotResolved):
        ticket_rate(ticket=ticket, score=5, solved=True)
    assert rows() == before


def test_reopening_begins_a_new_wait_with_the_message(
    resolved: Ticket, invariants_hold: Callable[[], None]
) -> None:
    since = resolved.waiting_since
    ticket_reopen(ticket=resolved, body="It happened again")
    resolved.refresh_from_db()
    assert (resolved.state, resolved.resolved_at) == ("waiting", None)
    assert resolved.waiting_since > since
    assert Message.objects.order_by("-pk")[0].body == "It happened again"
    with pytest.raises(TicketNotResolved):
        ticket_reopen(ticket=resolved)
    invariants_hold()


def test_a_resolution_is_rated_once_and_the_next_one_anew(world: World, resolved: Ticket) -> None:
    ticket_rate(ticket=resolved, score=2, solved=False, comment="Not quite", key="r")
    ticket_rate(
        ticket=resolved, score=2, solved=False, comment="Not quite", key="r"
    )  # a repeat, not a second
    before = rows()
    with pytest.raises(AlreadyRated):
        ticket_rate(ticket=resolved, score=5, solved=True)
    assert rows() == before
    ticket_reopen(ticket=resolved)
    user = world.agents["Anna"].user_id
    with timeline.command():
        ticket_hold(ticket_id=resolved.pk, agent_name="Anna", actor_id=user)
    with timeline.command():
        ticket_resolve(ticket_id=resolved.pk, actor_id=user)
    ticket_rate(ticket=resolved, score=5, solved=True)
    assert list(Rating.objects.order_by("pk").values_list("score", flat=True)) == [2, 5]


def test_a_key_belongs_to_one_command(ticket: Ticket) -> None:
    customer_reply(ticket=ticket, body="Hello", key="k")
    before = rows()
    with pytest.raises(KeyReused):
        customer_reply(ticket=ticket, body="Something else", key="k")
    with pytest.raises(KeyReused):
        ticket_close(ticket=ticket, key="k")
    assert rows() == before


def test_the_timeline_cannot_be_changed(ticket: Ticket) -> None:
    with pytest.raises(Exception, match="append-only"):
        TicketEvent.objects.update(type="ticket.closed")
