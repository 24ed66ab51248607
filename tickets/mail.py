"""Mail to customers. What is due stands in the database, so a mail survives a broker that was away."""

import logging
import smtplib
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from tickets.access import link_path
from tickets.models import Ticket

logger = logging.getLogger(__name__)

GIVE_UP = timedelta(days=1)


def due_ticket_ids(limit: int = 200) -> list[int]:
    """Tickets of the last day whose private link is to be mailed and has not been, oldest first."""
    return list(
        Ticket.objects.filter(link_mailed_at__isnull=True, created_at__gt=Now() - GIVE_UP)
        .exclude(customer__email="")
        .order_by("id")
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
        mail = EmailMessage(
            subject=_("Your ticket %(number)s at %(brand)s")
            % {"number": ticket.number, "brand": settings.BRAND},
            body=render_to_string(
                "tickets/mail/opened.txt",
                {"ticket": ticket, "link": settings.BASE_URL + link_path(ticket), "brand": settings.BRAND},
            ),
            to=[ticket.customer.email],
            headers={
                "Auto-Submitted": "auto-generated",
                "Message-ID": f"<ticket-{ticket.public_id}@standby>",
            },
        )
    try:
        mail.send()
    except (smtplib.SMTPException, OSError) as error:
        logger.warning(
            "mail for ticket %s was refused (%s); it is tried again", ticket_id, type(error).__name__
        )
        Ticket.objects.filter(pk=ticket_id).update(link_mailed_at=None)
        return False
    return True
