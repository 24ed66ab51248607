"""A customer's e-mail address, left later than with the question, and whether they want mails."""

from django.core.exceptions import ValidationError
from django.db.models.functions import Now

from tickets import events, timeline
from tickets.email_addresses import address_clean
from tickets.errors import AddressKnown, BadAddress, TicketClosed
from tickets.lifecycle import once, step
from tickets.models import Customer, Ticket


def address_read(email: str) -> str:
    """What a customer has given, as it is stored. Raises BadAddress."""
    try:
        return address_clean(email)
    except ValidationError as error:
        raise BadAddress from error


def ticket_address(*, ticket: Ticket, email: str, key: str | None = None) -> None:
    """The customer leaves an address, for the link and for answers while they are away; one that is there stays.

    The doors ask limits and the block list before, as for a ticket that is opened with it: the link is mailed there.
    Raises BadAddress, AddressKnown, TicketClosed, KeyReused.
    """
    email = address_read(email)
    digest = timeline.digest_of("ticket_address", email)

    def act() -> None:
        with timeline.command():
            step(
                Ticket.objects.filter(pk=ticket.pk, state__in=Ticket.OPEN),
                events.ADDRESS_LEFT,
                TicketClosed,
                key=key,
                digest=digest,
            )
            if not Customer.objects.filter(pk=ticket.customer_id, email="").update(email=email):
                raise AddressKnown

    once(ticket, key, digest, act)


def ticket_mails_choose(*, ticket: Ticket, on: bool) -> bool:
    """The customer stops mails about this ticket, or wants them again; also when it has ended. False when it was so already."""
    with timeline.command():
        done = timeline.advance(
            Ticket.objects.filter(pk=ticket.pk, mails_stopped_at__isnull=not on),
            events.MAILS_CHOSEN,
            {"on": on},
            mails_stopped_at=None if on else Now(),
        )
    return bool(done)
