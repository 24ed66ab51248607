"""Signs: typing in passing and seldom, and the number up to which each side has read."""

from typing import Any

import pytest

from dispatch import desk, presence
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.callers import agent_of, customer_of
from tests.cast import World
from tests.untouched import nothing_changed
from tickets import bell, signs
from tickets.lifecycle import ticket_close
from tickets.models import Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What goes out in passing."""
    found: list[Any] = []
    monkeypatch.setattr(bell, "_publish", lambda messages: found.extend(one for _place, one in messages))
    return found


def signs_in(told: list[Any]) -> list[Any]:
    return [one["data"] for one in told if one["type"] == "sign"]


@pytest.fixture
def ticket(world: World) -> Ticket:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    made = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    return Ticket.objects.select_related("customer").get(pk=made.pk)


def test_typing_is_told_once_in_a_while_and_stored_nowhere(ticket: Ticket, told: list[Any]) -> None:
    with nothing_changed():
        for _ in range(3):
            signs.typing(ticket, signs.Side.CUSTOMER)
        signs.typing(ticket, signs.Side.AGENT)
    assert signs_in(told) == [
        {"by": "customer", "typing": True, "read": None},
        {"by": "agent", "typing": True, "read": None},
    ]


def test_nobody_types_into_a_closed_ticket(ticket: Ticket, told: list[Any]) -> None:
    ticket_close(ticket=ticket)
    ticket.refresh_from_db()
    signs.typing(ticket, signs.Side.CUSTOMER)
    assert signs_in(told) == []


def test_what_was_read_only_rises_and_only_to_what_there_is(ticket: Ticket, told: list[Any]) -> None:
    last = ticket.last_seq
    for seq in (2, 1, 2, last + 1, last):
        signs.read_up_to(ticket, signs.Side.CUSTOMER, seq)
    ticket.refresh_from_db()
    assert (ticket.read_by_customer, ticket.read_by_agent) == (last, 0)
    assert [one["read"] for one in signs_in(told)] == [2, last]


def test_by_the_api_each_for_their_side(world: World, ticket: Ticket, told: list[Any]) -> None:
    desk.reply(agent=world.agents["Anna"], epoch=1, ticket_id=ticket.pk, body="Hello")
    assert customer_of(ticket).tell(f"tickets/{ticket.public_id}/sign", {"read": 3}).status_code == 204
    answer = agent_of(world.agents["Anna"]).tell(f"desk/{ticket.public_id}/sign", {"read": 2, "typing": True})
    assert answer.status_code == 204
    ticket.refresh_from_db()
    assert (ticket.read_by_customer, ticket.read_by_agent) == (3, 2)
    assert {one["by"] for one in signs_in(told)} == {"customer", "agent"}
