"""ticket_open: form, API and mail all enter here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError
from django.db.models.functions import Now

from tickets import bell, events, language, timeline
from tickets.attachments import Inspected
from tickets.conversation import body_clean, files_store
from tickets.errors import KeyReused, UnknownTopic
from tickets.models import Author, Channel, Customer, Message, Ticket, TicketEvent, Topic
from tickets.signals import tell_queue_changed
from tickets.statements import fetch, insert

LINK_LIFETIME = timedelta(days=90)
SUMMARY_LENGTH = 160


@dataclass(frozen=True)
class Opened:
    """`created` is false when the key had opened this ticket before."""

    ticket: Ticket
    created: bool


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
) -> Opened:
    """A customer asks. Ticket, first message and first events are one transaction; then the queue is told.

    Text is redacted before it is stored; a language that was not chosen is detected from it. Outermost.
    Raises EmptyMessage, MessageTooLong, BadText, UnknownTopic, KeyReused. Five queries, one more with a topic or a key,
    one more a file.
    """
    body = body_clean(text)
    name = body_clean(name, required=False)[:120]
    topic = _topic(topic_key)
    digest = timeline.digest_of(
        "ticket_open", body, name, email, topic_key, chosen_language, [file.sha256 for file in files]
    )
    if key is not None and (before := _opened_before(key, digest)):
        return before
    reader = chosen_language if chosen_language in dict(settings.LANGUAGES) else language.detect(body)
    try:
        with timeline.command():
            ticket = _insert(
                Ticket(
                    customer=_customer(name, email, reader),
                    topic=topic,
                    summary=_summary(body),
                    language=reader,
                    channel=channel,
                    priority=topic.priority if topic else 0,
                    access_expires_at=Now() + LINK_LIFETIME,  # an expression: the database's clock
                    last_seq=2,
                    intake_key=key,
                    intake_digest=digest if key else "",
                ),
                body,
                files,
            )
    except IntegrityError as error:
        # Two posts of one form at once: the unique key let the other one through.
        if key is None or "intake_key" not in str(error) or not (before := _opened_before(key, digest)):
            raise
        return before
    return Opened(ticket, created=True)


def _customer(name: str, email: str, reader: str) -> Customer:
    customer = Customer(name=name, email=email, language=reader)
    insert([customer])
    return customer


def _insert(ticket: Ticket, body: str, files: Sequence[Inspected]) -> Ticket:
    insert([ticket])
    insert(
        [
            TicketEvent(
                ticket=ticket,
                seq=1,
                type=events.OPENED.name,
                data={
                    "topic": ticket.topic.key if ticket.topic else None,
                    "language": ticket.language,
                    "channel": ticket.channel,
                },
                public=True,
            ),
            TicketEvent(ticket=ticket, seq=2, type=events.MESSAGE_POSTED.name, public=True),
        ]
    )
    message = Message(
        ticket=ticket, seq=2, author=Author.CUSTOMER, author_name=ticket.customer.name, body=body
    )
    insert([message])
    files_store(message, files)
    bell.ring(ticket.stream, 2)
    tell_queue_changed([ticket.pk])
    return ticket


def _topic(key: str) -> Topic | None:
    if not key:
        return None
    found = fetch(Topic, "WHERE key = %s AND active", [key])
    if not found:
        raise UnknownTopic
    return found[0]


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
