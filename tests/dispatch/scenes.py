"""Work that was done, for tests of what follows it."""

from datetime import timedelta

from django.db.models import F

from dispatch import desk
from dispatch.models import Offer
from tests.console import Person
from tickets.lifecycle import ticket_rate
from tickets.models import Rating, Ticket


def resolved(person: Person, text: str = "Where is my refund?", reply: str = "On its way.") -> Offer:
    """A ticket that this person answered and resolved."""
    ticket = person.holding(text=text)
    desk.reply(agent=person.agent, epoch=person.epoch, ticket_id=ticket.pk, body=reply)
    desk.resolve(agent=person.agent, epoch=person.epoch, ticket_id=ticket.pk)
    return Offer.objects.get(ticket=ticket, agent=person.agent)


def rated(person: Person, score: int, comment: str = "") -> Rating:
    """Such a ticket, and what the customer said of it."""
    offer = resolved(person)
    ticket_rate(ticket=Ticket.objects.get(pk=offer.ticket_id), score=score, solved=score > 2, comment=comment)
    return Rating.objects.get(ticket_id=offer.ticket_id)


def earlier(model: type, column: str, ago: timedelta, **which: object) -> None:
    """As if this had been so much earlier."""
    model._default_manager.filter(**which).update(**{column: F(column) - ago})  # type: ignore[attr-defined]
