"""A mail is taken in: it opens a ticket, goes into its ticket, or is told to nobody. Once, however often it comes.

What a mail may do is decided by its marks (tickets/postmarks.py), never by its From alone: into a ticket goes only what bears
the ticket's mark and comes from the ticket's own address. Everything else that a person has written opens a ticket of its own.
"""

import logging
import re
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from tickets import away, blocking, language, postmarks
from tickets.attachments import (
    MAX_FILES,
    FileNotScanned,
    FileRefused,
    Inspected,
    TooManyFiles,
    TooMuchADay,
    inspect,
)
from tickets.conversation import MAX_LENGTH, body_clean, customer_reply
from tickets.email_addresses import address_clean
from tickets.errors import Blocked, KeyReused, Refusal, TicketClosed, TicketNotFound
from tickets.inbox import parsing
from tickets.intake import ticket_open
from tickets.lifecycle import ticket_reopen
from tickets.mail import MAIL_KEY
from tickets.models import MISUSES, Channel, MailIn, Outcome, Ticket
from tickets.redacting import redacted

logger = logging.getLogger(__name__)

A_WHILE = timedelta(hours=1)
KEPT = timedelta(days=30)  # what is held, and nobody lets in
_LINK = re.compile(r"(/t/[a-z2-9]{12}/?)#[\w-]{43}")


@dataclass(frozen=True)
class Taken:
    """What became of a mail. `first` is false when it had been taken in before."""

    outcome: Outcome
    ticket: Ticket | None
    first: bool


def mail_take(raw: bytes) -> Taken:
    """Take in a mail as it came off the wire. Outermost; safe to call again, and at the same time, with the same mail.

    Raises nothing that the mail is to blame for. What fails for another reason (FileNotScanned too) is tried again by who has
    the mail.
    """
    mail = parsing.read(raw)
    row, limited = _claim(mail)
    if row.outcome != Outcome.TAKING:
        return Taken(Outcome(row.outcome), row.ticket, first=False)
    if mail.bounce:
        return _bounced(row, mail)
    if why := _of_a_program(mail):
        return _done(row, Outcome.IGNORED, reason=why)
    if limited:
        logger.warning("mail %s is held: its sender has sent too many", row.pk)
        return _done(row, Outcome.HELD, raw=raw)
    return _let_in(row, mail)


def mail_let_in(*, mail_id: int) -> Taken:
    """A person lets in a mail that was held. Outermost. Raises MailIn.DoesNotExist when it is held no longer."""
    row = MailIn.objects.get(pk=mail_id, outcome=Outcome.HELD, settled_at__isnull=True, raw__isnull=False)
    assert row.raw is not None
    taken = _let_in(row, parsing.read(bytes(row.raw)))
    MailIn.objects.filter(pk=mail_id).update(settled_at=Now(), raw=None)
    return taken


def mail_drop(*, mail_id: int) -> bool:
    """A person has seen what was held or has failed, and wants no more of it."""
    rows = MailIn.objects.filter(
        pk=mail_id, outcome__in=(Outcome.HELD, Outcome.FAILED), settled_at__isnull=True
    )
    return bool(rows.update(settled_at=Now(), raw=None))


def mail_failed(raw: bytes, reason: str) -> None:
    """An error of ours: told to leads. Who has the mail keeps it. Trying it again is possible at any time."""
    row, _limited = _claim(parsing.read(raw))
    MailIn.objects.filter(pk=row.pk, outcome=Outcome.TAKING).update(
        outcome=Outcome.FAILED, reason=reason[:80]
    )


def tidy() -> int:
    """Forget what was held for long. Returns how many."""
    old = MailIn.objects.filter(outcome=Outcome.HELD, settled_at__isnull=True, received_at__lt=Now() - KEPT)
    return old.update(settled_at=Now(), raw=None)


# --- Steps ------------------------------------------------------------------------------------------------------------


def _claim(mail: parsing.Mail) -> tuple[MailIn, bool]:
    """(the mail's row, whether its sender has sent too many before it). Senders count one after the other, so that a limit of N
    lets just N through; a mail that failed is tried anew.
    """
    ours = _redacted(mail.subject)[:200]
    since = Now() - A_WHILE
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"mail:{mail.sender}"])
        row, made = MailIn.objects.get_or_create(
            key=mail.key,
            defaults={"sender": mail.sender[:254], "subject": ours, "message_id": mail.message_id},
        )
        if not made:
            MailIn.objects.filter(pk=row.pk, outcome=Outcome.FAILED).update(
                outcome=Outcome.TAKING, reason="", settled_at=None
            )
            row = MailIn.objects.select_related("ticket").get(pk=row.pk)
        before = MailIn.objects.filter(sender=row.sender, received_at__gt=since, pk__lt=row.pk)
        return row, before.count() >= settings.MAIL_IN_PER_HOUR


def _of_a_program(mail: parsing.Mail) -> str:
    """Why nothing is done with it; empty for what a person may have written."""
    if mail.automatic:
        return mail.automatic
    if postmarks.is_ours(mail.message_id) or mail.sender == postmarks.own_address().lower():
        return "our own"
    if postmarks.found_in([mail.sender]):
        return "our own"
    try:
        address_clean(mail.sender)
    except ValidationError:
        return "no sender"
    return "" if mail.text or mail.subject or mail.files else "empty"


def _bounced(row: MailIn, mail: parsing.Mail) -> Taken:
    """A forged report does nothing: only who has got a mail of ours knows its Message-ID."""
    ticket = postmarks.ticket_by_mark(mail.bounced)
    if ticket is None:
        return _done(row, Outcome.IGNORED, reason="report")
    away.bounced(ticket=ticket, reason=mail.bounce, key=_key(row))
    return _done(row, Outcome.BOUNCED, ticket=ticket, reason=mail.bounce[:80])


def _let_in(row: MailIn, mail: parsing.Mail) -> Taken:
    ticket = _ticket_of(mail)
    if ticket is not None and ticket.merged_into_id is not None:  # of the same customer: it goes on there
        ticket = Ticket.objects.select_related("customer", "topic").get(pk=ticket.merged_into_id)
    if ticket is not None and ticket.ended_as in MISUSES:  # a mail does not open that again
        return _done(row, Outcome.IGNORED, ticket=ticket, reason=ticket.ended_as)
    reader = ticket.customer.language if ticket else language.detect(f"{mail.subject}\n{mail.text}")
    with translation.override(reader):
        files, left_out = _files(mail)
        if mail.shortened:
            left_out.append([_("Text"), _("longer than 8,000 characters; the rest was left out")])
        # Before anything is done with it: the answer to the mail may go out at once.
        MailIn.objects.filter(pk=row.pk).update(left_out=left_out)
        if ticket is not None:
            try:
                try:
                    _reply(row, ticket, mail, files)
                except TooMuchADay as refusal:  # the words are taken all the same
                    left_out += [[file.name, str(refusal.detail)] for file in files]
                    MailIn.objects.filter(pk=row.pk).update(left_out=left_out)
                    _reply(row, ticket, mail, [])
            except TicketNotFound:
                pass  # erased meanwhile, which withdraws its mark: as if the mail had come after it
            else:
                return _done(row, Outcome.REPLIED, ticket=ticket)
        try:
            blocking.check(email=mail.sender, address="")
        except Blocked:  # nobody is told by mail: whose address it really is, is not known
            return _done(row, Outcome.IGNORED, reason="blocked")
        return _done(row, Outcome.OPENED, ticket=_open(row, mail, files, reader))


def _ticket_of(mail: parsing.Mail) -> Ticket | None:
    """The ticket whose mark the mail bears, if it comes from the ticket's own address. One query, none without a mark."""
    ticket = postmarks.ticket_by_mark((*mail.recipients, *mail.answers))
    if ticket is None or ticket.customer.email.lower() != mail.sender:
        return None
    return ticket


def _reply(row: MailIn, ticket: Ticket, mail: parsing.Mail, files: list[Inspected]) -> None:
    """Into its ticket, which is opened again if it has ended."""
    body = _fitting(mail.text)
    if not body and not files:
        body = _fitting(mail.subject) or _("(without text)")
    try:
        try:
            customer_reply(ticket=ticket, body=body, files=files, key=_key(row))
        except TicketClosed:
            ticket_reopen(ticket=ticket, body=body, files=files, key=_key(row))
    except KeyReused:
        logger.info("mail %s was in its ticket already", row.pk)


def _open(row: MailIn, mail: parsing.Mail, files: list[Inspected], reader: str) -> Ticket:
    """A ticket of its own. The subject is its first line: many write it there and nowhere else."""
    text = "\n\n".join(one for one in (mail.subject, mail.text) if one) or _("(without text)")
    try:
        return ticket_open(
            text=_fitting(text),
            channel=Channel.MAIL,
            name=_redacted(mail.name),
            email=mail.sender,
            chosen_language=reader,
            files=files,
            key=_key(row),
        ).ticket
    except KeyReused:
        return Ticket.objects.get(intake_key=_key(row))


def _fitting(text: str) -> str:
    """As long as a message may be, and without the keys to a ticket that quoted mails of ours hold."""
    text = _LINK.sub(r"\1#…", text)
    text = re.sub(r"\+[a-z2-9]{12}\.[a-z2-7]{26}@", "+…@", text)
    return text[:MAX_LENGTH].rstrip()


def _redacted(text: str) -> str:
    try:
        return body_clean(text, required=False)
    except Refusal:
        return redacted(text[:MAX_LENGTH]).text.replace("\x00", "")


def _files(mail: parsing.Mail) -> tuple[list[Inspected], list[list[str]]]:
    """(files that are let in, [name, why] of the others). Raises FileNotScanned."""
    good: list[Inspected] = []
    bad: list[list[str]] = []
    for file in mail.files:
        try:
            if len(good) >= MAX_FILES:
                raise TooManyFiles
            good.append(inspect(file.name, file.content, _claimed(file)))
        except FileNotScanned:
            raise  # nothing is wrong with the mail: it stays where it is, and is told of
        except FileRefused as refusal:
            bad.append([_redacted(file.name)[:100] or "?", str(refusal.detail)])
    return good, bad


def _claimed(file: parsing.File) -> str | None:
    """What mail programs call a file is often too general to be believed or doubted."""
    return None if file.content_type.startswith("application/") else file.content_type


def _key(row: MailIn) -> str:
    return MAIL_KEY + row.key


def _done(
    row: MailIn,
    outcome: Outcome,
    *,
    ticket: Ticket | None = None,
    reason: str = "",
    raw: bytes | None = None,
) -> Taken:
    """Write down what became of it. Another worker may have done so in the meantime, and the same."""
    MailIn.objects.filter(pk=row.pk).update(
        outcome=outcome, ticket=ticket, reason=reason, raw=raw[: parsing.MAX_RAW] if raw else None
    )
    return Taken(outcome, ticket, first=True)
