"""Tickets and what belongs to them, one file a matter."""

from tickets.models.conversation import Attachment, Author, Message
from tickets.models.rating import Rating
from tickets.models.ticket import Channel, Customer, Ticket, TicketState, Topic
from tickets.models.timeline import TicketEvent

__all__ = [
    "Attachment",
    "Author",
    "Channel",
    "Customer",
    "Message",
    "Rating",
    "Ticket",
    "TicketEvent",
    "TicketState",
    "Topic",
]
