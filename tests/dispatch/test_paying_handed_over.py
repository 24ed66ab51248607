"""What handing a ticket over has paid is part of its pay if it comes back to the same agent: nobody is paid for it twice."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from agents.models import LedgerEntry, User
from dispatch import desk, presence, snooze
from dispatch.models import FeedEvent, Offer, Policy, Rate
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.console import Person
from tests.dispatch.test_paying import lines, rate, talked
from tickets import kept
from tickets.lifecycle import ticket_reopen
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(world: World) -> Person:
    return Person(world, "Anna").online()


class TestAfterItWasHandedOver:
    """What handing over has paid is part of the ticket's pay if it comes back to the same agent."""

    def again(self, world: World, person: Person, ticket: Ticket) -> None:
        """The ticket is theirs once more: that they gave it back is long ago."""
        Offer.objects.filter(ticket=ticket, ended_at__isnull=False).update(
            ended_at=F("ended_at") - timedelta(days=1)
        )
        match_pool(world.pool.pk)
        offer = Offer.objects.get(ticket=ticket, agent=person.agent, state="pending")
        offer_accept(offer_id=offer.pk, agent_id=person.agent.pk, epoch=person.epoch)

    def hello_and_back(self, person: Person, ticket: Ticket) -> None:
        desk.reply(agent=person.agent, epoch=person.epoch, ticket_id=ticket.pk, body="Hello")
        desk.hand_back(agent=person.agent, epoch=person.epoch, ticket_id=ticket.pk)

    def resolve(self, person: Person, ticket: Ticket) -> None:
        desk.resolve(agent=person.agent, epoch=person.epoch, ticket_id=ticket.pk)

    def test_the_ticket_pays_what_is_left(self, world: World, anna: Person) -> None:
        rate(release_percent=50)
        ticket = anna.holding()
        self.hello_and_back(anna, ticket)
        self.again(world, anna, ticket)
        self.resolve(anna, ticket)
        assert lines(anna) == [("release", 200), ("ticket", 200)]
        line = LedgerEntry.objects.get(kind="ticket")
        assert line.memo == f"{ticket.number} · Refund · less €2.00 that handing it over has paid"
        assert FeedEvent.objects.filter(type="ledger.credited").latest("seq").data["memo"] == line.memo

    def test_the_line_says_so_in_german(self, world: World) -> None:
        anna = Person(world, "Anna", "de").online()
        User.objects.filter(pk=anna.agent.user_id).update(language="de")
        rate(release_percent=25)
        ticket = anna.holding()
        self.hello_and_back(anna, ticket)
        self.again(world, anna, ticket)
        self.resolve(anna, ticket)
        line = LedgerEntry.objects.get(kind="ticket")
        assert (line.amount_cents, line.memo) == (
            300,
            f"{ticket.number} · Erstattung · abzüglich 1,00\xa0€, die die Übergabe gebracht hat",
        )

    def test_also_when_it_was_put_aside_and_they_went_offline(self, world: World, anna: Person) -> None:
        rate(release_percent=50)
        ticket = anna.holding()
        desk.reply(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk, body="Hello")
        snooze.snooze(
            agent=anna.agent,
            epoch=anna.epoch,
            ticket_id=ticket.pk,
            until=timezone.now() + timedelta(hours=1),
        )
        presence.go_offline(agent_id=anna.agent.pk, epoch=anna.epoch)
        assert lines(anna) == [("release", 200)]
        Ticket.objects.update(wakes_at=Now() - timedelta(seconds=1))
        assert snooze.wake_due() == 1
        anna.online()
        match_pool(world.pool.pk)
        offer = Offer.objects.get(state="pending")
        offer_accept(offer_id=offer.pk, agent_id=anna.agent.pk, epoch=anna.epoch)
        self.resolve(anna, ticket)
        assert lines(anna) == [("release", 200), ("ticket", 200)]

    def test_if_nothing_is_left_there_is_no_line(self, world: World, anna: Person) -> None:
        rate(release_percent=100)
        ticket = anna.holding()
        self.hello_and_back(anna, ticket)
        rate(amount_cents=100)  # less is paid meanwhile; nothing is taken back
        self.again(world, anna, ticket)
        self.resolve(anna, ticket)
        assert lines(anna) == [("release", 400)]

    def test_surge_is_taken_off_last(self, world: World, anna: Person) -> None:
        rate(release_percent=90, waiting_cents_per_minute=6)
        Policy.objects.create(pool=world.pool, version=1, surge_percent=25, surge_from=0.5)
        ticket = anna.holding()
        self.hello_and_back(anna, ticket)
        self.again(world, anna, ticket)
        talked(anna, ticket, 60)
        self.resolve(anna, ticket)
        assert lines(anna) == [("release", 450), ("surge", 50), ("waiting", 6)]
        assert LedgerEntry.objects.get(kind="surge").memo.endswith("less €0.50 that handing it over has paid")
        assert LedgerEntry.objects.get(kind="waiting").memo == f"{ticket.number} · Refund"

    def test_in_another_currency_it_is_the_same_part(self, world: World, anna: Person) -> None:
        rate(release_percent=50)
        ticket = anna.holding()
        self.hello_and_back(anna, ticket)
        Rate.objects.filter(topic__key="refund").update(currency="USD", amount_cents=501, release_percent=0)
        kept.forget()
        self.again(world, anna, ticket)
        self.resolve(anna, ticket)
        assert list(LedgerEntry.objects.order_by("pk").values_list("kind", "amount_cents", "currency")) == [
            ("release", 200, "EUR"),
            ("ticket", 250, "USD"),
        ]

    def test_what_others_were_paid_changes_nothing(self, world: World, anna: Person) -> None:
        rate(release_percent=50)
        ticket = anna.holding()
        self.hello_and_back(anna, ticket)
        presence.go_offline(agent_id=anna.agent.pk, epoch=anna.epoch)
        bernd = Person(world, "Bernd").online()
        self.again(world, bernd, ticket)
        self.resolve(bernd, ticket)
        assert (lines(anna), lines(bernd)) == ([("release", 200)], [("ticket", 400)])
        assert LedgerEntry.objects.get(kind="ticket").memo == f"{ticket.number} · Refund"

    def test_it_is_taken_off_once(self, world: World, anna: Person) -> None:
        """What is opened again is another piece of work."""
        rate(release_percent=50)
        ticket = anna.holding()
        self.hello_and_back(anna, ticket)
        self.again(world, anna, ticket)
        self.resolve(anna, ticket)
        ticket_reopen(ticket=Ticket.objects.get(), body="It came back")
        self.again(world, anna, ticket)
        self.resolve(anna, ticket)
        assert lines(anna) == [("release", 200), ("ticket", 200), ("ticket", 400)]

    def test_another_ticket_is_paid_in_full(self, world: World, anna: Person) -> None:
        rate(release_percent=50)
        ticket = anna.holding()
        self.hello_and_back(anna, ticket)
        Ticket.objects.filter(pk=ticket.pk).update(state="closed", closed_at=Now())
        self.resolve(anna, anna.holding())
        assert lines(anna) == [("release", 200), ("ticket", 400)]
