"""Mail to customers. What is due stands in the database, so a mail survives a broker that was away."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from tickets import postmarks
from tickets.models import Channel, MailIn, Message, Outcome, Ticket
from tickets.patience import REFUSED, is_due, next_try, untried_first
from tickets.returning import mailed_path

logger = logging.getLogger(__name__)

GIVE_UP = timedelta(days=1)
MAIL_KEY = "mail:"  # begins the key of what mails have done
_PROMISED = 400_000_000
_LEFT_OUT = 500_000_000  # numbers of mails beside those of messages


def due_ticket_ids(limit: int = 200) -> list[int]:
    """Tickets of the last day whose private link is to be mailed and has not been, oldest first, and those that were
    refused after them. None of what was ended as spam: its address may be anybody's."""
    return list(
        Ticket.objects.filter(
            is_due("link_next_at"), link_mailed_at__isnull=True, created_at__gt=Now() - GIVE_UP, ended_as=""
        )
        .exclude(customer__email="")
        .order_by(untried_first("link_next_at"), "id")
        .values_list("id", flat=True)[:limit]
    )


def link_send(*, ticket_id: int) -> bool:
    """Send the customer number and private link, once. False when another worker was first, or the server refused.

    The mail is claimed before it is sent: a crash between the two loses one mail, which is better than sending it twice;
    the page itself has shown the link already.
    """
    claimed = Ticket.objects.filter(pk=ticket_id, link_mailed_at__isnull=True).update(link_mailed_at=Now())
    if not claimed:
        return False
    ticket = Ticket.objects.select_related("customer").get(pk=ticket_id)
    with translation.override(ticket.customer.language):
        mail = _mail(
            ticket,
            _("Your ticket %(number)s at %(brand)s") % {"number": ticket.number, "brand": settings.BRAND},
            "opened.txt",
        )
    if not _sent(mail, ticket):
        Ticket.objects.filter(pk=ticket_id).update(
            link_mailed_at=None, link_next_at=next_try(ticket.created_at)
        )
        return False
    return True


def answer_promised_send(ticket: Ticket, due_at: datetime) -> bool:
    """Mail the customer until when they get an answer. Who calls has claimed it. False when the server refused."""
    with translation.override(ticket.customer.language):
        mail = _mail(
            ticket,
            _("When you get an answer: ticket %(number)s") % {"number": ticket.number},
            "answer_promised.txt",
            {"due_at": due_at},
            number=_PROMISED,
        )
    return _sent(mail, ticket)


def answered_send(ticket: Ticket, messages: Sequence[Message], *, number: int) -> bool:
    """Mail the customer what agents have written. Who calls has claimed it. False when the server refused.

    `number`: of the last message. Tried again, the mail has the same Message-ID.
    """
    with translation.override(ticket.customer.language):
        mail = _mail(
            ticket,
            _("Answer to your ticket %(number)s") % {"number": ticket.number},
            "answered.txt",
            {"messages": messages},
            number=number,
        )
    return _sent(mail, ticket)


def left_out_due() -> list[int]:
    """Mails of customers that went into their tickets without all that was in them, which nobody has told them. One query."""
    due = MailIn.objects.filter(
        is_due("left_out_next_at"),
        outcome=Outcome.REPLIED,
        left_out_mailed_at__isnull=True,
        received_at__gt=Now() - GIVE_UP,
    ).exclude(left_out=[])
    return list(due.order_by(untried_first("left_out_next_at"), "id").values_list("pk", flat=True)[:200])


def left_out_send(*, mail_id: int) -> bool:
    """Tell the customer what was left out of their mail, once. False when another worker was first, or the server refused."""
    row = MailIn.objects.filter(pk=mail_id)
    if not row.filter(left_out_mailed_at__isnull=True).update(left_out_mailed_at=Now()):
        return False
    came = row.select_related("ticket__customer").get()
    assert came.ticket is not None
    with translation.override(came.ticket.customer.language):
        mail = _mail(
            came.ticket,
            _("Not all of your mail could be taken in: ticket %(number)s") % {"number": came.ticket.number},
            "left_out.txt",
            {"left_out": came.left_out},
            number=_LEFT_OUT + came.pk,
        )
    if not _sent(mail, came.ticket):
        row.update(left_out_mailed_at=None, left_out_next_at=next_try(came.received_at))
        return False
    return True


def _mail(
    ticket: Ticket, subject: str, template: str, context: Mapping[str, Any] | None = None, *, number: int = 0
) -> EmailMessage:
    """A mail in the language that is switched on. The first one of a ticket has number 0, and later ones answer it.

    So that mail programs put them together: what the customer has written last by mail is answered, and both are referred to.
    One query.
    """
    came = _came(ticket)
    before = [postmarks.message_id(ticket, 0)] if number else []
    if came and came[-1].message_id:
        before.append(came[-1].message_id)
    headers = {
        # Out-of-office programs are silent to the first; the second is Microsoft's word for the same.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Message-ID": postmarks.message_id(ticket, number),
    }
    if before:
        headers |= {"In-Reply-To": before[-1], "References": " ".join(before)}
    stop = settings.BASE_URL + reverse(
        "ticket_mails", args=[ticket.public_id, postmarks.stop_mark_of(ticket)]
    )
    if number:  # RFC 8058; what answers the customer's own first mail is no list
        headers |= {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    body = render_to_string(
        f"tickets/mail/{template}",
        {
            "ticket": ticket,
            "link": settings.BASE_URL + mailed_path(ticket),
            "stop": stop,
            "brand": settings.BRAND,
            "answerable": settings.MAIL_IN,
            "left_out": came[0].left_out if came and not number else [],
        }
        | dict(context or {}),
    )
    if came and came[0].subject and not number:
        subject = f"Re: {came[0].subject} [{ticket.number}]"
    return EmailMessage(
        subject=subject,
        body=body,
        to=[ticket.customer.email],
        reply_to=[postmarks.reply_address(ticket)] if settings.MAIL_IN else None,
        headers=headers,
    )


def _came(ticket: Ticket) -> list[MailIn]:
    """The mail that has opened the ticket, and the last one that went into it. The first may not know its ticket yet."""
    opened = (ticket.intake_key or "").removeprefix(MAIL_KEY) if ticket.channel == Channel.MAIL else ""
    rows = MailIn.objects.filter(Q(ticket=ticket) | Q(key=opened)).order_by("id")
    found = list(rows.only("key", "subject", "message_id", "left_out"))
    return [found[0], found[-1]] if found else []


def _sent(mail: EmailMessage, ticket: Ticket) -> bool:
    try:
        mail.send()
    except REFUSED as error:
        logger.warning(
            "mail for ticket %s was refused (%s); it is tried again", ticket.pk, type(error).__name__
        )
        return False
    return True
