"""A day of this installation as a case for the simulator: its tickets, its routes, the people who were online."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import numpy as np
from django.db.models import Count, Q
from django.utils import timezone

from agents.models import AgentSkill, Shift
from dispatch import routes
from dispatch.matching.problem import certified
from dispatch.models import Offer, OfferState
from dispatch.simulator.case import POOL, Case, Kind
from dispatch.simulator.inputs import Arrival, coming
from tickets.models import Ticket


class NothingLogged(ValueError):
    """That day has nothing to play; says what is missing."""


def case_of_day(day: date, pool_id: int | None = None) -> Case:
    """Tickets created that day and routed to the pool, and everybody who was online in it, the whole day. Five queries.

    Handling is from accepted to resolved, where that is known. Raises NothingLogged, InvalidArrivals.
    """
    begin = timezone.make_aware(datetime.combine(day, time.min))
    during = (begin, begin + timedelta(days=1))
    plan = routes.routes()
    pools = sorted(plan.pools())
    if pool_id is None and len(pools) == 1:
        [pool_id] = pools
    if pool_id not in pools:
        raise NothingLogged(
            f"name the pool by its id: {', '.join(map(str, pools)) or 'there is no route yet'}"
        )
    specs = [spec for spec in plan.all() if spec.pool_id == pool_id]
    people = sorted(
        set(
            Shift.objects.filter(
                Q(ended_at__isnull=True) | Q(ended_at__gt=during[0]),
                started_at__lt=during[1],
                practice=False,
                agent__pools=pool_id,
            ).values_list("agent_id", flat=True)
        )
    )
    if not people:
        raise NothingLogged(f"nobody was online on {day}")
    skills = sorted({skill for spec in specs for skill in spec.required})
    column = {skill: place for place, skill in enumerate(skills)}
    arrivals = _arrivals(during, {spec.topic_id for spec in specs})
    known = [one.handling for one in arrivals if one.handling]
    typical = sum(known) / len(known) if known else 300.0
    place = {str(spec.topic_id or ""): at for at, spec in enumerate(specs)}
    tickets, seconds = coming(arrivals, place, typical=typical)
    answers = Offer.objects.filter(made_at__range=during, run__isnull=False).aggregate(
        said=Count(
            "id", filter=Q(state__in=[OfferState.ACCEPTED, OfferState.COMPLETED, OfferState.RELEASED])
        ),
        asked=Count(
            "id", filter=~Q(state__in=[OfferState.RESCINDED, OfferState.REVOKED, OfferState.CANCELLED])
        ),
    )
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
            )
            for spec in specs
        ],
        agents=len(people),
        skills=len(skills),
        load=sum(tickets.handling or ()) / seconds / len(people),
        handling_mean=typical,
        accept=answers["said"] / answers["asked"] if answers["asked"] else 0.8,
        warm_up=0.0,
        measured=seconds,
        coming=tickets,
        people=_levels(people, column, day),
    )


def _arrivals(during: tuple[datetime, datetime], topics: Iterable[int | None]) -> list[Arrival]:
    named = set(topics)
    rows = Ticket.objects.filter(
        Ticket.REAL, created_at__gte=during[0], created_at__lt=during[1]
    ).values_list("created_at", "topic_id", "first_held_at", "resolved_at")
    found = []
    for created, topic, held, resolved in rows:
        handling = (resolved - held).total_seconds() if held and resolved else 0.0
        topic_key = str(topic) if topic in named and topic is not None else ""
        found.append(Arrival(created.timestamp(), topic_key, handling if handling > 0 else None))
    return found


def _levels(
    people: list[int], column: dict[int, int], day: date
) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    row = {agent: place for place, agent in enumerate(people)}
    levels = np.zeros((len(people), len(column)), np.int8)
    for agent, skill, level, until in AgentSkill.objects.filter(
        agent_id__in=people, skill_id__in=list(column)
    ).values_list("agent_id", "skill_id", "level", "certified_until"):
        levels[row[agent], column[skill]] = level
        if until is not None and until >= day and certified(skill) in column:
            levels[row[agent], column[certified(skill)]] = level
    return levels
