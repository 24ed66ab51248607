"""A lead who takes an ending back, while the customer has the ticket erased: one comes before the other, and neither fails."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from agents.models import User
from dispatch import misuse, presence
from dispatch.errors import AlreadySettled
from dispatch.models import Misuse, Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together, waiting_for_locks
from tests.waiting import until
from tickets import erasing
from tickets.models import EndedAs, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def flagged(world: World) -> Misuse:
    anna = world.agent("Anna")
    epoch = presence.go_online(agent_id=anna.pk).epoch
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=epoch)
    misuse.end_as(agent=anna, epoch=epoch, ticket_id=ticket.pk, kind=EndedAs.SPAM)
    return Misuse.objects.get()


def taken_back_while_erased(row: Misuse, lead: User, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The lead has settled it and not touched the ticket yet, when the erasing comes, and has to wait for something."""
    settled, restore = threading.Event(), misuse.lifecycle.ticket_restore

    def late(**how: Any) -> None:
        settled.set()
        until(waiting_for_locks, "the race: the erasing does not wait")
        restore(**how)

    def erase() -> object:
        assert settled.wait(10)
        return erasing.ticket_erase(ticket=Ticket.objects.get())

    monkeypatch.setattr(misuse.lifecycle, "ticket_restore", late)
    return together(lambda: misuse.take_back(misuse_id=row.pk, lead=lead), erase)


@pytest.fixture
def lead(world: World) -> User:
    return User.objects.create_user("lea@team.example", name="Lea")


def test_the_ticket_is_locked_before_what_is_asked_about_it(
    world: World, lead: User, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    row = flagged(world)
    back, erased = taken_back_while_erased(row, lead, monkeypatch)
    assert (back, isinstance(erased, Exception)) == (None, False)
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.erased_at is not None) == ("closed", True)
    invariants_hold()
    with pytest.raises(AlreadySettled):
        misuse.take_back(misuse_id=row.pk, lead=lead)


def test_control_without_that_lock_each_waits_for_the_other(
    world: World, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(misuse, "_lock_ticket", lambda _row: None)
    outcomes = taken_back_while_erased(flagged(world), lead, monkeypatch)
    assert [one for one in outcomes if isinstance(one, OperationalError)] != [], outcomes
