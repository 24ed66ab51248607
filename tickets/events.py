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
    "masked": "array",
}

OPENED = declare(
    "ticket.opened",
    "The customer opened the ticket.",
    topic="string|null",
    language="string",
    channel="string",
    assisted="boolean",
)
MESSAGE_POSTED = declare(
    "message.posted",
    "A message of the customer, of an agent or of the assistant (author “system”).",
    **MESSAGE,
)
NOTE_ADDED = declare_internal("note.added", "An internal note of an agent.", **MESSAGE)
TRIAGED = declare_internal(
    "ticket.triaged",
    "No topic was chosen, so a model read the text: what it took it for, how sure it was, and the topic if that was enough.",
    topic="string|null",
    guess="string",
    percent="integer",
    model="integer",
)
TOPIC_CHANGED = declare(
    "ticket.topic_changed",
    "The agent has put the topic right. Who has the ticket and what that pays stays as it is.",
    topic="string|null",
    before="string|null",
)
HUMAN_REQUESTED = declare("ticket.human_requested", "The customer asked for a person.")
HELD = declare("ticket.held", "An agent accepted and is with the customer now.", agent_name="string")
ANSWER_JUDGED = declare(
    "ticket.answer_judged", "The customer said whether the assistant's answer helped.", helped="boolean"
)
ANSWER_PHRASED = declare_internal(
    "ticket.answer_phrased",
    "The assistant has answered, in message `seq`, with a language model set: whether its words are shown "
    "beside the article, or why not.",
    seq="integer",
    phrasing="string",
    model="string",
)
HANDED_OVER = declare(
    "ticket.handed_over", "The assistant has passed the ticket on to a person; it waits from now on."
)
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
REVEALED = declare_internal(
    "ticket.revealed",
    "Somebody had personal data shown that is hidden from agents: which place, which kinds and why, never the data.",
    by="string",
    place="string",
    kinds="array",
    reason="string",
)
ESCALATION_SETTLED = declare_internal(
    "ticket.escalation_settled", "A team lead has looked at it.", lead_name="string"
)
SNOOZED = declare(
    "ticket.snoozed",
    "The agent has put the ticket aside until this moment, or until the customer writes.",
    agent_name="string",
    until="string",
)
WOKE = declare(
    "ticket.woke",
    "It is no longer put aside: the time has come, the customer wrote, or the agent took it up again.",
    reason="string",
)
LEFT_ASLEEP = declare(
    "ticket.left_asleep",
    "The agent has gone while the ticket was put aside; it wakes as it would have, for whoever can help then.",
    agent_name="string",
    until="string",
)
ENDED = declare("ticket.ended", "The agent ended the ticket as spam or abuse.", kind="string")
MERGED = declare(
    "ticket.merged",
    "The agent found the same matter in another ticket of this customer: it goes on there, and this one is closed.",
    ticket="string",
    number="string",
)
TOOK_IN = declare(
    "ticket.took_in",
    "Another ticket of this customer about the same matter was closed and goes on here.",
    ticket="string",
    number="string",
)
RESTORED = declare("ticket.restored", "A team lead took that back: the ticket waits again, before others.")
MISUSE_CONFIRMED = declare_internal(
    "ticket.misuse_confirmed", "A team lead has confirmed that it was.", lead_name="string"
)
AGENT_LOST = declare(
    "ticket.agent_lost", "The agent's connection is lost; grace time runs.", grace_seconds="integer"
)
AGENT_BACK = declare("ticket.agent_back", "The agent is back within the grace time.")
RESOLVED = declare("ticket.resolved", "The agent, or the assistant, resolved the ticket.")
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
ADDRESS_LEFT = declare("ticket.address_left", "The customer has left an e-mail address.")
LINK_RENEWED = declare(
    "ticket.link_renewed",
    "Somebody came by the link that was mailed to the ticket's address: keys from elsewhere open nothing any more.",
)
ERASED = declare("ticket.erased", "What was said was deleted; its private link opens nothing any more.")
CALLED_IN = declare(
    "ticket.called_in",
    "People who are offline, and could help, were told that they are needed.",
    people="integer",
)
ANSWER_PROMISED = declare(
    "ticket.answer_promised",
    "Nobody who could help is online: an answer by mail is promised until a time.",
    due_at="string",
)
ANSWER_KEPT = declare("ticket.answer_kept", "A person has answered, as promised or late.", in_time="boolean")

MAILED = declare_internal(
    "ticket.mailed",
    "The customer was away: what agents have written up to a number was mailed to them.",
    up_to="integer",
)
MAIL_FAILED = declare_internal(
    "ticket.mail_failed", "A mail to the customer could not be delivered.", reason="string"
)
MAILS_CHOSEN = declare_internal(
    "ticket.mails_chosen",
    "The customer has stopped mails about this ticket, or wants them again.",
    on="boolean",
)

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
