"""An agent puts a held ticket aside until a time, or until the customer writes, whichever is first (ADR 22).

While it sleeps it stays theirs and takes no units: those come back after it woke, by the tick, as those of a customer who was
silent (dispatch/silence.py). What sleeping and waking are is in tickets/sleep.py.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from agents.models import Agent, Shift
from agents.shifts import shift_current, shift_locked, units_free
from agents.signals import tell_availability_changed
from dispatch import events, feed, resolving, routes
from dispatch.errors import BadWakingTime, CustomerHasWritten, NotHolder, OnlyPractice
from dispatch.models import Offer, OfferState, Transfer
from dispatch.offers import end
from tickets import sleep, timeline
from tickets.errors import TicketClosed
from tickets.models import Author, Message, Ticket


def snooze(
    *,
    agent: Agent,
    epoch: int,
    ticket_id: int,
    until: datetime,
    seen: int | None = None,
    key: str | None = None,
) -> None:
    """The holder puts the ticket aside until then; while it sleeps, again with another time. Outermost.

    `seen`: number of the last event that they have read; then nothing is put aside over what the customer wrote after it.
    That it was to be resolved in a moment is taken back. Raises BadWakingTime, CustomerHasWritten, OnlyPractice, NotHolder,
    TicketClosed, ShiftEnded, NotOnline, KeyReused.
    """
    until = until.astimezone(UTC)
    digest = timeline.digest_of("snooze", agent.pk, until.isoformat())

    def act() -> None:
        with timeline.command():
            shift = shift_locked(agent_id=agent.pk, epoch=epoch)
            mine = Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED)
            offer = mine.select_related("ticket").first()
            if offer is None:
                raise NotHolder
            if shift.practice:
                raise OnlyPractice
            _check(until, longest(offer.ticket))
            put = sleep.put_aside(
                Ticket.objects.filter(pk=ticket_id),
                until,
                agent_name=agent.name,
                actor_id=agent.user_id,
                key=key,
                digest=digest,
            )
            if not put:
                raise TicketClosed
            # The ticket's row is locked by the step above, so nothing is written between the look and the commit.
            if seen is not None and _written_since(ticket_id, seen):
                raise CustomerHasWritten
            resolving.unplan(mine, resolving.AGENT)
            _units_give_back(offer, shift)

    timeline.once(ticket_id, key, digest, act, lambda _event: None)


def longest(ticket: Ticket) -> int:
    """Hours for which this ticket can be put aside at the most, by its route; 0: not at all."""
    spec = routes.routes().of(ticket.topic_id)
    return spec.snooze_hours if spec else 0


def _check(until: datetime, hours: int) -> None:
    """Raises BadWakingTime. By the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        [now] = cursor.fetchone()
    if not now < until <= now + timedelta(hours=hours):
        raise BadWakingTime(hours)


def _written_since(ticket_id: int, seen: int) -> bool:
    said = Message.objects.filter(ticket_id=ticket_id, author=Author.CUSTOMER, seq__gt=seen)
    return said.exists()


def _units_give_back(offer: Offer, shift: Shift) -> None:
    if not offer.units:
        return
    Offer.objects.filter(pk=offer.pk).update(
        units=0, units_spared=F("units_spared") + offer.units, silent_since=None
    )
    units_free(shift.pk, offer.units, worked=False)
    feed.record(
        offer.agent_id,
        events.ATTENTION_CHANGED,
        {"offer": offer.pk, "ticket": offer.ticket.public_id, "units": 0, "silent": False},
    )
    tell_availability_changed([offer.agent_id])


def wake(*, agent: Agent, epoch: int, ticket_id: int, key: str | None = None) -> None:
    """The holder takes the ticket up again before its time. Outermost.

    One that is awake already is no error: the clock or the customer was as fast. Raises NotHolder, ShiftEnded, NotOnline,
    KeyReused.
    """
    digest = timeline.digest_of("wake", agent.pk)

    def act() -> None:
        with timeline.command():
            shift = shift_current(agent_id=agent.pk, epoch=epoch)
            if not Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED).exists():
                raise NotHolder
            sleep.wake(
                Ticket.objects.filter(pk=ticket_id),
                sleep.AGENT,
                actor_id=agent.user_id,
                key=key,
                digest=digest,
            )

    timeline.once(ticket_id, key, digest, act, lambda _event: None)


def wake_due(limit: int = 200) -> int:
    """Wake the tickets whose time has come, each in a transaction of its own. Outermost; for the tick.

    Returns how many. Safe twice or late. One query while there is nothing.
    """
    due = Ticket.objects.filter(wakes_at__lte=Now()).order_by("wakes_at").values_list("pk", flat=True)
    return sum(_wake(ticket_id) for ticket_id in list(due[:limit]))


def _wake(ticket_id: int) -> bool:
    with timeline.command():
        return sleep.wake(Ticket.objects.filter(pk=ticket_id, wakes_at__lte=Now()), sleep.TIME)


def left(ticket_id: int, shift: Shift, reason: str) -> bool:
    """The shift that holds this ticket, and is locked, ends: if the ticket sleeps, it sleeps on as nobody's. Inner.

    Once awake it waits for the same agent first, if they are online then. False when it does not sleep.
    """
    if not sleep.leave(ticket_id):
        return False
    mine = Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED)
    end(mine, OfferState.RELEASED, reason, locked={shift.pk: shift})
    # After the offer's end: what they give back here is no "no" of theirs (dispatch/sight.py).
    Transfer.objects.update_or_create(
        ticket_id=ticket_id, defaults={"agent_id": shift.agent_id, "made_at": Now()}
    )
    return True
