"""A day of this installation as a case for the simulator: its tickets, its routes, the people who were online and when.

What is left out makes waits come out shorter or longer than they were, and is said beside the form's field: preferred skills,
familiar agents, certificates that ended during the day, further pools of a route.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from math import inf

import numpy as np
from django.db.models import Avg, Count, F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from agents.models import Agent, AgentSkill, Shift, ShiftState
from dispatch import events, routes
from dispatch.matching.problem import ANY_LANGUAGE, I8, certified
from dispatch.models import FeedEvent, Offer, OfferState
from dispatch.routes import LANGUAGES, RouteSpec
from dispatch.simulator.case import POOL, Case, Kind
from dispatch.simulator.inputs import Arrival, coming
from tickets.models import Ticket, TicketState

Span = tuple[datetime, datetime]


class NothingLogged(ValueError):
    """That day has nothing to play; says what is missing."""


def case_of_day(day: date, pool_id: int | None = None) -> Case:
    """Tickets that came to people that day and were the pool's by their routes, and its people, each for as long as they were
    online. Six queries.

    Handling is from accepted to resolved, where that is known; yes and no, and the time to either, are those of the day;
    patience is the time that was waited over how many left. Raises NothingLogged, InvalidArrivals.
    """
    begin = timezone.make_aware(datetime.combine(day, time.min))
    during = (begin, min(begin + timedelta(days=1), max(timezone.now(), begin)))
    plan = routes.routes()
    pools = sorted(plan.pools())
    if pool_id is None and len(pools) == 1:
        [pool_id] = pools
    if pool_id not in pools:
        raise NothingLogged(
            f"name the pool by its id: {', '.join(map(str, pools)) or 'there is no route yet'}"
        )
    presence = _presence(during, pool_id)
    if not presence:
        raise NothingLogged(f"nobody was online on {day}")
    came = _came(during)
    kinds: dict[str, tuple[RouteSpec, int]] = {}
    arrivals = []
    for one in came:
        spec = plan.of(one.topic_id)
        if spec is not None and spec.pool_id == pool_id:
            kinds.setdefault(one.sort, (spec, one.language))
            arrivals.append(one.arrival)
    kinds = dict(sorted(kinds.items()))
    skills = sorted({skill for spec, _language in kinds.values() for skill in spec.required})
    column = {skill: place for place, skill in enumerate(skills)}
    known = [one.handling for one in arrivals if one.handling]
    typical = sum(known) / len(known) if known else 300.0
    tickets, seconds = coming(arrivals, {sort: at for at, sort in enumerate(kinds)}, typical=typical)
    first = min(one.at for one in arrivals)
    there = [
        [(a.timestamp() - first, b.timestamp() - first) for a, b in spans] for spans in presence.values()
    ]
    online = sum(max(min(b, seconds) - max(a, 0.0), 0.0) for spans in there for a, b in spans)
    people = list(presence)
    accept, answer_mean = _answers(during)
    return Case(
        name=str(day),
        kinds=[
            Kind(
                {column[skill]: level for skill, level in spec.required.items()},
                name=spec.topic_key or "",
                units=spec.units,
                target_seconds=float(spec.target_seconds or 1),
                max_wait_seconds=float(spec.max_wait_seconds or 600),
                offer_seconds=float(spec.offer_seconds),
                # Those that let others of the same pool in; a further pool's people are not in this case.
                steps=[replace(step, pool_id=POOL) for step in spec.steps if step.pool_id == spec.pool_id],
                language=language,
            )
            for spec, language in kinds.values()
        ],
        agents=len(people),
        skills=len(skills),
        load=sum(tickets.handling or ()) / max(online, 1.0),
        handling_mean=typical,
        accept=accept,
        answer_mean=answer_mean,
        patience_mean=_patience(came),
        warm_up=0.0,
        measured=seconds,
        coming=tickets,
        people=_levels(people, column, day),
        languages=_languages(people),
        presence=there,
    )


# --- Tickets ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Came:
    """A ticket that came to people."""

    arrival: Arrival
    topic_id: int | None
    language: int  # bit, or ANY_LANGUAGE
    waited: float  # seconds until somebody had it, it was closed, or the day was over
    left: bool  # closed by its customer before

    @property
    def sort(self) -> str:
        return self.arrival.topic


def _came(during: Span) -> list[_Came]:
    """What the assistant has answered alone is not among them."""
    rows = (
        Ticket.objects.filter(Ticket.REAL)
        .exclude(handed_over_at__isnull=True, answers__isnull=False)
        .annotate(came_at=Coalesce("handed_over_at", "created_at"))
        .filter(came_at__gte=during[0], came_at__lt=during[1])
        .values_list(
            "came_at",
            "topic_id",
            "language",
            "first_held_at",
            "resolved_at",
            "closed_at",
            "state",
            "ended_as",
        )
    )
    found = []
    for at, topic_id, language, held, resolved, closed, state, ended_as in rows:
        bit = LANGUAGES.index(language) if language in LANGUAGES else ANY_LANGUAGE
        handling = (resolved - held).total_seconds() if held and resolved else 0.0
        # As text, so that kinds come in one order.
        sort = f"{topic_id or 0:09d} {bit}"
        until = min(one for one in (held, closed, during[1]) if one)
        found.append(
            _Came(
                Arrival(at.timestamp(), sort, handling if handling > 0 else None),
                topic_id,
                bit,
                max((until - at).total_seconds(), 0.0),
                left=held is None and state == TicketState.CLOSED and not ended_as,
            )
        )
    return found


def _patience(came: Iterable[_Came]) -> float:
    """Mean seconds of an exponential patience that most waits did not see the end of: all waiting over how many left (the
    estimate of highest likelihood under censoring; L. Brown and others, "Statistical analysis of a telephone call center",
    2005, 4.2). inf when nobody left.
    """
    waited, left = 0.0, 0
    for one in came:
        waited += one.waited
        left += one.left
    return waited / left if left and waited else inf


# --- People -----------------------------------------------------------------------------------------------------------


def _presence(during: Span, pool_id: int) -> dict[int, list[Span]]:
    """Agent → when they were online that day: their shifts, without the times in which they paused, were finishing or were
    lost. By id, only those who were.
    """
    shifts = Shift.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=during[0]),
        started_at__lt=during[1],
        practice=False,
        agent__pools=pool_id,
    ).order_by("agent_id", "epoch")
    changes: dict[tuple[int, int], list[tuple[datetime, bool]]] = defaultdict(list)
    for agent_id, data, at in (
        FeedEvent.objects.filter(
            type=events.SHIFT_CHANGED.name, agent__shifts__in=shifts, created_at__lt=during[1]
        )
        .order_by("agent_id", "seq")
        .values_list("agent_id", "data", "created_at")
        .distinct()
    ):
        here = data.get("state") == ShiftState.ONLINE and not data.get("lost")
        changes[agent_id, data.get("epoch", 0)].append((at, here))
    found: dict[int, list[Span]] = defaultdict(list)
    for shift in shifts:
        begin, end = max(shift.started_at, during[0]), min(shift.ended_at or during[1], during[1])
        found[shift.agent_id] += _spans(begin, end, changes[shift.agent_id, shift.epoch])
    return {agent_id: spans for agent_id, spans in found.items() if spans}


def _spans(begin: datetime, end: datetime, changes: Iterable[tuple[datetime, bool]]) -> list[Span]:
    """Times online between two moments; at the first one they are, unless a change before it says otherwise."""
    spans: list[Span] = []
    since: datetime | None = begin
    for changed_at, here in changes:
        at = min(max(changed_at, begin), end)
        if here and since is None:
            since = at
        elif not here and since is not None:
            spans.append((since, at))
            since = None
    if since is not None:
        spans.append((since, end))
    return [(a, b) for a, b in spans if a < b]


def _answers(during: Span) -> tuple[float, float]:
    """(share of yes, mean seconds to a yes or no) of that day's offers."""
    yes = Q(state__in=[OfferState.ACCEPTED, OfferState.COMPLETED, OfferState.RELEASED])
    asked = ~Q(state__in=[OfferState.RESCINDED, OfferState.REVOKED, OfferState.CANCELLED, OfferState.PENDING])
    by_hand = (yes | Q(state=OfferState.DECLINED)) & Q(automatic=False)
    found = Offer.objects.filter(made_at__range=during, run__isnull=False).aggregate(
        yes=Count("id", filter=yes),
        asked=Count("id", filter=asked),
        seconds=Avg(F("answered_at") - F("made_at"), filter=by_hand),
    )
    return (
        found["yes"] / found["asked"] if found["asked"] else 0.8,
        found["seconds"].total_seconds() if found["seconds"] else 8.0,
    )


def _languages(people: list[int]) -> list[int]:
    """Bits of each, as in matching."""
    spoken = dict(Agent.objects.filter(pk__in=people).values_list("pk", "languages"))
    return [sum(1 << bit for bit, code in enumerate(LANGUAGES) if code in spoken[one]) for one in people]


def _levels(people: list[int], column: Mapping[int, int], day: date) -> I8:
    row = {agent: place for place, agent in enumerate(people)}
    levels = np.zeros((len(people), len(column)), np.int8)
    for agent, skill, level, until in AgentSkill.objects.filter(
        agent_id__in=people, skill_id__in=list(column)
    ).values_list("agent_id", "skill_id", "level", "certified_until"):
        levels[row[agent], column[skill]] = level
        if until is not None and until >= day and certified(skill) in column:
            levels[row[agent], column[certified(skill)]] = level
    return levels
