"""Transfer against the customer's close: one of the two, never a closed ticket that waits."""

import threading
from collections.abc import Callable

import pytest
from django.db import transaction

from dispatch import passing
from dispatch.models import Transfer
from dispatch.offers import offers_cancel
from tests.cast import World
from tests.races.conftest import together
from tests.races.test_messages import held
from tickets.errors import Refusal
from tickets.lifecycle import ticket_close
from tickets.models import Message, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_transfer_against_close(world: World, invariants_hold: Callable[[], None]) -> None:
    for _ in range(8):
        ticket, offer, epoch = held(world)

        def close(ticket: Ticket = ticket) -> None:
            ticket_close(ticket=ticket)
            offers_cancel(ticket_id=ticket.pk)

        outcomes = together(
            close,
            lambda ticket=ticket, offer=offer, epoch=epoch: passing.transfer(
                agent=offer.agent, epoch=epoch, ticket_id=ticket.pk, note="See", pool_id=world.pool.pk
            ),
        )
        offers_cancel(ticket_id=ticket.pk)
        assert outcomes[0] is None
        passed = outcomes[1] is None
        assert passed or isinstance(outcomes[1], Refusal), outcomes
        ticket.refresh_from_db()
        offer.refresh_from_db()
        assert ticket.state == "closed"
        assert offer.state == ("released" if passed else "completed")
        assert Transfer.objects.filter(ticket=ticket).exists() == passed
        assert Message.objects.filter(ticket=ticket, internal=True).exists() == passed
        invariants_hold()


def test_control_look_then_write_opens_a_closed_ticket(world: World) -> None:
    """What the condition in the UPDATE prevents."""
    ticket, _offer, _epoch = held(world)
    looked, closed = threading.Event(), threading.Event()

    def naive() -> None:
        with transaction.atomic():
            assert Ticket.objects.get(pk=ticket.pk).state == "held"
            looked.set()
            closed.wait(10)
            Ticket.objects.filter(pk=ticket.pk).update(state="waiting", held_at=None)

    def close() -> None:
        looked.wait(10)
        ticket_close(ticket=ticket)
        closed.set()

    together(naive, close)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at is not None) == ("waiting", True)
