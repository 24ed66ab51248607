"""Messages, notes and files of a ticket."""

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate
from typing import Any

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from tickets import events, sleep, timeline
from tickets.attachments import MAX_BYTES_A_DAY, Inspected, TooMuchADay
from tickets.errors import BadText, EmptyMessage, MessageTooLong, TicketClosed
from tickets.files import write
from tickets.models import Attachment, Author, Message, Ticket, TicketEvent, TicketState
from tickets.redacting import redacted
from tickets.signals import tell_answer_wanted

MAX_LENGTH = 8000  # characters
# What an agent's message changes of the ticket, for who mails it (tickets/away.py): its number, and since when one is unread.
_UNREAD: dict[str, Any] = {
    "agent_seq": F("last_seq") + 1,
    "unread_since": Case(
        When(Q(agent_seq__lte=F("read_by_customer")) | Q(agent_seq__lte=F("mailed_seq")), then=Now()),
        default=F("unread_since"),
    ),
}
ANSWER_WITHIN = timedelta(seconds=10)  # of the assistant; then a person gets the ticket

ANSWER_OWED = Case(When(state=TicketState.ASSISTED, then=Now() + Value(ANSWER_WITHIN)), default=None)


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def body_clean(text: str, *, required: bool = True) -> str:
    """A message as it may be stored: line ends unified, card numbers and the like taken out.

    Raises EmptyMessage, MessageTooLong, BadText (NUL or a lone surrogate, which PostgreSQL cannot store).
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text and required:
        raise EmptyMessage
    if len(text) > MAX_LENGTH:
        raise MessageTooLong
    if _UNSTORABLE.search(text):
        raise BadText
    return redacted(text).text


def message_post(
    *,
    ticket_id: int,
    author: Author,
    body: str,
    author_name: str,
    author_user_id: int | None = None,
    files: Sequence[Inspected] = (),
    internal: bool = False,
    late: bool = False,
    key: str | None = None,
    digest: str = "",
) -> Message:
    """Write one message (or note) into an open ticket. An inner step: the caller holds `timeline.command()`.

    `body` is clean already (body_clean), `files` are inspected. `late`: also when the ticket has ended, for notes that are
    written then, and never when its data was deleted. A customer's word wakes a ticket that was put aside. Raises TicketClosed;
    TooMuchADay for a customer's files. Three queries and one a file; one more for a customer's files.
    """
    event = events.NOTE_ADDED if internal else events.MESSAGE_POSTED
    ticket = Ticket.objects.filter(pk=ticket_id)
    # Who writes while the assistant has the ticket is owed an answer by it.
    also: dict[str, Any] = {"assist_due_at": ANSWER_OWED} if author == Author.CUSTOMER else {}
    if author == Author.AGENT and not internal:
        also = _UNREAD
    rows = timeline.update_returning(
        ticket.filter(erased_at__isnull=True) if late else ticket.filter(state__in=Ticket.OPEN),
        ["id", "public_id", "last_seq", "wakes_at"],
        last_seq=F("last_seq") + 1,
        **also,
    )
    if not rows:
        raise TicketClosed
    if (
        files and author == Author.CUSTOMER
    ):  # the ticket's row is locked: two at once cannot both be the last that fits
        _day_check(ticket_id, files)
    numbered = timeline.store(
        [row[:3] for row in rows], event, actor_id=author_user_id, key=key, digest=digest
    )
    message = Message.objects.create(
        ticket_id=ticket_id,
        seq=numbered[ticket_id],
        author=author,
        author_user_id=author_user_id,
        author_name=author_name,
        body=body,
        internal=internal,
    )
    files_store(message, files)
    if author == Author.CUSTOMER and rows[0][3] is not None:
        sleep.wake(ticket, sleep.CUSTOMER)
    return message


def _day_check(ticket_id: int, files: Sequence[Inspected]) -> None:
    """Raises TooMuchADay when these files of the customer are more than a ticket may get within a day. One query."""
    since = timezone.now() - timedelta(days=1)
    sent = list(
        Attachment.objects.filter(
            message__ticket_id=ticket_id, message__author=Author.CUSTOMER, created_at__gt=since
        )
        .order_by("created_at")
        .values_list("created_at", "size")
    )
    above = sum(size for _at, size in sent) + sum(len(file.content) for file in files) - MAX_BYTES_A_DAY
    if above <= 0:
        return
    gone = accumulate(size for _at, size in sent)
    # When that one is a day old, there is room.
    last = next((at for (at, _size), freed in zip(sent, gone, strict=True) if freed >= above), timezone.now())
    raise TooMuchADay((last - since).total_seconds())


def files_store(message: Message, files: Sequence[Inspected]) -> None:
    """Keep the files of a message. The stored name is random: the customer's own name is only shown. One query a file."""
    for file in files:
        Attachment.objects.create(
            message=message,
            file=write(file.content),
            name=file.name,
            content_type=file.content_type,
            size=len(file.content),
            sha256=file.sha256,
        )


def customer_reply(
    *, ticket: Ticket, body: str, files: Sequence[Inspected] = (), key: str | None = None
) -> Message:
    """The customer writes into their ticket. Outermost.

    Raises EmptyMessage, MessageTooLong, BadText, TicketClosed, TooMuchADay, KeyReused. A repeated key answers with the first
    message.
    """
    body = body_clean(body, required=not files)
    digest = timeline.digest_of("customer_reply", body, [file.sha256 for file in files])

    def act() -> Message:
        with timeline.command():
            message = message_post(
                ticket_id=ticket.pk,
                author=Author.CUSTOMER,
                author_name=ticket.customer.name,
                body=body,
                files=files,
                key=key,
                digest=digest,
            )
            if ticket.state == TicketState.ASSISTED:  # it never comes to be so later
                tell_answer_wanted(ticket.pk)
            return message

    return timeline.once(ticket.pk, key, digest, act, message_of)


def message_of(event: TicketEvent) -> Message:
    """The message that an event tells of."""
    return Message.objects.get(ticket_id=event.ticket_id, seq=event.seq)
