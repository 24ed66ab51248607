"""What belongs to which pool, for accounts that see their own pools only (`agents.own_pools`, the role “Pool admins”).

REACH is the whole truth: a model that is not in it does not exist for them, whatever rights their group has. Lists, pages,
choices of foreign keys, autocompletion, filters, actions, imports and histories all ask here (guard.py).
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest

from agents.models import Agent, AgentSkill, Lease, Pool, Shift, Skill
from dispatch.models import (
    Booking,
    NeededHour,
    Offer,
    Policy,
    Rate,
    Requirement,
    Route,
    RouteStep,
    Transfer,
)
from tickets.models import CannedReply, Message, Rating, Ticket, TicketEvent, Topic

OWN_POOLS = "agents.own_pools"
Own = frozenset[int]

Membership: Any = Agent.pools.through


def own_pools(request: HttpRequest) -> Own | None:
    """Ids of the pools that this account is confined to; None for who sees all. One query a request, none for superusers."""
    user: Any = request.user
    if not user.is_active or user.is_superuser or not user.has_perm(OWN_POOLS):
        return None
    if not hasattr(request, "_own_pools"):
        request._own_pools = frozenset(user.administers.values_list("pk", flat=True))  # type: ignore[attr-defined]
    found: Own = request._own_pools  # type: ignore[attr-defined]
    return found


def _members(own: Own) -> QuerySet[Any]:
    found: QuerySet[Any] = Membership.objects.filter(pool_id__in=own).values("agent_id")
    return found


def _topics(own: Own) -> QuerySet[Any]:
    return Route.objects.filter(pool_id__in=own, topic__isnull=False).values("topic_id")


def _ticket(own: Own) -> Q:
    """Where it is (passed on to, or by its route, as dispatch/sight.py says), and where it was offered."""
    passed = Transfer.objects.filter(ticket=OuterRef("pk"), pool__isnull=False)
    home = Q(topic_id__in=_topics(own))
    if Route.objects.filter(topic__isnull=True, pool_id__in=own).exists():
        home |= Q(topic__isnull=True) | Q(topic__route__isnull=True)
    return (
        Exists(passed.filter(pool_id__in=own))
        | (home & ~Exists(passed))
        | Q(Exists(Offer.objects.filter(ticket=OuterRef("pk"), run__pool_id__in=own)))
    )


def _of_ticket(own: Own) -> Q:
    return Q(ticket__in=Ticket.objects.filter(_ticket(own)).values("pk"))


def _everything(own: Own) -> Q:  # noqa: ARG001  what has no pool
    return Q()


REACH: dict[type[Model], Callable[[Own], Q]] = {
    Pool: lambda own: Q(pk__in=own),
    Agent: lambda own: Q(pk__in=_members(own)),
    Membership: lambda own: Q(pool_id__in=own),
    AgentSkill: lambda own: Q(agent_id__in=_members(own)),
    Shift: lambda own: Q(agent_id__in=_members(own)),
    Lease: lambda own: Q(shift__agent_id__in=_members(own)),
    Skill: _everything,
    Topic: _everything,
    Route: lambda own: Q(pool_id__in=own),
    RouteStep: lambda own: Q(route__pool_id__in=own, pool_id__in=own),
    Requirement: lambda own: Q(route__pool_id__in=own),
    Policy: lambda own: Q(pool_id__in=own),
    Rate: lambda own: Q(topic__isnull=True) | Q(topic_id__in=_topics(own)),
    NeededHour: lambda own: Q(pool_id__in=own),
    Booking: lambda own: Q(hour__pool_id__in=own),
    CannedReply: lambda own: Q(topic__isnull=True) | Q(topic_id__in=_topics(own)),
    Offer: lambda own: Q(run__pool_id__in=own),
    Ticket: _ticket,
    Message: _of_ticket,
    TicketEvent: _of_ticket,
    Rating: _of_ticket,
}

# Where less can be changed than seen.
CHANGES: dict[type[Model], Callable[[Own], Q]] = {
    # Skills and languages count in all pools: who works elsewhere too is the matter of whoever sees both.
    Agent: lambda own: ~Q(pk__in=Membership.objects.exclude(pool_id__in=own).values("agent_id")),
    CannedReply: lambda own: Q(topic_id__in=_topics(own)),
}

# Choices that are narrower than what can be seen; and without them nothing can be saved.
CHOICES: dict[tuple[type[Model], str], Callable[[Own], Q]] = {
    (CannedReply, "topic"): lambda own: Q(pk__in=_topics(own)),
}


def reached(own: Own | None, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those rows of a model that they see; none of a model that is not in REACH."""
    if own is None:
        return rows
    reach = REACH.get(rows.model)
    return rows.filter(reach(own)) if reach else rows.none()


def changeable(own: Own | None, row: Model) -> bool:
    """Whether they may change or delete this row, as far as pools are concerned."""
    if own is None:
        return True
    model: Any = type(row)
    rows = reached(own, model._base_manager.filter(pk=row.pk))
    if narrower := CHANGES.get(model):
        rows = rows.filter(narrower(own))
    return bool(rows.exists())
