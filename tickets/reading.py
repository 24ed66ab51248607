"""What the customer's page shows of a ticket: its status in words, the lines of its thread, the wait of late."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from tickets import calendars, events, stream
from tickets.hours import open_seconds
from tickets.models import AssistantAnswer, Author, Rating, Ticket, TicketEvent, TicketState

# What is shown as a line in the thread; the rest only changes the status.
LINES = (
    events.MESSAGE_POSTED,
    events.HUMAN_REQUESTED,
    events.ANSWER_JUDGED,
    events.HANDED_OVER,
    events.HELD,
    events.RELEASED,
    events.ESCALATED,
    events.SNOOZED,
    events.WOKE,
    events.LEFT_ASLEEP,
    events.ENDED,
    events.MERGED,
    events.TOOK_IN,
    events.RESTORED,
    events.RESOLVED,
    events.REOPENED,
    events.CLOSED,
    events.RATED,
    events.CALLED_IN,
    events.ANSWER_PROMISED,
)
_PRESENCE = (events.HELD, events.AGENT_LOST, events.AGENT_BACK)

RECENT = timedelta(minutes=30)  # a wait that is older says nothing about now
LOOKED_AT = 200  # tickets; a queue that is busier is known well enough by its newest
FEWEST = 3  # waits; fewer are chance


@dataclass(frozen=True)
class Status:
    """`kind`: assisted, waiting, nobody (waiting, and nobody who fits is online), held, lost (grace runs), asleep (put aside),
    resolved, closed, ended (as spam or abuse), merged (goes on as another one)."""

    kind: str
    agent: str = ""
    place: int | None = None
    expected_seconds: int | None = None
    until: datetime | None = None  # end of the grace time; when it wakes
    answer_due_at: datetime | None = None  # waiting: until when an answer is promised
    by_mail: bool = False  # whether that answer is mailed too
    kind_of_end: str = ""  # spam, abuse
    opens: datetime | None = None  # waiting outside of the hours: when they begin, in their time zone


def status_of(ticket: Ticket) -> Status:  # noqa: PLR0911  a table
    """No query, and one when the ticket is held."""
    if ticket.state == TicketState.WAITING:
        kind = "nobody" if ticket.flagged_at is not None else "waiting"
        opens = calendars.opens_at(calendars.hours_of(ticket.topic_id))
        expected = None if opens else ticket.expected_seconds
        return Status(
            kind,
            place=ticket.place,
            expected_seconds=expected,
            answer_due_at=ticket.answer_due_at,
            by_mail=ticket.mails_stopped_at is None,
            opens=opens,
        )
    if ticket.wakes_at is not None:
        agent = ticket.served_by if ticket.state == TicketState.HELD else ""
        return Status("asleep", agent=agent, until=ticket.wakes_at)
    if ticket.merged_into_id is not None:
        return Status("merged")
    if ticket.ended_as:
        return Status("ended", kind_of_end=ticket.ended_as)
    if ticket.state == TicketState.HELD:
        last = (
            TicketEvent.objects.filter(ticket=ticket, type__in=[event.name for event in _PRESENCE])
            .order_by("-seq")
            .first()
        )
        if last is not None and last.type == events.AGENT_LOST.name:
            until = last.created_at + timedelta(seconds=last.data["grace_seconds"])
            return Status("lost", agent=ticket.served_by, until=until)
        return Status("held", agent=ticket.served_by)
    return Status(ticket.state, agent=ticket.served_by)


def thread_of(ticket: Ticket) -> Iterator[stream.Frame]:
    """The frames that are lines of the thread, from the first on. Three queries."""
    return iter(stream.history(ticket.pk, ticket.stream, [event.name for event in LINES]))


def unread_from(ticket: Ticket, thread: Sequence[stream.Frame]) -> int | None:
    """Number of the first message of a person that the customer has not seen yet; None when they have seen all. No query.

    Who has written after it has seen it, also where no script could tell us.
    """
    messages = [frame for frame in thread if frame["type"] == events.MESSAGE_POSTED.name]
    own = (frame["seq"] for frame in messages if frame["data"]["author"] == Author.CUSTOMER)
    seen = max(ticket.read_by_customer, *own, 0)
    return next(
        (
            frame["seq"]
            for frame in messages
            if frame["seq"] > seen and frame["data"]["author"] == Author.AGENT
        ),
        None,
    )


def open_answer_of(ticket: Ticket) -> AssistantAnswer | None:
    """The assistant's answer on which the customer has said nothing yet. One query while it is with the assistant."""
    if ticket.state != TicketState.ASSISTED:
        return None
    return ticket.answers.filter(helped__isnull=True).first()


def rating_of(ticket: Ticket) -> Rating | None:
    """The customer's word on the last resolution, if they gave one. Two queries."""
    resolution = (
        ticket.events.filter(type=events.RESOLVED.name).order_by("-seq").values_list("seq", flat=True).first()
    )
    if resolution is None:
        return None
    return ticket.ratings.filter(resolution_seq=resolution).first()


def usual_wait() -> int | None:
    """Median seconds until a person came, of the last half hour; None when too few came to be honest about it.

    Reads the newest tickets by their primary key, so it costs the same however many there are. A wait over closed hours says
    nothing about one that begins now: it is left out. One query, and those of the calendars when they are not kept.
    """
    newest = (
        Ticket.objects.filter(Ticket.REAL)
        .order_by("-id")
        .values_list(Coalesce("handed_over_at", "created_at"), "first_held_at", "topic_id")
    )
    since = timezone.now() - RECENT
    waits = [
        (held - created).total_seconds()
        for created, held, topic_id in newest[:LOOKED_AT]
        if held is not None and held > since and wholly_open(topic_id, created, held)
    ]
    return round(median(waits)) if len(waits) >= FEWEST else None


def wholly_open(topic_id: int | None, begin: datetime, end: datetime) -> bool:
    """Whether no second between two moments is outside of the topic's hours."""
    hours = calendars.hours_of(topic_id)
    if hours is None:
        return True
    seconds = (end - begin).total_seconds()
    return open_seconds(hours, begin.timestamp(), end.timestamp()) >= seconds - 1e-3


def transcript_lines(ticket: Ticket) -> Iterator[tuple[datetime, str, str, list[str]]]:
    """(when, who, text, names of files) of each message, in order."""
    for frame in stream.history(ticket.pk, ticket.stream, [events.MESSAGE_POSTED.name]):
        data = frame["data"]
        at = parse_datetime(frame["at"])
        assert at is not None
        who = "" if data["author"] == Author.CUSTOMER else data["author_name"]
        yield at, who, data["body"], [file["name"] for file in data["attachments"]]
