"""A customer's requests at once: files up to a day's bound, an address that two devices confirm, erasing against merging."""

import hashlib
import threading
from collections.abc import Callable

import pytest

from agents.models import Agent
from dispatch import merging, presence
from dispatch.errors import NotHolder
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together
from tickets import conversation, erasing, returning
from tickets.attachments import Inspected, TooMuchADay
from tickets.errors import TicketClosed, TicketNotFound
from tickets.lifecycle import ticket_close
from tickets.models import Attachment, Message, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

PEAR = Inspected("pear.txt", "text/plain", b"four", hashlib.sha256(b"four").hexdigest())


def sending(ticket: Ticket, number: int) -> Callable[[], Message]:
    return lambda: conversation.customer_reply(ticket=ticket, body=f"Pear {number}", files=[PEAR])


def test_files_at_once_stay_within_the_days_bound(
    world: World, invariants_hold: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MAX_BYTES_A_DAY", 10)
    ticket = world.ticket()
    outcomes = together(*(sending(ticket, number) for number in range(6)))
    assert sum(isinstance(outcome, Message) for outcome in outcomes) == 2, outcomes
    assert sum(isinstance(outcome, TooMuchADay) for outcome in outcomes) == 4, outcomes
    assert Attachment.objects.count() == 2
    assert Message.objects.filter(ticket=ticket).count() == 3
    invariants_hold()


def test_control_looking_before_the_rows_lock_lets_more_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looking under the lock prevents: all look, and then all write."""
    monkeypatch.setattr(conversation, "MAX_BYTES_A_DAY", 10)
    ticket = world.ticket()
    check, looked = conversation._day_check, threading.Barrier(6)
    monkeypatch.setattr(conversation, "_day_check", lambda *_: None)

    def early(number: int) -> Callable[[], Message]:
        def act() -> Message:
            check(ticket.pk, [PEAR])
            looked.wait(10)
            return sending(ticket, number)()

        return act

    assert all(isinstance(outcome, Message) for outcome in together(*(early(n) for n in range(6))))
    assert Attachment.objects.count() == 6


def test_of_two_devices_that_confirm_one_renews_the_link(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    tickets = [world.ticket() for _ in range(4)]
    for ticket in tickets:
        proof = returning.proof_of(ticket)
        both = together(
            *(lambda t=ticket, p=proof: returning.confirm(ticket=t, proof=p) for _ in range(2))  # type: ignore[misc]
        )
        # Who comes second may find the customer joined to an older one already, and enters by the link once more.
        assert True in both, both
        assert Ticket.objects.get(pk=ticket.pk).access_version == 2
    assert Ticket.objects.values("customer").distinct().count() == 1
    invariants_hold()


def holding(world: World, anna: Agent, epoch: int) -> Ticket:
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(
        offer_id=Offer.objects.get(ticket=ticket, agent=anna, state="pending").pk,
        agent_id=anna.pk,
        epoch=epoch,
    )
    return ticket


def test_what_is_merged_while_it_is_erased_is_erased_or_not_merged(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    anna = world.agent("Anna")
    for _ in range(8):
        epoch = presence.go_online(agent_id=anna.pk).epoch
        mine = holding(world, anna, epoch)
        other = world.ticket()
        Ticket.objects.filter(pk=other.pk).update(customer=mine.customer)
        merged, erased = together(
            lambda mine=mine, other=other, epoch=epoch: merging.merge(  # type: ignore[misc]
                agent=anna, epoch=epoch, ticket_id=mine.pk, other=other.public_id
            ),
            lambda mine=mine: erasing.ticket_erase(ticket=mine),  # type: ignore[misc]
        )
        other.refresh_from_db()
        if merged is None:
            assert (other.merged_into_id, other.erased_at is not None) == (mine.pk, True)
            assert erased == erasing.Reach([other.number], [])
        else:
            assert isinstance(merged, (TicketClosed, TicketNotFound, NotHolder)), merged
            assert (other.merged_into_id, other.erased_at) == (None, None)
            assert erased == erasing.Reach([], [other.number])
        invariants_hold()
        presence.go_offline(agent_id=anna.pk, epoch=epoch)
        for ticket in Ticket.objects.filter(state__in=Ticket.OPEN):  # room for the next ones
            ticket_close(ticket=ticket)
