"""The private link of a ticket: who has it may read and write the ticket, without an account.

The token is not stored, not even hashed: it is HMAC-SHA256 of the ticket's public id and link version under the server's
key (256 bits). A copy of the database opens nothing; mail can be written again at any time; raising the version revokes
all links at once (docs/adr/0005-private-links.md).
"""

import base64
from collections.abc import Sequence

from django.conf import settings
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare, salted_hmac

from tickets.errors import TicketNotFound
from tickets.models import Ticket

TOKEN_LENGTH = 43  # 32 bytes in base64 without padding
SALT = "tickets.access"


def version_of_mails(ticket: Ticket) -> int:
    """The version of the link that all mails of a ticket are bound to.

    Confirming an address raises the version once, to end the keys of whoever typed the address, and leaves what was mailed to
    it (tickets/returning.py). Whatever else raises the version ends both.
    """
    before = ticket.version_before
    return before if before is not None and before == ticket.access_version - 1 else ticket.access_version


def token_of(ticket: Ticket, secret: str | bytes | None = None) -> str:
    """The token in the ticket's private link: 43 URL-safe characters."""
    digest = salted_hmac(
        SALT, f"{ticket.public_id}:{ticket.access_version}", secret=secret, algorithm="sha256"
    ).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def ticket_by_token(
    public_id: str, token: str, related: Sequence[str] = ("customer", "topic", "merged_into")
) -> Ticket:
    """The ticket that this link opens.

    Raises TicketNotFound for a malformed, foreign, withdrawn or expired one, without a difference.
    """
    if len(token) != TOKEN_LENGTH or not public_id.isascii():
        raise TicketNotFound
    ticket = (
        Ticket.objects.select_related(*related)
        .filter(Ticket.REAL, public_id=public_id, access_expires_at__gt=Now())
        .first()
    )
    if ticket is None:
        raise TicketNotFound
    if not opens(ticket, token):
        raise TicketNotFound
    return ticket


def opens(ticket: Ticket, token: str) -> bool:
    """Whether this is the ticket's token; that the link has not expired is the caller's matter."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    # All are compared, in constant time each, so that the answer's time tells nothing.
    return any([constant_time_compare(token_of(ticket, secret), token) for secret in secrets])  # noqa: C419


def link_path(ticket: Ticket) -> str:
    """Path of the private link. The token is in the fragment, which browsers send to nobody and no log can hold."""
    return f"/t/{ticket.public_id}/#{token_of(ticket)}"
