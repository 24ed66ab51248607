"""A customer's data is deleted: at their wish, or because it has been kept for long enough.

The ticket stays as a row without words: its number, topic and times are what agents were paid for, and what the figures of the
days were counted from. Names, addresses, messages, notes, files and comments go, and its private link opens nothing any more.
What was merged into it goes with it. Other tickets of the same customer stay, with the name and address that are theirs too;
the erased one no longer points at them. Rooms above delete what they have of it in the same transaction (signals.erasing).
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from tickets import blocking, events, timeline
from tickets.email_addresses import is_address
from tickets.lifecycle import ENDED, NOT_IN_QUEUE
from tickets.models import (
    Attachment,
    Customer,
    LinkRequest,
    MailIn,
    Message,
    Rating,
    Ticket,
    TicketState,
    TriageLabel,
)
from tickets.patience import REFUSED
from tickets.signals import erasing, tell_queue_changed

logger = logging.getLogger(__name__)

GONE = "–"


@dataclass(frozen=True)
class Reach:
    """Numbers of tickets, oldest first: what is erased with one, and what of the same customer is left."""

    with_it: list[str]
    left: list[str]


def reach(ticket: Ticket) -> Reach:
    """How far erasing this ticket goes. One query."""
    return _reach(ticket.pk, ticket.customer_id)


def _reach(ticket_id: int, customer_id: int) -> Reach:
    theirs = Ticket.objects.filter(
        Q(customer_id=customer_id) | Q(merged_into=ticket_id), erased_at__isnull=True
    )
    others = list(theirs.exclude(pk=ticket_id).only("pk", "merged_into").order_by("pk"))
    return Reach(
        [one.number for one in others if one.merged_into_id == ticket_id],
        [one.number for one in others if one.merged_into_id != ticket_id],
    )


def ticket_erase(*, ticket: Ticket, by_customer: bool = True) -> Reach | None:
    """Delete the words of a ticket, and of those that were merged into it; one that is open is closed by it. Outermost.

    None when it was done before. Who asked for it is told by mail, if there is an address. Name and address go with the last
    ticket of the customer.
    """
    resolved = Q(state=TicketState.RESOLVED)
    with timeline.command():
        customer = _customer_lock(ticket)
        ids = _tickets_lock(ticket)
        if not ids:
            return None
        found = _reach(ticket.pk, customer.pk)
        # Kept by others, the row is no longer this one's.
        owner = Customer.objects.create(language=customer.language) if found.left else customer
        timeline.advance(
            Ticket.objects.filter(pk__in=ids),
            events.ERASED,
            erased_at=Now(),
            # One that was resolved stays so: the figures of its day were counted from that.
            state=Case(When(resolved, then=Value(TicketState.RESOLVED)), default=Value(TicketState.CLOSED)),
            closed_at=Case(When(resolved, then=None), default=Coalesce(F("closed_at"), Now())),
            held_at=None,
            wakes_at=None,
            assist_due_at=None,
            answer_due_at=None,
            summary=GONE,
            intake_key=None,
            intake_digest="",
            access_version=F("access_version") + 1,
            customer=owner,
            **NOT_IN_QUEUE,
        )
        for one in ids:
            _words_erase(one)
            erasing.send(sender=None, ticket_id=one)
        _mails_erase(MailIn.objects.filter(ticket__in=ids))
        if not found.left:
            Customer.objects.filter(pk=customer.pk).update(name="", email="", confirmed_at=None)
            if customer.email:
                blocking.address_forget(customer.email)
                LinkRequest.objects.filter(is_address("email", customer.email)).delete()
                # Mails of programs that write addresses in their own way, and those that came into no ticket.
                _mails_erase(MailIn.objects.filter(is_address("sender", customer.email)))
        if by_customer and customer.email:
            transaction.on_commit(lambda: _tell(customer, ticket.number, found), robust=True)
        tell_queue_changed(ids)
    return found


def _customer_lock(ticket: Ticket) -> Customer:
    """The ticket's customer. It may be joined to another one until the row is locked (tickets/returning.py), and not after."""
    while True:
        customer_id = Ticket.objects.values_list("customer_id", flat=True).get(pk=ticket.pk)
        customer = Customer.objects.select_for_update().get(pk=customer_id)
        if Ticket.objects.filter(pk=ticket.pk, customer_id=customer_id).exists():
            return customer


def _tickets_lock(ticket: Ticket) -> list[int]:
    """The ticket and those that were merged into it, locked by id; none if it was erased before. More may be merged until they
    are locked, and none after."""
    ids: list[int] = []
    while True:
        rows = Ticket.objects.filter(Q(pk=ticket.pk) | Q(merged_into=ticket), erased_at__isnull=True)
        now = sorted(rows.values_list("pk", flat=True))
        if now == ids or ticket.pk not in now:
            return ids if ticket.pk in now else []
        ids = list(
            Ticket.objects.select_for_update().filter(pk__in=now).order_by("pk").values_list("pk", flat=True)
        )


def _words_erase(ticket_id: int) -> None:
    messages = Message.objects.filter(ticket_id=ticket_id)
    files = Attachment.objects.filter(message__ticket_id=ticket_id)
    stored = [file.file for file in files]
    files.delete()
    TriageLabel.objects.filter(ticket_id=ticket_id).delete()  # nothing is left to learn from
    messages.update(body=GONE)
    messages.filter(author="customer").update(author_name="")
    Rating.objects.filter(ticket_id=ticket_id).exclude(comment="").update(comment=GONE)
    transaction.on_commit(lambda: _files_delete(stored), robust=True)


def _mails_erase(mails: QuerySet[MailIn]) -> None:
    """What is left of a mail is that it came, and what became of it."""
    mails.update(sender="", subject="", message_id="", raw=None, left_out=[])


def _files_delete(stored: Iterable[object]) -> None:
    """A file that is left over, because the disk or the process failed, is found by files.sweep()."""
    for file in stored:
        with suppress(OSError):
            file.delete(save=False)  # type: ignore[attr-defined]


def _tell(customer: Customer, number: str, found: Reach) -> None:
    with translation.override(customer.language):
        mail = EmailMessage(
            subject=_("Your data was deleted: ticket %(number)s") % {"number": number},
            body=render_to_string(
                "tickets/mail/erased.txt",
                {"number": number, "name": customer.name, "brand": settings.BRAND, "reach": found},
            ),
            to=[customer.email],
            headers={"Auto-Submitted": "auto-generated"},
        )
    try:
        mail.send()
    except REFUSED as error:
        # It cannot go again later: the address is not known any more.
        logger.warning("mail about deleted data was refused (%s)", type(error).__name__)


def kept_long_enough(limit: int = 100) -> list[Ticket]:
    """Ended tickets whose data is to be deleted by the retention that was set (RETENTION_DAYS), oldest first. One query."""
    if not settings.RETENTION_DAYS:
        return []
    before = Now() - timedelta(days=settings.RETENTION_DAYS)
    old = Ticket.objects.filter(state__in=ENDED, erased_at__isnull=True, created_at__lt=before)
    ended = old.annotate(ended_at=Coalesce("closed_at", "resolved_at")).filter(ended_at__lt=before)
    return list(ended.order_by("id")[:limit])
