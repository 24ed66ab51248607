"""Merging two tickets of one customer: what becomes of both, of offers and pay, of the customer's way; and what is refused."""

import pytest
from django.test import Client

from agents.models import LedgerEntry
from dispatch import desk, merging, queue
from dispatch.errors import NotHolder, NotToMerge
from dispatch.models import Offer, Rate
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.callers import agent_of
from tests.cast import World
from tests.console import Person, text_of
from tests.tickets.test_returning import confirmed, enter
from tests.untouched import nothing_changed
from tickets import returning
from tickets.access import token_of
from tickets.conversation import customer_reply
from tickets.errors import TicketMerged, TicketNotFound
from tickets.lifecycle import ticket_rate, ticket_reopen
from tickets.models import Ticket, TicketEvent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna(world: World) -> Person:
    return Person(world, "Anna").online()


def one_customer(*tickets: Ticket) -> None:
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).update(customer_id=tickets[0].customer_id)


@pytest.fixture
def two(anna: Person, world: World) -> tuple[Ticket, Ticket]:
    """One that Anna holds, and one that waits, of one customer."""
    mine, other = anna.holding(), world.ticket("Where is my refund? Nobody answers 030 1234567")
    one_customer(mine, other)
    return mine, other


def merge(anna: Person, mine: Ticket, other: Ticket, **more: str) -> None:
    merging.merge(agent=anna.agent, epoch=1, ticket_id=mine.pk, other=other.public_id, **more)


def facts(ticket: Ticket) -> tuple[str, str, int | None]:
    ticket.refresh_from_db()
    return ticket.state, ticket.ended_as, ticket.merged_into_id


class TestMerging:
    def test_it_is_closed_linked_and_out_of_all_judging(
        self, anna: Person, world: World, two: tuple[Ticket, Ticket]
    ) -> None:
        mine, other = two
        bernd = Person(world, "Bernd").online()
        match_pool(world.pool.pk)
        assert Offer.objects.filter(ticket=other, agent=bernd.agent, state="pending").exists()
        merge(anna, mine, other, key="once")
        with nothing_changed():
            merge(anna, mine, other, key="once")
        assert facts(other) == ("closed", "merged", mine.pk)
        assert facts(mine) == ("held", "", None)
        assert set(Offer.objects.filter(ticket=other).values_list("state", "reason")) == {
            ("cancelled", "merged")
        }
        assert not LedgerEntry.objects.exists()
        told = TicketEvent.objects.filter(type__in=("ticket.merged", "ticket.took_in")).order_by("ticket_id")
        assert [(one.ticket_id, one.type, one.data["number"], one.public) for one in told] == [
            (mine.pk, "ticket.took_in", other.number, True),
            (other.pk, "ticket.merged", mine.number, True),
        ]
        with nothing_changed():
            with pytest.raises(TicketMerged):
                ticket_reopen(ticket=other)
            with pytest.raises(Exception, match="ticket_not_resolved"):
                ticket_rate(ticket=other, score=5, solved=True)
        queue.closed_with_live_offers()
        desk.resolve(agent=anna.agent, epoch=1, ticket_id=mine.pk)
        ticket_rate(ticket=mine, score=5, solved=True)

    def test_what_was_merged_before_goes_on_in_the_last(self, anna: Person, world: World) -> None:
        first, second, third = anna.holding(), anna.holding(), world.ticket()
        one_customer(first, second, third)
        merge(anna, second, third)
        merge(anna, first, second)
        assert facts(third) == ("closed", "merged", first.pk)

    @pytest.mark.parametrize(("wrote", "cents"), [(True, 200), (False, None)])
    def test_ones_own_is_paid_as_work_passed_on(
        self, anna: Person, world: World, wrote: bool, cents: int | None
    ) -> None:
        Rate.objects.update(release_percent=50)
        world.agents["Anna"].units = 200
        mine, other = anna.holding(), anna.holding()
        one_customer(mine, other)
        if wrote:
            desk.reply(agent=anna.agent, epoch=1, ticket_id=other.pk, body="I look")
        merge(anna, mine, other)
        offer = Offer.objects.get(ticket=other)
        assert (offer.state, offer.reason) == ("released", "merged")
        assert [entry.amount_cents for entry in LedgerEntry.objects.all()] == ([cents] if cents else [])


class TestRefused:
    def test_of_somebody_else_unknown_or_itself(self, anna: Person, world: World) -> None:
        mine, foreign = anna.holding(), world.ticket()
        with nothing_changed():
            for other in (foreign.public_id, mine.public_id, "nothing"):
                with pytest.raises(TicketNotFound):
                    merging.merge(agent=anna.agent, epoch=1, ticket_id=mine.pk, other=other)

    def test_held_by_another_or_ended_or_by_who_holds_nothing(
        self, anna: Person, world: World, two: tuple[Ticket, Ticket]
    ) -> None:
        mine, other = two
        bernd = Person(world, "Bernd").online()
        with nothing_changed(), pytest.raises(NotHolder):
            merge(bernd, mine, other)
        match_pool(world.pool.pk)
        offer_accept(
            offer_id=Offer.objects.get(ticket=other, agent=bernd.agent).pk, agent_id=bernd.agent.pk, epoch=1
        )
        with nothing_changed(), pytest.raises(NotToMerge):
            merge(anna, mine, other)
        desk.resolve(agent=bernd.agent, epoch=1, ticket_id=other.pk)
        with nothing_changed(), pytest.raises(NotToMerge):
            merge(anna, mine, other)

    def test_by_the_api(self, anna: Person, world: World, two: tuple[Ticket, Ticket]) -> None:
        mine, other = two
        caller, path = agent_of(anna.agent), f"desk/{mine.public_id}"
        [found] = caller.ask(f"{path}/duplicates").json()
        assert (found["id"], found["topic"], found["state"]) == (other.public_id, "refund", "waiting")
        assert "1234567" not in found["summary"]
        with nothing_changed():
            assert caller.tell(f"{path}/merge", {"epoch": 1, "ticket": "nothing"}).status_code == 404
        answer = caller.tell(f"{path}/merge", {"epoch": 1, "ticket": other.public_id})
        assert (answer.status_code, answer.json()) == (
            200,
            {"merged": other.public_id, "into": mine.public_id},
        )
        with nothing_changed():
            assert caller.tell(f"{path}/merge", {"epoch": 1, "ticket": other.public_id}).status_code == 409


class TestAtTheDesk:
    def test_the_form_the_context_and_the_other_conversation(
        self, anna: Person, world: World, two: tuple[Ticket, Ticket]
    ) -> None:
        mine, other = two
        page = text_of(anna.get(f"/console/?ticket={mine.public_id}"))
        assert "Also open" in page
        assert other.number in page
        form = anna.get(f"/console/tickets/{mine.public_id}/merge?part=1").content.decode()
        assert f'value="{other.public_id}" required checked' in form
        assert "1234567" not in form
        there = f"/console/tickets/{mine.public_id}/merged/{other.public_id}"
        assert anna.get(there).status_code == 404
        anna.post(f"tickets/{mine.public_id}/merge", other=other.public_id)
        assert facts(other) == ("closed", "merged", mine.pk)
        page = text_of(anna.get(there))
        assert "Nobody answers" in page
        assert "1234567" not in page
        assert Person(world, "Bernd").get(there).status_code == 404
        page = text_of(anna.get(f"/console/?ticket={mine.public_id}"))
        assert f"Read {other.number}" in page
        assert "Also open" not in page


class TestTheCustomer:
    def test_who_came_by_mail_is_led_on_and_goes_on_there(
        self, anna: Person, world: World, client: Client
    ) -> None:
        mine, other = anna.holding(), world.ticket()
        confirmed(Client(), mine)
        confirmed(client, other)
        merge(anna, mine, other)
        page = client.get(f"/t/{other.public_id}/").content.decode()
        assert f"This goes on as {mine.number}" in page
        assert f"t-{mine.public_id}" not in client.cookies
        answer = client.get(f"/t/{other.public_id}/goes-on")
        assert (answer.status_code, answer["Location"]) == (303, f"/t/{mine.public_id}/")
        key = token_of(Ticket.objects.get(pk=mine.pk))
        assert client.cookies[f"t-{mine.public_id}"].value == key
        assert [one.ticket.pk for one in returning.tickets_of({mine.public_id: key})] == [mine.pk]
        customer_reply(ticket=Ticket.objects.select_related("customer").get(pk=mine.pk), body="Here")

    def test_who_only_opened_it_under_that_address_gets_no_key(
        self, anna: Person, world: World, client: Client
    ) -> None:
        """Somebody else may have written it, and the address's owner confirmed it by looking."""
        mine, other = anna.holding(), world.ticket()
        confirmed(Client(), mine)
        confirmed(Client(), other)
        assert enter(client, other, token_of(other)) == 404
        assert enter(client, other, token_of(Ticket.objects.get(pk=other.pk))) == 303  # by the page's link
        merge(anna, mine, other)
        answer = client.get(f"/t/{other.public_id}/goes-on")
        assert answer.status_code == 200
        assert "we mail you the link" in answer.content.decode()
        assert f"t-{mine.public_id}" not in client.cookies
        assert token_of(Ticket.objects.get(pk=mine.pk)) not in answer.content.decode()
        assert Client().get(f"/t/{other.public_id}/goes-on").status_code == 404
