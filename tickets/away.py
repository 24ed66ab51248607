"""What an agent writes to a customer who is away is mailed to them: bundled, seldom, and only what they have not read.

Away is who has no page of the ticket open and has left something unread for MAIL_AWAY_SECONDS; a page that is open and not
looked at for FORGOTTEN counts as closed. What is due stands in the database: a row of AwayMail is made first (`mail_make`), and
then tried until the server takes it or a day is over (`mail_send`). A worker that dies in between sends a second time, under
the same Message-ID: of the two, an answer that never comes is worse.
"""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from tickets import events, mail, signs, timeline
from tickets.models import Author, AwayMail, Message, Ticket
from tickets.patience import each

logger = logging.getLogger(__name__)

FORGOTTEN = timedelta(minutes=30)  # a page in the background reads nothing
GIVE_UP = timedelta(days=1)
PATIENCE = (1, 2, 5, 15, 30, 60)  # minutes to the next try; the last one again and again
MOST = 200  # at one look


def look() -> None:
    """Make what is due, and try what is due. Safe to run twice or late. Two queries while there is nothing to do."""
    each("mail of ticket", tickets_due(), lambda one: mail_make(ticket_id=one))
    each("mail", mails_due(), lambda one: mail_send(mail_id=one))


def _unread() -> QuerySet[Ticket]:
    """Tickets with words of agents that were neither read nor mailed, and may be mailed by now, whoever is here."""
    lately = AwayMail.objects.filter(
        ticket=OuterRef("pk"), made_at__gt=Now() - timedelta(seconds=settings.MAIL_BUNDLE_SECONDS)
    )
    return Ticket.objects.filter(
        Q(agent_seq__gt=F("mailed_seq")),
        Ticket.REAL,
        ~Exists(lately),
        agent_seq__gt=F("read_by_customer"),
        mails_stopped_at__isnull=True,
        unread_since__lte=Now() - timedelta(seconds=settings.MAIL_AWAY_SECONDS),
        unread_since__gt=Now() - GIVE_UP,
    )


def tickets_due() -> list[int]:
    """Tickets whose customers are away and have something to be told, the longest unread first. One query, and one of Redis."""
    found = list(
        _unread()
        .exclude(customer__email="")
        .order_by("unread_since")
        .values_list("pk", "public_id", "unread_since")[:MOST]
    )
    open_pages = signs.who_is_here([public_id for _pk, public_id, _since in found])
    forgotten = timezone.now() - FORGOTTEN
    return [pk for pk, public_id, since in found if public_id not in open_pages or _before(since, forgotten)]


def _before(since: datetime | None, moment: datetime) -> bool:
    return since is not None and since < moment


def mail_make(*, ticket_id: int) -> bool:
    """One mail for all that is unread. Outermost. False when it was read meanwhile, or another worker was first."""
    with timeline.command():
        ticket = _unread().filter(pk=ticket_id).select_for_update(of=("self",)).first()
        if ticket is None:
            return False
        AwayMail.objects.create(
            ticket=ticket, after=max(ticket.mailed_seq, ticket.read_by_customer), up_to=ticket.agent_seq
        )
        Ticket.objects.filter(pk=ticket_id).update(mailed_seq=F("agent_seq"))
    return True


def mails_due() -> list[int]:
    """Mails that are to be tried now, the oldest first. One query."""
    due = AwayMail.objects.filter(next_at__lte=Now())
    return list(due.order_by("next_at").values_list("pk", flat=True)[:MOST])


class _Claimed(NamedTuple):
    ticket_id: int
    after: int
    up_to: int
    tries: int
    made_at: datetime


def mail_send(*, mail_id: int) -> bool:
    """Try one mail. It is claimed first, by the time of the next try. True when the server has taken it."""
    rows = AwayMail.objects.filter(pk=mail_id)
    claimed = timeline.update_returning(
        rows.filter(next_at__lte=Now()),
        ["ticket", "after", "up_to", "tries", "made_at"],
        tries=F("tries") + 1,
        next_at=Now() + timedelta(minutes=PATIENCE[0]),  # longer than a server is waited for
    )
    if not claimed:
        return False
    row = _Claimed(*claimed[0])
    ticket = Ticket.objects.select_related("customer").get(pk=row.ticket_id)
    messages = unread_messages(ticket, row.after, row.up_to)
    if not messages or ticket.mails_stopped_at is not None or not ticket.customer.email:
        rows.update(next_at=None)  # read meanwhile, or not wanted any more
        return False
    if mail.answered_send(ticket, messages, number=row.up_to):
        with timeline.command():
            if rows.filter(sent_at__isnull=True).update(sent_at=Now(), next_at=None):
                timeline.advance(Ticket.objects.filter(pk=ticket.pk), events.MAILED, {"up_to": row.up_to})
        return True
    wait = timedelta(minutes=PATIENCE[min(row.tries, len(PATIENCE)) - 1])
    with timeline.command():
        if rows.filter(made_at__lte=Now() - GIVE_UP, sent_at__isnull=True).update(
            failed_at=Now(), next_at=None
        ):
            timeline.advance(
                Ticket.objects.filter(pk=ticket.pk), events.MAIL_FAILED, {"reason": "the server refused it"}
            )
        else:
            rows.filter(next_at__isnull=False).update(next_at=Now() + wait)
    return False


def unread_messages(ticket: Ticket, after: int, up_to: int) -> list[Message]:
    """Messages of agents in between that the customer has not seen, with their files. Two queries."""
    return list(
        ticket.messages.filter(
            author=Author.AGENT, internal=False, seq__gt=max(after, ticket.read_by_customer), seq__lte=up_to
        )
        .order_by("seq")
        .prefetch_related("attachments")
    )


def bounced(*, ticket: Ticket, reason: str, key: str) -> None:
    """A mail of ours came back: agents are told, and no more are sent until the customer writes or asks for them. Outermost.

    Once a key.
    """
    digest = timeline.digest_of("mail_bounced", reason)

    def act() -> None:
        with timeline.command():
            timeline.advance(
                Ticket.objects.filter(pk=ticket.pk),
                events.MAIL_FAILED,
                {"reason": reason},
                key=key,
                digest=digest,
                mails_stopped_at=Coalesce(F("mails_stopped_at"), Now()),
            )

    timeline.once(ticket.pk, key, digest, act, lambda _event: None)
