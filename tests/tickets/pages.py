"""What the tests of the ticket's page share."""

from agents.models import Agent, Shift
from dispatch import desk, presence
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tickets.models import Ticket


def at(ticket: Ticket, what: str = "") -> str:
    return f"/t/{ticket.public_id}/{what}"


def held(world: World, ticket: Ticket) -> tuple[Agent, Shift]:
    """Anna accepts the ticket."""
    anna = world.agent("Anna")
    shift = presence.go_online(agent_id=anna.pk)
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=anna.pk, epoch=shift.epoch)
    return anna, shift


def resolved(world: World, ticket: Ticket) -> None:
    anna, shift = held(world, ticket)
    desk.resolve(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk)
