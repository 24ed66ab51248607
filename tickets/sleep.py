"""Tickets that are put aside: asleep until a moment, or until their customer writes (ADR 22).

A held one stays with its agent; one whose agent has gone is nobody's, in a state of its own, so that whatever looks for tickets
that wait finds it only when it is awake. All here are inner steps: the caller holds `timeline.command()`. Waking is one
conditional UPDATE, so of tick, customer, agent and the shift's end exactly one wakes it.
"""

from datetime import datetime
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Now

from tickets import events, timeline
from tickets.models import Ticket, TicketState
from tickets.signals import tell_queue_changed

TIME, CUSTOMER, AGENT = "time", "customer", "agent"  # why it woke
_NOBODYS = When(state=TicketState.ASLEEP, then=Now())


def put_aside(
    tickets: QuerySet[Ticket],
    until: datetime,
    *,
    agent_name: str,
    actor_id: int,
    key: str | None = None,
    digest: str = "",
) -> bool:
    """A held ticket sleeps until then; again, with another time, while it sleeps. False when it is not held."""
    data = {"agent_name": agent_name, "until": until.isoformat()}
    return bool(
        timeline.advance(
            tickets.filter(state=TicketState.HELD),
            events.SNOOZED,
            data,
            actor_id=actor_id,
            key=key,
            digest=digest,
            wakes_at=until,
        )
    )


def leave(ticket_id: int) -> bool:
    """held → asleep: its agent goes while it sleeps. False when it does not, or woke just now. Two queries, else three."""
    tickets = Ticket.objects.filter(pk=ticket_id, state=TicketState.HELD, wakes_at__isnull=False)
    found = tickets.values_list("wakes_at", "served_by").first()
    if found is None or found[0] is None:
        return False
    data = {"agent_name": found[1], "until": found[0].isoformat()}
    return bool(timeline.advance(tickets, events.LEFT_ASLEEP, data, state=TicketState.ASLEEP, held_at=None))


def wake(
    tickets: QuerySet[Ticket],
    reason: str,
    *,
    actor_id: int | None = None,
    key: str | None = None,
    digest: str = "",
) -> bool:
    """Those of these tickets that sleep are awake: back with their agent, or in front of the queue, where their customer
    waits from now on. False when none slept."""
    values: dict[str, Any] = {
        "wakes_at": None,
        "state": Case(When(state=TicketState.ASLEEP, then=Value(TicketState.WAITING)), default=F("state")),
        "waiting_since": Case(_NOBODYS, default=F("waiting_since")),
        "front_since": Case(_NOBODYS, default=F("front_since")),
    }
    woken = timeline.advance(
        tickets.filter(wakes_at__isnull=False),
        events.WOKE,
        {"reason": reason},
        actor_id=actor_id,
        key=key,
        digest=digest,
        **values,
    )
    tell_queue_changed(woken)
    return bool(woken)
