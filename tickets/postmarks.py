"""What a mail of ours bears so that the answer finds its ticket: the address it is answered to, and its Message-ID.

Both carry a mark: HMAC-SHA256 of the ticket's public id and link version under the server's key, cut to 130 bits, in letters
and digits of one case, since mail programs may change the case of addresses. It opens nothing: who has it may write into the
ticket from the customer's own address, and read nothing (docs/adr/0027-a-mail-finds-its-ticket-by-a-mark.md). Raising the
link's version withdraws it, with the private link; that the address is confirmed does not.
"""

import base64
import re
from collections.abc import Iterable
from email.utils import parseaddr

from django.conf import settings
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare, salted_hmac

from tickets.access import version_of_mails
from tickets.models import Ticket

LENGTH = 26  # characters of base32: 130 bits
SALT = "tickets.postmarks"
STOP_SALT = "tickets.postmarks.stop"
DOMAIN = "standby"  # of our Message-IDs
_IN_ADDRESS = re.compile(r"\+([a-z2-9]{12})\.([a-z2-7]{26})@")
_IN_MESSAGE_ID = re.compile(r"<ticket\.([a-z2-9]{12})\.([a-z2-7]{26})\.\d{1,9}@standby>")


def mark_of(ticket: Ticket, secret: str | bytes | None = None, salt: str = SALT) -> str:
    """The mark: 26 letters and digits."""
    digest = salted_hmac(
        salt, f"{ticket.public_id}:{version_of_mails(ticket)}", secret=secret, algorithm="sha256"
    ).digest()
    return base64.b32encode(digest).decode().lower()[:LENGTH]


def own_address() -> str:
    """The address that we write from, without a name: help@later.example."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def reply_address(ticket: Ticket) -> str:
    """help+<public id>.<mark>@later.example"""
    local, _, domain = own_address().rpartition("@")
    return f"{local}+{ticket.public_id}.{mark_of(ticket)}@{domain}"


def message_id(ticket: Ticket, number: int) -> str:
    """Of our mail `number` about the ticket; the first one has 0."""
    return f"<ticket.{ticket.public_id}.{mark_of(ticket)}.{number}@{DOMAIN}>"


def is_ours(message_id: str) -> bool:
    """Whether a Message-ID has the form of ours."""
    return message_id.strip().lower().endswith(f"@{DOMAIN}>")


def found_in(texts: Iterable[str]) -> set[tuple[str, str]]:
    """(public id, mark) of all that look like marks, in addresses and Message-IDs; true or not."""
    lower = [text.lower() for text in texts]
    return {
        (one[1], one[2])
        for text in lower
        for pattern in (_IN_ADDRESS, _IN_MESSAGE_ID)
        for one in pattern.finditer(text)
    }


def ticket_by_mark(texts: Iterable[str]) -> Ticket | None:
    """The ticket whose mark is in one of these; None without one, and for one that is forged, withdrawn or expired.

    One query, none without anything that looks like a mark.
    """
    found = found_in(texts)
    if not found:
        return None
    tickets = (
        Ticket.objects.select_related("customer", "topic")
        .filter(Ticket.REAL, public_id__in={one for one, _mark in found}, access_expires_at__gt=Now())
        .order_by("-id")
    )
    for ticket in tickets:
        if any(_true(ticket, mark, SALT) for public_id, mark in found if public_id == ticket.public_id):
            return ticket
    return None


def stop_mark_of(ticket: Ticket) -> str:
    """The mark of the link that stops mails about this ticket."""
    return mark_of(ticket, salt=STOP_SALT)


def ticket_to_stop(public_id: str, mark: str) -> Ticket | None:
    """The ticket whose mails this link stops. The link works as long as there is a ticket: mail is read late."""
    ticket = Ticket.objects.select_related("customer").filter(Ticket.REAL, public_id=public_id).first()
    return ticket if ticket is not None and _true(ticket, mark, STOP_SALT) else None


def _true(ticket: Ticket, mark: str, salt: str) -> bool:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    # All are compared, in constant time each, so that the answer's time tells nothing.
    return any([constant_time_compare(mark_of(ticket, secret, salt), mark) for secret in secrets])  # noqa: C419
