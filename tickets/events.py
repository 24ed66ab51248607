"""Every event of a ticket's timeline, declared once: its name, who may see it, and its fields with their JSON types.

docs/protocol.md shows an example of each; tests/test_protocol.py holds the page to these declarations.
"""

from collections.abc import Mapping
from dataclasses import dataclass

EVENTS: dict[str, "EventType"] = {}


@dataclass(frozen=True)
class EventType:
    """`fields`: name → JSON type of `data` as sent: string, integer, boolean, array, object; "…|null" may be null."""

    name: str
    says: str
    fields: Mapping[str, str]
    public: bool  # sent to the customer too


def declare(name: str, says: str, **fields: str) -> EventType:
    """Declare an event type that the customer sees too."""
    return _declare(EventType(name, says, fields, public=True))


def declare_internal(name: str, says: str, **fields: str) -> EventType:
    """Declare an event type for agents and staff only."""
    return _declare(EventType(name, says, fields, public=False))


def _declare(event: EventType) -> EventType:
    if event.name in EVENTS:
        raise ValueError(f"{event.name} is declared twice")
    EVENTS[event.name] = event
    return event


MESSAGE = {
    "author": "string",
    "author_name": "string",
    "body": "string",
    "attachments": "array",
}

OPENED = declare(
    "ticket.opened",
    "The customer opened the ticket.",
    topic="string|null",
    language="string",
    channel="string",
)
MESSAGE_POSTED = declare("message.posted", "A message of the customer or of an agent.", **MESSAGE)
NOTE_ADDED = declare_internal("note.added", "An internal note of an agent.", **MESSAGE)
HUMAN_REQUESTED = declare("ticket.human_requested", "The customer asked for a person.")
HELD = declare("ticket.held", "An agent accepted and is with the customer now.", agent_name="string")
RELEASED = declare(
    "ticket.released", "The agent no longer has the ticket; it waits at its old place.", reason="string"
)
TRANSFERRED = declare_internal(
    "ticket.transferred",
    "The agent passed the ticket on, with a note: to a pool, or to a colleague who is asked first.",
    by="string",
    pool="string|null",
    agent_name="string|null",
)
ESCALATED = declare(
    "ticket.escalated",
    "The agent asked a team lead to look at the ticket, and keeps it.",
    agent_name="string",
)
ESCALATION_SETTLED = declare_internal(
    "ticket.escalation_settled", "A team lead has looked at it.", lead_name="string"
)
AGENT_LOST = declare(
    "ticket.agent_lost", "The agent's connection is lost; grace time runs.", grace_seconds="integer"
)
AGENT_BACK = declare("ticket.agent_back", "The agent is back within the grace time.")
RESOLVED = declare("ticket.resolved", "The agent resolved the ticket.")
REOPENED = declare("ticket.reopened", "The customer opened the ticket again.")
CLOSED = declare("ticket.closed", "The customer closed the ticket.")
RATED = declare("ticket.rated", "The customer rated the resolution.", score="integer", solved="boolean")
PLACED = declare(
    "ticket.placed",
    "Place in the queue and expected wait; null where no honest figure is known.",
    place="integer|null",
    expected_seconds="integer|null",
)
FLAGGED = declare("ticket.flagged", "Nobody who could take this ticket is online now.")
UNFLAGGED = declare("ticket.unflagged", "Somebody who could take this ticket is online again.")

# The way of the offers, for the timeline that staff see.
OFFERED = declare_internal("ticket.offered", "The ticket was offered to these agents.", agents="array")
OFFER_ENDED = declare_internal(
    "ticket.offer_ended",
    "An offer ended without work on the ticket.",
    offer="integer",
    agent="integer",
    state="string",
    reason="string",
)
