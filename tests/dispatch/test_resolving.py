"""Send and resolve: the message at once, the ticket some seconds later, unless that is undone or the customer writes."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from agents.models import Agent, LedgerEntry
from dispatch import cards, desk, passing, presence, resolving
from dispatch.errors import NotHolder, TooLateToUndo
from dispatch.models import FeedEvent, Offer
from dispatch.offers import offer_accept, offers_cancel
from dispatch.runs import match_pool
from tests.callers import agent_of, problem
from tests.cast import World
from tests.console import Person, text_of
from tests.untouched import nothing_changed
from tickets.conversation import customer_reply
from tickets.lifecycle import ticket_close
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(world: World) -> Agent:
    return world.agent("Anna")


@pytest.fixture
def ticket(world: World, anna: Agent) -> Ticket:
    """Held by Anna, who has sent her last word and will have it resolved."""
    presence.go_online(agent_id=anna.pk)
    made = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    desk.reply(agent=anna, epoch=1, ticket_id=made.pk, body="It is on its way.", then_resolve=True, key="k")
    return Ticket.objects.select_related("customer").get(pk=made.pk)


def is_due() -> None:
    Offer.objects.update(resolves_at=Now() - timedelta(seconds=1))


def state(ticket: Ticket) -> tuple[str, str]:
    ticket.refresh_from_db()
    return ticket.state, Offer.objects.get(ticket=ticket).state


def told() -> list[str]:
    return list(
        FeedEvent.objects.filter(type__startswith="resolve.").order_by("seq").values_list("type", flat=True)
    )


def test_the_message_is_sent_and_the_ticket_waits_for_the_moment(ticket: Ticket, anna: Agent) -> None:
    assert Message.objects.latest("pk").body == "It is on its way."
    assert state(ticket) == ("held", "accepted")
    assert told() == ["resolve.planned"]
    [one] = cards.resolving(cards.on_desk(anna.pk))
    assert 4 < one["seconds_left"] <= 5
    with nothing_changed():
        assert resolving.look() == 0
        desk.reply(
            agent=anna, epoch=1, ticket_id=ticket.pk, body="It is on its way.", then_resolve=True, key="k"
        )


def test_when_it_is_due_it_is_resolved_and_paid_once(ticket: Ticket, invariants_hold: object) -> None:
    is_due()
    assert resolving.look() == 1
    assert state(ticket) == ("resolved", "completed")
    assert LedgerEntry.objects.get().amount_cents == 400
    with nothing_changed():
        assert resolving.look() == 0


def test_undone_it_stays(ticket: Ticket, anna: Agent) -> None:
    resolving.undo(agent=anna, epoch=1, ticket_id=ticket.pk, key="u")
    assert told() == ["resolve.planned", "resolve.undone"]
    with nothing_changed():
        resolving.undo(agent=anna, epoch=1, ticket_id=ticket.pk, key="u")  # again, and in another tab
        resolving.undo(agent=anna, epoch=1, ticket_id=ticket.pk)
        assert resolving.look() == 0
    assert state(ticket) == ("held", "accepted")


def test_too_late_says_so(ticket: Ticket, anna: Agent, world: World) -> None:
    is_due()
    resolving.look()
    caller = agent_of(anna)
    with nothing_changed():
        with pytest.raises(TooLateToUndo):
            resolving.undo(agent=anna, epoch=1, ticket_id=ticket.pk)
        with pytest.raises(NotHolder):
            resolving.undo(agent=anna, epoch=1, ticket_id=0)
        problem(
            caller.tell(f"desk/{ticket.public_id}/resolve-undo", {"epoch": 1}),
            409,
            "too_late_to_undo",
        )


@pytest.mark.parametrize("due", [False, True])
def test_who_writes_meanwhile_has_the_last_word(ticket: Ticket, anna: Agent, due: bool) -> None:
    customer_reply(ticket=ticket, body="And the fee?")
    if due:
        is_due()
    assert resolving.look() == 1
    assert state(ticket) == ("held", "accepted")
    assert FeedEvent.objects.get(type="resolve.undone").data["reason"] == "customer"
    assert cards.resolving(cards.on_desk(anna.pk)) == []


def test_handed_back_or_passed_on_it_is_not_resolved(ticket: Ticket, anna: Agent, world: World) -> None:
    passing.transfer(agent=anna, epoch=1, ticket_id=ticket.pk, note="See", pool_id=world.pool.pk)
    assert Offer.objects.get().resolves_at is None
    assert resolving.look() == 0
    assert state(ticket) == ("waiting", "released")


def test_who_goes_offline_has_done_the_work(ticket: Ticket, anna: Agent) -> None:
    presence.go_offline(agent_id=anna.pk, epoch=1)
    assert state(ticket) == ("resolved", "completed")
    assert LedgerEntry.objects.count() == 1


def test_who_goes_offline_after_the_customer_wrote_gives_it_back(ticket: Ticket, anna: Agent) -> None:
    customer_reply(ticket=ticket, body="And the fee?")
    presence.go_offline(agent_id=anna.pk, epoch=1)
    assert state(ticket) == ("waiting", "released")


def test_a_customer_who_closes_is_no_error(ticket: Ticket, anna: Agent) -> None:
    ticket_close(ticket=ticket)
    is_due()
    assert resolving.look() == 0
    offers_cancel(ticket_id=ticket.pk)
    assert state(ticket) == ("closed", "completed")
    assert LedgerEntry.objects.count() == 1


def test_by_the_api(world: World, ticket: Ticket, anna: Agent) -> None:
    resolving.undo(agent=anna, epoch=1, ticket_id=ticket.pk)
    here = f"desk/{ticket.public_id}"
    assert (
        agent_of(anna).tell(f"{here}/reply", {"epoch": 1, "body": "Bye", "then_resolve": True}).status_code
        == 201
    )
    assert Offer.objects.get().resolves_at is not None
    answer = agent_of(anna).tell(f"{here}/resolve-undo", {"epoch": 1})
    assert (answer.status_code, answer.json()) == (200, {"state": "held"})
    form = {"epoch": 1, "body": "Bye", "then_resolve": "true"}
    assert agent_of(anna).tell(f"{here}/reply", form, format="multipart").status_code == 201
    assert Offer.objects.get().resolves_at is not None


def test_a_page_that_is_drawn_anew_counts_on(world: World) -> None:
    anna = Person(world, "Anna").online()
    ticket = anna.holding()
    page = text_of(anna.post(f"tickets/{ticket.public_id}/reply", body="Bye", then="resolve"))
    assert f"/console/tickets/{ticket.public_id}/undo" in page
    assert "Resolves in" in page
    answer = anna.fetch(f"tickets/{ticket.public_id}/undo").json()
    assert any(frame["type"] == "snapshot" for frame in answer["frames"])
    assert "Resolves in" not in text_of(anna.get())
