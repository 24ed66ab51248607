"""Customers who come back: by the cookies of their browser, and by links that are mailed to the address they name (ADR 28).

An address is confirmed when somebody enters by a link that was mailed to it: only that link carries the proof, an HMAC over
ticket and address which no page ever shows. Rows of customers with the same confirmed address are one customer from then on,
and who had typed the address without having the mailbox has no key to the ticket any more.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from logging import getLogger

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Count, F, Q
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from tickets import events, timeline
from tickets.access import link_path, opens, ticket_by_token, version_of_mails
from tickets.email_addresses import is_address
from tickets.errors import TicketNotFound
from tickets.models import Author, Customer, LinkRequest, Ticket
from tickets.patience import REFUSED, is_due, next_try, untried_first

logger = getLogger(__name__)

LOOKED_AT = 10  # cookies of tickets, the newest
OF_LATE = timedelta(days=7)
MAILED_OF = timedelta(days=30)
MAILED_MOST = 20
GIVE_UP = timedelta(days=1)
MARK = "~"  # between the token of a link and the proof that it was mailed; in neither of them
SALT = "tickets.mailed"


@dataclass(frozen=True)
class Mine:
    """A ticket of whoever looks, and how many answers in it they have not seen."""

    ticket: Ticket
    unread: int


def tickets_of(tokens: Mapping[str, str]) -> list[Mine]:
    """Tickets that these tokens (public id → token) open: open ones, and those that ended in the last days, newest first.

    One query, none without tokens; the newest LOOKED_AT are looked at.
    """
    looked = dict(list(tokens.items())[-LOOKED_AT:])
    if not looked:
        return []
    unread = Q(
        messages__author=Author.AGENT, messages__internal=False, messages__seq__gt=F("read_by_customer")
    )
    recent = Q(resolved_at__gt=Now() - OF_LATE) | Q(closed_at__gt=Now() - OF_LATE)
    found = (
        Ticket.objects.filter(
            Ticket.REAL,
            Q(state__in=Ticket.OPEN) | recent,
            public_id__in=looked,
            access_expires_at__gt=Now(),
            erased_at__isnull=True,
        )
        .select_related("topic", "merged_into")
        .annotate(unread=Count("messages", filter=unread))
        .order_by("-created_at", "-id")  # a key may have lain in stock (writing.py)
    )
    return [Mine(ticket, ticket.unread) for ticket in found if opens(ticket, looked[ticket.public_id])]


# --- Links by mail ----------------------------------------------------------------------------------------------------


def mailed_path(ticket: Ticket) -> str:
    """Path of the private link as it is mailed to the customer's address. For mails to that address, and nothing else."""
    return f"{link_path(ticket)}{MARK}{proof_of(ticket)}" if ticket.customer.email else link_path(ticket)


def links_ask(*, email: str, language: str) -> None:
    """Somebody asks for the links of this address. One row, whether the address is known or not; the mail is a task's matter,
    so that the answer's time tells nothing."""
    LinkRequest.objects.create(email=email, language=language)


def links_due(limit: int = 200) -> list[int]:
    """Requests that nobody has dealt with yet, oldest first, and those that were refused after them. Those of yesterday are
    forgotten. Two queries."""
    LinkRequest.objects.filter(asked_at__lt=Now() - GIVE_UP).delete()
    return list(
        LinkRequest.objects.filter(is_due("next_at"), sent_at__isnull=True)
        .order_by(untried_first("next_at"), "id")
        .values_list("id", flat=True)[:limit]
    )


def links_send(*, request_id: int) -> bool:
    """Mail the links of the address's tickets, if there are any. False when there are none, another worker was first, or the
    server refused. The address is forgotten with it."""
    if not LinkRequest.objects.filter(pk=request_id, sent_at__isnull=True).update(sent_at=Now()):
        return False
    asked = LinkRequest.objects.get(pk=request_id)
    found = links_of(asked.email)
    if found and not _mail(asked, found):
        LinkRequest.objects.filter(pk=request_id).update(sent_at=None, next_at=next_try(asked.asked_at))
        return False
    LinkRequest.objects.filter(pk=request_id).update(email="")
    return bool(found)


def links_of(email: str) -> list[Ticket]:
    """Open tickets of this address and those of the last 30 days, newest first. None of what was ended as spam: its address may
    be anybody's. Nor those that go on in another one. One query."""
    return list(
        Ticket.objects.filter(
            Ticket.REAL,
            is_address("customer__email", email),
            Q(state__in=Ticket.OPEN) | Q(created_at__gt=Now() - MAILED_OF),
            access_expires_at__gt=Now(),
            erased_at__isnull=True,
            ended_as="",
        )
        .select_related("customer", "topic")
        .order_by("-created_at", "-id")[:MAILED_MOST]
    )


def _mail(asked: LinkRequest, found: list[Ticket]) -> bool:
    rows = [{"ticket": ticket, "link": settings.BASE_URL + mailed_path(ticket)} for ticket in found]
    with translation.override(asked.language):
        mail = EmailMessage(
            subject=_("Your tickets at %(brand)s") % {"brand": settings.BRAND},
            body=render_to_string("tickets/mail/links.txt", {"rows": rows, "brand": settings.BRAND}),
            # As the customer has given it, and not as somebody typed it now.
            to=[found[0].customer.email],
            headers={"Auto-Submitted": "auto-generated"},
        )
    try:
        mail.send()
    except REFUSED as error:
        logger.warning("a mail with links was refused (%s); it is tried again", type(error).__name__)
        return False
    return True


# --- Confirmed addresses ----------------------------------------------------------------------------------------------


def ticket_by_link(public_id: str, token: str, proof: str) -> Ticket:
    """The ticket that a link opens. One that was mailed goes on opening it when the address was confirmed by another device.

    Raises TicketNotFound.
    """
    try:
        return ticket_by_token(public_id, token)
    except TicketNotFound:
        mailed = Ticket.objects.select_related("customer").filter(
            Ticket.REAL, public_id=public_id, access_expires_at__gt=Now(), version_before__isnull=False
        )
        ticket = mailed.first() if proof else None
        if ticket is None or not proves(ticket, proof):
            raise
        return ticket


def confirm(*, ticket: Ticket, proof: str, keyed: bool = False) -> bool:
    """Who enters the ticket has the proof that its link was mailed: the address is its customer's. Outermost. Whether it is so.

    Other customers with the same confirmed address are joined to the oldest of them. Unless this browser had the ticket's key
    already (`keyed`), whoever typed the address may be somebody else, and is not to read on as its owner: the first time, all
    keys from before end. The caller gives out a new one. Safe twice.
    """
    if not proves(ticket, proof):
        return False
    with timeline.command():
        same = Customer.objects.filter(Q(pk=ticket.customer_id) | Q(confirmed_at__isnull=False))
        # By id, as whoever locks several does. Erasing locks the one of its ticket.
        rows = list(
            same.filter(is_address("email", ticket.customer.email))
            .select_for_update(no_key=True)
            .order_by("pk")
        )
        own = next((row for row in rows if row.pk == ticket.customer_id), None)
        if own is None:
            return False  # joined or erased meanwhile
        first, *others = [row.pk for row in rows]
        # Each row begins with one ticket, and gets others by this function only: theirs were confirmed by links of their own.
        if own.confirmed_at is None:
            Customer.objects.filter(pk=own.pk).update(confirmed_at=Now())
            if not keyed:
                timeline.advance(
                    Ticket.objects.filter(pk=ticket.pk, erased_at__isnull=True),
                    events.LINK_RENEWED,
                    version_before=F("access_version"),
                    access_version=F("access_version") + 1,
                )
        if others:
            Ticket.objects.filter(customer_id__in=others).update(customer_id=first)
            Customer.objects.filter(pk__in=others).update(name="", email="", confirmed_at=None)
    return True


def proves(ticket: Ticket, proof: str) -> bool:
    """Whether this proof was mailed to the address of the ticket's customer."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    # All are compared, in constant time each, so that the answer's time tells nothing.
    same = [constant_time_compare(proof_of(ticket, secret), proof) for secret in secrets]
    return bool(ticket.customer.email) and any(same)


def proof_of(ticket: Ticket, secret: str | None = None) -> str:
    """22 URL-safe characters (128 bits), bound to the ticket, the version of its link and the address."""
    value = f"{ticket.public_id}:{version_of_mails(ticket)}:{ticket.customer.email.lower()}"
    digest = salted_hmac(SALT, value, secret, algorithm="sha256").digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
