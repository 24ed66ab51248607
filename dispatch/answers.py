"""Answers by mail that are promised when nobody is online: made, mailed, and followed until a person has answered.

A promise is an open row of PromisedAnswer, and `Ticket.answer_due_at` for the customer's page. It is made a moment after it was
found that nobody who fits is online, or at once outside of the topic's hours; only to customers whom mails reach: with an
address, none of which came back, and who want them.
"""

import logging
from datetime import UTC, datetime, timedelta

from django.db.models import Count, F, Min, OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from dispatch import routes
from dispatch.models import PromisedAnswer
from tickets import calendars, events, mail, timeline
from tickets.hours import is_open, open_after
from tickets.models import Author, Message, Ticket, TicketState
from tickets.patience import each, is_due, next_try, untried_first

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=60)  # somebody may just be changing shifts
ROUNDED = 15 * 60  # seconds: a promised time is one that people say
MOST = 100  # promises made at one look
# Promises that their customers were not told by mail, and may be.
UNMAILED = Q(mailed_at__isnull=True, ended_at__isnull=True, ticket__mails_stopped_at__isnull=True)


def look() -> None:
    """Make, keep and mail what is due. Safe to run twice or late. Three queries while there is nothing to do."""
    answers_promise()
    answers_end()
    each("mail of promised answer", mails_due(), lambda one: mail_send(answer_id=one))


def answers_promise() -> int:
    """Promise an answer to those for whom nobody is online. Outermost. Returns how many."""
    now = timezone.now()
    waiting = (
        Ticket.objects.filter(Ticket.REAL, state=TicketState.WAITING, flagged_at__isnull=False)
        .filter(answer_due_at__isnull=True, mails_stopped_at__isnull=True)
        .exclude(customer__email="")
        .order_by("id")
        .values_list("id", "topic_id", "flagged_at")
    )
    made = 0
    for ticket_id, topic_id, flagged_at in waiting[:MOST]:
        hours = calendars.hours_of(topic_id)
        closed = hours is not None and not is_open(hours, now.timestamp())
        assert flagged_at is not None
        if (closed or flagged_at <= now - PATIENCE) and (due := due_at(topic_id, now)):
            made += answer_promise(ticket_id=ticket_id, due_at=due)
    return made


def due_at(topic_id: int | None, now: datetime) -> datetime | None:
    """Until when an answer is promised now, a quarter of an hour; None when an admin wants none to be promised."""
    spec = routes.routes().of(topic_id)
    if spec is None or not spec.answer_minutes:
        return None
    hours, begin = calendars.hours_of(topic_id), now.timestamp()
    seconds = 60.0 * spec.answer_minutes
    moment = open_after(hours, begin, seconds) if hours is not None else begin + seconds
    if moment is None:
        return None
    return datetime.fromtimestamp(-(-moment // ROUNDED) * ROUNDED, UTC)


def answer_promise(*, ticket_id: int, due_at: datetime) -> bool:
    """Promise it, once. Outermost. False when a person has come, mails were stopped, or another worker was first."""
    with timeline.command():
        done = timeline.advance(
            Ticket.objects.filter(
                pk=ticket_id,
                state=TicketState.WAITING,
                flagged_at__isnull=False,
                answer_due_at__isnull=True,
                mails_stopped_at__isnull=True,
            ),
            events.ANSWER_PROMISED,
            {"due_at": due_at.isoformat()},
            answer_due_at=due_at,
        )
        if not done:
            return False
        PromisedAnswer.objects.create(ticket_id=ticket_id, due_at=due_at)
    return True


def answers_end() -> int:
    """End the promises whose customers were answered, or need none any more. Outermost. Returns how many."""
    answered = Subquery(
        Message.objects.filter(
            ticket=OuterRef("ticket"),
            author=Author.AGENT,
            internal=False,
            created_at__gte=OuterRef("made_at"),
        )
        .values("ticket")
        .annotate(first=Min("created_at"))
        .values("first")
    )
    over = (
        PromisedAnswer.objects.filter(ended_at__isnull=True)
        .annotate(answered_at=answered, state=F("ticket__state"))
        .filter(Q(answered_at__isnull=False) | Q(state__in=(TicketState.RESOLVED, TicketState.CLOSED)))
        .order_by("id")
    )
    return sum(answer_end(answer_id=row.pk, kept_at=row.answered_at) for row in over.only("pk")[:MOST])


def answer_end(*, answer_id: int, kept_at: datetime | None) -> bool:
    """End it, once; `kept_at`: when a person has answered, if one has. Outermost. False when another worker was first."""
    with timeline.command():
        ended = timeline.update_returning(
            PromisedAnswer.objects.filter(pk=answer_id, ended_at__isnull=True),
            ["ticket", "due_at"],
            ended_at=Now(),
            kept_at=kept_at,
        )
        for ticket_id, due in ended:
            ticket = Ticket.objects.filter(pk=ticket_id)
            if kept_at is None:
                ticket.update(answer_due_at=None)
            else:
                timeline.advance(ticket, events.ANSWER_KEPT, {"in_time": kept_at <= due}, answer_due_at=None)
    return bool(ended)


# --- Mail -------------------------------------------------------------------------------------------------------------


def mails_due() -> list[int]:
    """Open promises that their customers were not told by mail, and may be; those that were refused last. One query."""
    due = PromisedAnswer.objects.filter(UNMAILED, is_due("mail_next_at"))
    return list(due.order_by(untried_first("mail_next_at"), "id").values_list("pk", flat=True)[:MOST])


def mail_send(*, answer_id: int) -> bool:
    """Mail it, once. It is claimed before it is sent. False when another worker was first, mails were stopped since, or the
    server refused."""
    answer = PromisedAnswer.objects.filter(pk=answer_id)
    if not answer.filter(UNMAILED).update(mailed_at=Now()):
        return False
    row = answer.select_related("ticket__customer").get()
    if mail.answer_promised_send(row.ticket, row.due_at):
        return True
    answer.update(mailed_at=None, mail_next_at=next_try(row.made_at))
    return False


# --- Record -----------------------------------------------------------------------------------------------------------


def record(since: datetime) -> dict[str, int]:
    """Promises made since: {"made", "kept", "late", "open"}. One query.

    Late are also those that are overdue, and those whose customers were gone only after the time had passed; who needed none
    any more before counts on neither side.
    """
    made = PromisedAnswer.objects.filter(made_at__gte=since)
    overdue = Q(kept_at__isnull=True) & (
        Q(ended_at__isnull=True, due_at__lt=Now()) | Q(ended_at__gt=F("due_at"))
    )
    return made.aggregate(
        made=Count("pk"),
        kept=Count("pk", filter=Q(kept_at__lte=F("due_at"))),
        late=Count("pk", filter=Q(kept_at__gt=F("due_at")) | overdue),
        open=Count("pk", filter=Q(ended_at__isnull=True, due_at__gte=Now())),
    )
