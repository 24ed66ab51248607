"""Reading a ticket's stream: frames after a number, and the snapshot."""

from collections.abc import Iterable, Sequence
from typing import Any

from tickets import masking
from tickets.events import MESSAGE_POSTED, NOTE_ADDED
from tickets.models import Attachment, Author, Message, Ticket, TicketEvent

Frame = dict[str, Any]
REPLAY_LIMIT = 500  # events; who is further behind gets a snapshot
TALK = (MESSAGE_POSTED.name, NOTE_ADDED.name)


def frames_after(
    ticket_id: int, stream: str, after: int, *, staff: bool, reader_id: int | None = None
) -> list[Frame] | None:
    """Frames {"stream","seq","type","at","data"} with a number above `after`, in order; None when too many to replay.

    Customers see public events only, so their numbers may leave some out. For staff what is personal in the texts is hidden
    (tickets/masking.py), but not from the account `reader_id` what it wrote itself. One query, two more if a message is new.
    """
    events = TicketEvent.objects.filter(ticket_id=ticket_id, seq__gt=after).order_by("seq")
    if not staff:
        events = events.filter(public=True)
    found = list(events[: REPLAY_LIMIT + 1])
    if len(found) > REPLAY_LIMIT:
        return None
    return _frames(ticket_id, stream, found, staff=staff, reader_id=reader_id)


def history(ticket_id: int, stream: str, types: Iterable[str]) -> list[Frame]:
    """Frames of all public events of these types, from the first on, for a page that is drawn anew. As frames_after."""
    events = TicketEvent.objects.filter(ticket_id=ticket_id, public=True, type__in=list(types)).order_by(
        "seq"
    )
    return _frames(ticket_id, stream, list(events), staff=False)


def _frames(
    ticket_id: int, stream: str, found: Sequence[TicketEvent], *, staff: bool, reader_id: int | None = None
) -> list[Frame]:
    talk = _messages(ticket_id, [event.seq for event in found if event.type in TALK])
    return [
        {
            "stream": stream,
            "seq": event.seq,
            "type": event.type,
            # A message's own time, which snapshots tell too; its event was written a moment before it.
            "at": (talk[event.seq].created_at if event.type in TALK else event.created_at).isoformat(),
            "data": _said(talk[event.seq], staff, reader_id) if event.type in TALK else event.data,
        }
        for event in found
    ]


def _messages(ticket_id: int, seqs: list[int]) -> dict[int, Message]:
    if not seqs:
        return {}
    messages = Message.objects.filter(ticket_id=ticket_id, seq__in=seqs).select_related("ticket__customer")
    messages = messages.prefetch_related("attachments")
    return {message.seq: message for message in messages}


def _said(message: Message, staff: bool, reader_id: int | None) -> dict[str, Any]:
    return message_data_masked(message, reader_id) if staff else message_data(message)


def message_data(message: Message) -> dict[str, Any]:
    """`data` of message.posted, for the customer: all of it."""
    return {
        "author": message.author,
        "author_name": message.author_name,
        "body": message.body,
        "attachments": [attachment_data(file) for file in message.attachments.all()],
        "masked": [],
    }


def message_data_masked(message: Message, reader_id: int | None = None) -> dict[str, Any]:
    """`data` of message.posted and note.added for agents and team leads; `masked` says which kinds are hidden in it.

    What the account `reader_id` wrote is shown to it as it wrote it, but for the customer's name, which {customer} put in.
    No query when ticket, customer and attachments are read.
    """
    names = masking.surnames(message.ticket.customer.name)
    own = reader_id is not None and message.author_user_id == reader_id
    body = masking.mask_names(message.body, names) if own else masking.mask(message.body, names)
    data = message_data(message) | {"body": body.text}
    if message.author != Author.CUSTOMER:
        return data | {"masked": [] if own else list(body.kinds)}
    files = data["attachments"]
    for file in files:
        file["name"] = masking.mask_file(file["name"]).text
    data["author_name"] = masking.mask_name(message.author_name).text
    return data | {"masked": masking.kinds_of(body.kinds, ("file",) if files else ())}


def attachment_data(file: Attachment) -> dict[str, Any]:
    return {"id": file.pk, "name": file.name, "content_type": file.content_type, "size": file.size}


def snapshot(ticket: Ticket, *, staff: bool, reader_id: int | None = None) -> Frame:
    """The whole state that a page shows, at number `seq`. A page that applies all events to its state has the same.

    `staff`, `reader_id`: as for frames_after.
    """
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
            "wakes_at": ticket.wakes_at.isoformat() if ticket.wakes_at else None,
            "ended_as": ticket.ended_as or None,
            "nobody_online": ticket.flagged_at is not None,
            "answer_due_at": ticket.answer_due_at.isoformat() if ticket.answer_due_at else None,
            "messages": [
                {"seq": message.seq, "at": message.created_at.isoformat(), "internal": message.internal}
                | _said(message, staff, reader_id)
                for message in messages
            ],
        },
    }
