"""Who is finishing is offline when there is nothing left to finish."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from agents.models import Lease, Shift
from dispatch import desk, leaving, practice, presence, resolving, snooze, tasks, wrap_up
from dispatch.models import FeedEvent, Offer, Route
from dispatch.offers import offers_cancel
from dispatch.runs import match_pool
from tests.cast import World
from tests.console import Person, text_of
from tests.dispatch.test_time_online import _rows
from tests.invariants import broken
from tests.practising import begin, make_applicant, make_script
from tests.untouched import nothing_changed
from tickets import kept
from tickets.conversation import customer_reply
from tickets.lifecycle import ticket_close, ticket_reopen
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(world: World) -> Person:
    return Person(world, "Anna").online()


def finish(person: Person) -> None:
    presence.finish(agent_id=person.agent.pk, epoch=person.epoch)


def state() -> tuple[str, str]:
    return Shift.objects.values_list("state", "end_reason").get()


def stays() -> None:
    with nothing_changed():
        assert presence.finished_end() == 0


def ends() -> None:
    assert (presence.finished_end(), presence.finished_end()) == (1, 0)
    assert state() == ("ended", "finished")
    last = FeedEvent.objects.filter(type="shift.changed").latest("seq")
    assert last.data == {"epoch": 1, "state": "ended", "reason": "", "lost": False}
    assert not Lease.objects.exists()
    assert not broken(_rows)


def test_with_the_last_ticket_the_shift_ends(anna: Person) -> None:
    one, two = anna.holding(), anna.holding()
    finish(anna)
    assert "then your shift ends by itself" in text_of(anna.get())
    for ticket in (one, two):
        stays()
        desk.resolve(agent=anna.agent, epoch=1, ticket_id=ticket.pk)
    tasks.tick()
    assert state() == ("ended", "finished")
    page = text_of(anna.get())
    assert ("You had finished, so your shift ended." in page, 'data-state="offline"' in page) == (True, True)
    assert "Bring your tickets to their end" not in page
    assert presence.go_online(agent_id=anna.agent.pk).epoch == 2


def test_who_holds_nothing_has_finished_already(anna: Person) -> None:
    stays()  # online
    presence.pause(agent_id=anna.agent.pk, epoch=1)
    stays()
    finish(anna)
    ends()


@pytest.mark.parametrize("how", ["handed back", "closed by the customer"])
def test_however_the_ticket_goes(anna: Person, how: str) -> None:
    ticket = anna.holding()
    finish(anna)
    if how == "handed back":
        desk.hand_back(agent=anna.agent, epoch=1, ticket_id=ticket.pk)
    else:
        ticket_close(ticket=Ticket.objects.get())
        stays()  # until the offer has heard of it
        offers_cancel(ticket_id=ticket.pk)
    ends()


def test_a_wrap_up_is_brought_to_its_end_too_and_a_reopening_is_for_others(
    world: World, anna: Person
) -> None:
    Route.objects.update(wrap_up_seconds=60)
    kept.forget()
    ticket = anna.holding()
    finish(anna)
    desk.resolve(agent=anna.agent, epoch=1, ticket_id=ticket.pk)
    stays()
    ticket_reopen(ticket=Ticket.objects.get(), body="It came back")
    assert match_pool(world.pool.pk) == 0
    stays()
    Offer.objects.update(wrap_until=Now())
    assert wrap_up.end_due() == 1
    ends()
    assert Ticket.objects.get().state == "waiting"


def test_what_is_put_aside_is_not_at_its_end(anna: Person) -> None:
    ticket = anna.holding()
    snooze.snooze(agent=anna.agent, epoch=1, ticket_id=ticket.pk, until=timezone.now() + timedelta(hours=1))
    finish(anna)
    assert Shift.objects.get().units_taken == 0
    stays()
    customer_reply(ticket=Ticket.objects.select_related("customer").get(), body="Found it")
    desk.resolve(agent=anna.agent, epoch=1, ticket_id=ticket.pk)
    ends()


def test_what_can_be_undone_is_not_at_its_end(anna: Person) -> None:
    ticket = anna.holding()
    finish(anna)
    desk.reply(agent=anna.agent, epoch=1, ticket_id=ticket.pk, body="Done.", then_resolve=True)
    stays()
    Offer.objects.update(resolves_at=Now() - timedelta(seconds=1))
    assert resolving.look() == 1
    ends()


def test_who_is_lost_ends_as_lost(anna: Person) -> None:
    finish(anna)
    Lease.objects.update(expires_at=Now())
    assert presence.leases_end() == 1
    stays()
    assert presence.graces_end() == 1
    assert state() == ("ended", "lease")


def test_practice_is_not_ended_by_it(world: World) -> None:
    make_script(world.refund)
    one = begin(make_applicant(world))
    assert state() == ("finishing", "")
    stays()
    desk.resolve(agent=one.agent, epoch=one.shift.epoch, ticket_id=one.ticket_id)
    stays()  # what it was like is still to be said
    practice.look()
    assert state() == ("ended", "agent")


def test_who_leaves_has_left_with_it(anna: Person) -> None:
    ticket = anna.holding()
    leaving.leave(agent_id=anna.agent.pk)
    stays()
    desk.resolve(agent=anna.agent, epoch=1, ticket_id=ticket.pk)
    ends()
    assert leaving.leavings_complete() == 1
    anna.agent.refresh_from_db()
    assert anna.agent.status == "left"
