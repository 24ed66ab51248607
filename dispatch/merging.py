"""The holder of a ticket merges another open one of the same customer into it (ADR 28).

Two tickets are one customer's when their row is the same, which it becomes by a confirmed address (tickets/returning.py). The
other ticket is closed and goes on as the holder's; nothing is copied: both timelines name each other.
"""

from collections.abc import Iterable

from django.db.models import Q

from agents.models import Agent
from agents.shifts import shift_locked, shifts_lock
from dispatch.errors import NotHolder, NotToMerge, OnlyPractice
from dispatch.models import Offer, OfferState
from dispatch.offers import end
from tickets import lifecycle, timeline
from tickets.errors import TicketNotFound
from tickets.models import EndedAs, Ticket, TicketState

MERGED = "merged"  # reason of the offers that this ends


def merge(*, agent: Agent, epoch: int, ticket_id: int, other: str, key: str | None = None) -> None:
    """Close the other ticket (public id), which goes on as this one. Outermost.

    It must wait, sleep as nobody's, or be with this agent too; then that offer ends as released, and is paid as work that was
    passed on. Raises TicketNotFound (no such ticket of this customer, whether it exists or not), NotToMerge, NotHolder,
    OnlyPractice, TicketClosed, ShiftEnded, NotOnline, KeyReused.
    """
    digest = timeline.digest_of("merge", agent.pk, other)
    timeline.once(
        ticket_id,
        key,
        digest,
        lambda: _merge(agent, epoch, ticket_id, other, key=key, digest=digest),
        lambda _event: None,
    )


def _merge(agent: Agent, epoch: int, ticket_id: int, other: str, *, key: str | None, digest: str) -> None:
    with timeline.command():
        found = Ticket.objects.filter(Ticket.REAL, public_id=other).values_list("pk", flat=True).first()
        duplicate_id = found or 0
        live = Offer.objects.filter(ticket_id=duplicate_id, state__in=Offer.LIVE)
        mine = Offer.objects.filter(agent=agent, ticket_id=ticket_id, state=OfferState.ACCEPTED)
        shifts = shifts_lock(
            {
                *live.values_list("shift_id", flat=True),
                *mine.values_list("shift_id", flat=True),
            }
        )
        shift = shift_locked(agent_id=agent.pk, epoch=epoch)
        if not mine.filter(shift=shift).exists():
            raise NotHolder
        if shift.practice:
            raise OnlyPractice
        rows = Ticket.objects.select_for_update().filter(pk__in=(ticket_id, duplicate_id)).order_by("pk")
        both = {ticket.pk: ticket for ticket in rows}
        ticket, duplicate = both[ticket_id], both.get(duplicate_id)
        if duplicate is None or duplicate == ticket or duplicate.customer_id != ticket.customer_id:
            raise TicketNotFound
        own = live.filter(shift=shift, state=OfferState.ACCEPTED)
        states = [TicketState.WAITING, TicketState.ASLEEP]
        if own.exists():
            states.append(TicketState.HELD)
        if duplicate.state not in states:
            raise NotToMerge
        lifecycle.ticket_merge(
            ticket=duplicate, into=ticket, states=states, actor_id=agent.user_id, key=key, digest=digest
        )
        end(own, OfferState.RELEASED, MERGED, locked=shifts)
        # One that a run has made since the shifts were locked is cancelled by dispatch.listeners, after commit, or by the tick.
        pending = live.filter(state=OfferState.PENDING, shift_id__in=shifts)
        end(pending, OfferState.CANCELLED, MERGED, locked=shifts)


def others_of(tickets: Iterable[Ticket], agent_id: int) -> dict[int, list[Ticket]]:
    """Ticket id → other open tickets of its customer that can be merged into it, newest first. One query."""
    wanted = list(tickets)
    if not wanted:
        return {}
    own = Offer.objects.filter(agent_id=agent_id, state=OfferState.ACCEPTED).values("ticket_id")
    found = (
        Ticket.objects.filter(
            Ticket.REAL,
            Q(state__in=(TicketState.WAITING, TicketState.ASLEEP)) | Q(pk__in=own),
            customer_id__in={ticket.customer_id for ticket in wanted},
        )
        .select_related("topic", "customer")
        .order_by("-created_at", "-id")
    )
    rows = list(found)
    return {
        ticket.pk: [row for row in rows if row.customer_id == ticket.customer_id and row != ticket]
        for ticket in wanted
    }


def taken_in(*, agent: Agent, ticket_id: int, other: str) -> Ticket:
    """A ticket that was merged into this one, for its holder (or who wraps it up) to read. Raises TicketNotFound."""
    if not Offer.objects.filter(Offer.ON_DESK, agent=agent, ticket_id=ticket_id).exists():
        raise TicketNotFound
    found = Ticket.objects.select_related("topic", "customer").filter(
        public_id=other, merged_into_id=ticket_id, ended_as=EndedAs.MERGED
    )
    if (ticket := found.first()) is None:
        raise TicketNotFound
    return ticket
