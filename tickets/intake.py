"""ticket_open: form, API and mail all enter here."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.db.models import Model
from django.db.models.functions import Now

from tickets import bell, events, language, timeline, topics, writing
from tickets.attachments import Inspected
from tickets.conversation import ANSWER_WITHIN, body_clean, files_store
from tickets.email_addresses import address_clean
from tickets.errors import BadAddress, KeyReused, UnknownTopic
from tickets.models import Author, Channel, Customer, Message, Ticket, TicketEvent, TicketState, Topic
from tickets.redis import is_well
from tickets.signals import tell_answer_wanted, tell_queue_changed, telling_queue_changes
from tickets.statements import blank, fetch, insert_linked
from tickets.triage import deciding

LINK_LIFETIME = timedelta(days=90)
LINK_ENDS = Now() + LINK_LIFETIME  # an expression: the database's clock
ANSWER_DUE = Now() + ANSWER_WITHIN
SUMMARY_LENGTH = 160


@dataclass(frozen=True)
class Opened:
    """`created` is false when the key had opened this ticket before."""

    ticket: Ticket
    created: bool


def key_of(door: str, key: str | None) -> str | None:
    """An Idempotency-Key as `ticket_open` gets it, of at most 100 characters: for this door alone.

    The answer to a known key has the ticket's private link, and keys of mails are no secret: who got a copy knows them.
    """
    return None if key is None else f"{door}:{hashlib.sha256(key.encode()).hexdigest()}"


def ticket_open(
    *,
    text: str,
    channel: Channel,
    name: str = "",
    email: str = "",
    topic_key: str = "",
    chosen_language: str = "",
    files: Sequence[Inspected] = (),
    key: str | None = None,
    unless: Callable[[], None] = lambda: None,
) -> Opened:
    """A customer asks; where its topic allows it, the assistant tries first, else it waits for a person. Ticket,
    first message and first events are one statement, or transaction; then the queue, or the assistant, is told.

    `key`: of one door (key_of), or of a mail. Text is redacted before it is stored; a language that was not chosen is detected
    from it, and so is a topic, where a trained model is sure (tickets/triage/). `unless` is called when all is ready to be
    written, and nothing is when it raises. Outermost.

    The run that is to find it a person is asked for before it is written, and waits for its commit (tickets/writing.py).
    Raises EmptyMessage, MessageTooLong, BadText, BadAddress, UnknownTopic, KeyReused. One query, and its begin and its commit;
    one more for a topic or a live model that is not kept, two for a key that was used; with files one more a file.
    """
    body = body_clean(text)
    name = body_clean(name, required=False)[:120]
    try:
        email = address_clean(email) if email else ""
    except ValidationError as error:
        raise BadAddress from error
    topic = topics.find(topic_key) if topic_key else None
    if topic_key and topic is None:
        raise UnknownTopic
    triaged = None if topic_key else deciding.decide(body)
    if triaged is not None:
        topic = triaged.topic
    digest = timeline.digest_of(
        "ticket_open", body, name, email, topic_key, chosen_language, [file.sha256 for file in files]
    )
    reader = chosen_language if chosen_language in dict(settings.LANGUAGES) else language.detect(body)
    assisted = topic is not None and topic.assisted
    ticket = blank(
        Ticket,
        customer=blank(Customer, name=name, email=email, language=reader),
        state=TicketState.ASSISTED if assisted else TicketState.WAITING,
        assist_due_at=ANSWER_DUE if assisted else None,
        topic=topic,
        summary=_summary(body),
        language=reader,
        channel=channel,
        priority=topic.priority if topic else 0,
        access_expires_at=LINK_ENDS,
        last_seq=2 if triaged is None else 3,
        intake_key=key,
        intake_digest=digest if key else "",
    )
    unless()
    ahead = not (assisted or files or connection.in_atomic_block) and settings.DATABASE_PREPARE and is_well()
    try:
        _store(ticket, body, files, triaged, ahead=ahead)
    except IntegrityError as error:
        # The unique key let the first one through, whether that is long ago or happens at the same moment.
        if key is None or "intake_key" not in str(error) or not (before := _opened_before(key, digest)):
            raise
        return before
    if assisted:
        tell_answer_wanted(ticket.pk)
    elif not ahead:
        tell_queue_changed(tickets=[ticket])
    bell.ring_any()  # who could listen to the ticket does not have its link yet
    return Opened(ticket, created=True)


def practice_open(
    *, text: str, name: str, topic: Topic | None, language: str, agent_name: str, actor_id: int
) -> Ticket:
    """The ticket of a scripted customer, which is with its agent from the first moment on. Inner. One query.

    Nobody is told: it is in no queue, has no address to write to, and its private link opens nothing.
    """
    ticket = Ticket(
        customer=Customer(name=name, language=language),
        topic=topic,
        summary=_summary(text),
        language=language,
        channel=Channel.PRACTICE,
        state=TicketState.HELD,
        held_at=Now(),
        served_by=agent_name,
        access_expires_at=Now(),
        last_seq=3,
    )
    opened = {
        "topic": topic.key if topic else None,
        "language": language,
        "channel": Channel.PRACTICE,
        "assisted": False,
    }
    insert_linked(
        [
            ticket.customer,
            ticket,
            TicketEvent(ticket=ticket, seq=1, type=events.OPENED.name, data=opened, public=True),
            TicketEvent(ticket=ticket, seq=2, type=events.MESSAGE_POSTED.name, public=True),
            Message(ticket=ticket, seq=2, author=Author.CUSTOMER, author_name=name, body=text),
            TicketEvent(
                ticket=ticket,
                seq=3,
                type=events.HELD.name,
                data={"agent_name": agent_name},
                public=True,
                actor_id=actor_id,
            ),
        ]
    )
    return ticket


def _store(
    ticket: Ticket,
    body: str,
    files: Sequence[Inspected],
    triaged: deciding.Triaged | None,
    *,
    ahead: bool,
) -> None:
    """`ahead`: the queue is told before anything is written, and only what can be one statement."""
    if ahead:
        with writing.told(Ticket) as number:
            ticket.pk = number.key
            with telling_queue_changes(ticket, number.writer):
                insert_linked(_rows(ticket, body, triaged), begin=True)
                writing.commit(number, Ticket)
        return
    rows = _rows(ticket, body, triaged)
    with timeline.command() if files else timeline.statement():
        insert_linked(rows)
        files_store(next(row for row in rows if isinstance(row, Message)), files)


def _rows(ticket: Ticket, body: str, triaged: deciding.Triaged | None) -> list[Model]:
    data = {
        "topic": ticket.topic.key if ticket.topic else None,
        "language": ticket.language,
        "channel": ticket.channel,
        "assisted": ticket.state == TicketState.ASSISTED,
    }
    customer = ticket.customer
    return [
        customer,
        ticket,
        blank(TicketEvent, ticket=ticket, seq=1, type=events.OPENED.name, data=data, public=True),
        blank(TicketEvent, ticket=ticket, seq=2, type=events.MESSAGE_POSTED.name, public=True),
        blank(Message, ticket=ticket, seq=2, author=Author.CUSTOMER, author_name=customer.name, body=body),
        *([] if triaged is None else [_told(ticket, triaged)]),
    ]


def _told(ticket: Ticket, triaged: deciding.Triaged) -> TicketEvent:
    """For staff: that the topic is a machine's, or that it was not sure enough."""
    data = {
        "topic": triaged.topic.key if triaged.topic else None,
        "guess": triaged.guess,
        "percent": triaged.percent,
        "model": triaged.version,
    }
    return TicketEvent(
        ticket=ticket, seq=3, type=events.TRIAGED.name, data=data, public=events.TRIAGED.public
    )


def _summary(body: str) -> str:
    line = " ".join(body.split())
    return line if len(line) <= SUMMARY_LENGTH else line[: SUMMARY_LENGTH - 1] + "…"


def _opened_before(key: str, digest: str) -> Opened | None:
    found = fetch(Ticket, "WHERE intake_key = %s", [key])
    if not found:
        return None
    ticket = found[0]
    if ticket.intake_digest != digest or ticket.access_version != 1:
        raise KeyReused  # a link that was withdrawn is not given out again either
    return Opened(ticket, created=False)
