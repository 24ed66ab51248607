"""Reading a ticket's stream: frames after a number, and the snapshot."""

from collections.abc import Iterable, Sequence
from typing import Any

from tickets.events import MESSAGE_POSTED, NOTE_ADDED
from tickets.models import Attachment, Message, Ticket, TicketEvent

Frame = dict[str, Any]
REPLAY_LIMIT = 500  # events; who is further behind gets a snapshot
TALK = (MESSAGE_POSTED.name, NOTE_ADDED.name)


def frames_after(ticket_id: int, stream: str, after: int, *, staff: bool) -> list[Frame] | None:
    """Frames {"stream","seq","type","at","data"} with a number above `after`, in order; None when too many to replay.

    Customers see public events only, so their numbers may leave some out. One query, and two more if a message is new.
    """
    events = TicketEvent.objects.filter(ticket_id=ticket_id, seq__gt=after).order_by("seq")
    if not staff:
        events = events.filter(public=True)
    found = list(events[: REPLAY_LIMIT + 1])
    if len(found) > REPLAY_LIMIT:
        return None
    return _frames(ticket_id, stream, found)


def history(ticket_id: int, stream: str, types: Iterable[str]) -> list[Frame]:
    """Frames of all public events of these types, from the first on, for a page that is drawn anew. As frames_after."""
    events = TicketEvent.objects.filter(ticket_id=ticket_id, public=True, type__in=list(types)).order_by(
        "seq"
    )
    return _frames(ticket_id, stream, list(events))


def _frames(ticket_id: int, stream: str, found: Sequence[TicketEvent]) -> list[Frame]:
    talk = _messages(ticket_id, [event.seq for event in found if event.type in TALK])
    return [
        {
            "stream": stream,
            "seq": event.seq,
            "type": event.type,
            "at": event.created_at.isoformat(),
            "data": talk[event.seq] if event.type in TALK else event.data,
        }
        for event in found
    ]


def _messages(ticket_id: int, seqs: list[int]) -> dict[int, dict[str, Any]]:
    if not seqs:
        return {}
    messages = Message.objects.filter(ticket_id=ticket_id, seq__in=seqs).prefetch_related("attachments")
    return {message.seq: message_data(message) for message in messages}


def message_data(message: Message) -> dict[str, Any]:
    """`data` of message.posted and note.added."""
    return {
        "author": message.author,
        "author_name": message.author_name,
        "body": message.body,
        "attachments": [attachment_data(file) for file in message.attachments.all()],
    }


def attachment_data(file: Attachment) -> dict[str, Any]:
    return {"id": file.pk, "name": file.name, "content_type": file.content_type, "size": file.size}


def snapshot(ticket: Ticket, *, staff: bool) -> Frame:
    """The whole state that a page shows, at number `seq`. A page that applies all events to its state has the same."""
    # Only what the ticket's number covers: a message that came since the ticket was read comes as an event.
    found = ticket.messages.filter(seq__lte=ticket.last_seq).prefetch_related("attachments").order_by("seq")
    messages: Iterable[Message] = found if staff else found.filter(internal=False)
    return {
        "stream": ticket.stream,
        "seq": ticket.last_seq,
        "type": "snapshot",
        "data": {
            "number": ticket.number,
            "public_id": ticket.public_id,
            "state": ticket.state,
            "topic": ticket.topic.key if ticket.topic else None,
            "language": ticket.language,
            "created_at": ticket.created_at.isoformat(),
            "human_requested": ticket.human_requested_at is not None,
            "agent_name": ticket.served_by if ticket.state == "held" else None,
            "place": ticket.place,
            "expected_seconds": ticket.expected_seconds,
            "nobody_online": ticket.flagged_at is not None,
            "messages": [
                {"seq": message.seq, "at": message.created_at.isoformat(), "internal": message.internal}
                | message_data(message)
                for message in messages
            ],
        },
    }
