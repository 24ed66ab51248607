"""What wakes a ticket that is put aside, all at once: one of them does. And the shift's end, which leaves it asleep or finds it
awake."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from dispatch import desk, presence, snooze
from dispatch.models import Offer
from tests.cast import World
from tests.races.conftest import together
from tests.races.test_messages import held
from tickets import events, timeline
from tickets.conversation import customer_reply
from tickets.models import Message, Ticket, TicketEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def due(world: World) -> tuple[Ticket, Offer, int]:
    ticket, offer, epoch = held(world)
    snooze.snooze(
        agent=offer.agent, epoch=epoch, ticket_id=ticket.pk, until=timezone.now() + timedelta(hours=1)
    )
    Ticket.objects.filter(pk=ticket.pk).update(wakes_at=Now() - timedelta(seconds=1))
    return ticket, offer, epoch


def wakings(ticket: Ticket) -> int:
    return TicketEvent.objects.filter(ticket=ticket, type="ticket.woke").count()


def test_tick_customer_and_agent_wake_it_once(world: World, invariants_hold: Callable[[], None]) -> None:
    for _ in range(8):
        ticket, offer, epoch = due(world)
        outcomes = together(
            snooze.wake_due,
            snooze.wake_due,
            lambda ticket=ticket: customer_reply(ticket=ticket, body="Found it"),
            lambda ticket=ticket, offer=offer, epoch=epoch: snooze.wake(
                agent=offer.agent, epoch=epoch, ticket_id=ticket.pk
            ),
        )
        assert isinstance(outcomes[2], Message), outcomes
        assert outcomes[3] is None, outcomes
        assert wakings(ticket) == 1
        ticket.refresh_from_db()
        assert (ticket.state, ticket.wakes_at) == ("held", None)
        invariants_hold()
        desk.resolve(agent=offer.agent, epoch=epoch, ticket_id=ticket.pk)


def test_the_shifts_end_among_them(world: World, invariants_hold: Callable[[], None]) -> None:
    """Left asleep and woken as nobody's, or woken first and given back: it waits, and woke once either way."""
    for _ in range(8):
        ticket, offer, epoch = due(world)
        outcomes = together(
            snooze.wake_due,
            lambda offer=offer, epoch=epoch: presence.go_offline(agent_id=offer.agent_id, epoch=epoch),
            lambda ticket=ticket: customer_reply(ticket=ticket, body="Found it"),
        )
        assert not [one for one in outcomes if isinstance(one, Exception)], outcomes
        snooze.wake_due()
        ticket.refresh_from_db()
        assert (ticket.state, ticket.wakes_at, wakings(ticket)) == ("waiting", None, 1)
        invariants_hold()
        Ticket.objects.filter(pk=ticket.pk).update(state="closed")  # out of the next one's way


def test_control_looking_before_writing_wakes_it_twice(world: World) -> None:
    """What the condition in the UPDATE prevents."""
    ticket, _offer, _epoch = due(world)
    looked = threading.Barrier(2)

    def naive() -> None:
        with transaction.atomic():
            assert Ticket.objects.filter(pk=ticket.pk, wakes_at__isnull=False).exists()
            looked.wait(10)
            timeline.advance(
                Ticket.objects.filter(pk=ticket.pk), events.WOKE, {"reason": "time"}, wakes_at=None
            )

    together(naive, naive)
    assert wakings(ticket) == 2
