"""Tickets and what belongs to them, one file a matter."""

from tickets.models.calendars import Calendar, ClosedDay, OpeningHours
from tickets.models.conversation import Attachment, Author, Message
from tickets.models.knowledge import CannedReply
from tickets.models.rating import Rating
from tickets.models.ticket import Channel, Customer, Ticket, TicketState, Topic
from tickets.models.timeline import TicketEvent

__all__ = [
    "Attachment",
    "Author",
    "Calendar",
    "CannedReply",
    "Channel",
    "ClosedDay",
    "Customer",
    "Message",
    "OpeningHours",
    "Rating",
    "Ticket",
    "TicketEvent",
    "TicketState",
    "Topic",
]
