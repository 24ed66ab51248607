"""What a run sees: the tickets that wait, the people who are free, their skills; as columns for the solver."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import inf
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from dispatch.matching.problem import (
    F32,
    I8,
    I32,
    I64,
    Agents,
    Bool,
    Needs,
    Pairs,
    Problem,
    Tickets,
    certified,
)
from dispatch.matching.score import among
from dispatch.members import members, members_forget, profiles_of
from dispatch.models import Transfer
from dispatch.routes import LANGUAGES, PolicySpec, Routes, RouteSpec
from dispatch.rules import offers, steps
from dispatch.rules.newcomers import is_new, newcomers_first
from dispatch.rules.reserve import is_reserved
from tickets.models import Ticket, TicketState
from tickets.planned import Statement, planned

ALONE = "standby.alone"  # a setting of the connection: whether the statement that wanted the pool's lock has got it
FRONT = 10  # what a ticket in front of the queue counts: as much as any can
MOST_TICKETS = 2000  # a run; the rest waits for the next one, oldest first


class TicketRow(NamedTuple):
    id: int
    waited: float
    priority: int
    topic_id: int | None
    language: str
    flagged: bool
    known: list[int]
    answered: list[dict[str, Any]]  # {"agent", "ago"}: who declined it, seconds ago, the last time last
    passed_to: int | None = None  # the pool that it was passed on to, and is in instead of its route's
    asked_first: int | None = None  # the agent to whom it was passed on by name, for the first seconds
    front: bool = False  # it woke, or was put back by a lead: before all others
    passed_at: int | None = None  # epoch microseconds: when it was passed on, the last time


@dataclass(frozen=True)
class People:
    """m free people, a column a field, by id."""

    id: I64
    shift_id: I64
    units: I32
    units_taken: I32
    units_wrapping: I32  # of units_taken
    idle: F32  # seconds
    profile_version: I64
    accept_rate: F32
    share: F32
    answered: I64  # offers of late
    quality: F32  # ratings and reviews against the usual
    booked: Bool  # this hour, in this pool
    by_topic: Mapping[
        int, F32
    ]  # topic id (0: none) → accept_rate of such tickets; of topics that wait, if it is another
    seen_at: float = 0.0  # epoch seconds of the database's clock

    def __len__(self) -> int:
        return len(self.id)

    @classmethod
    def nobody(cls) -> "People":
        wide, narrow, measured = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)
        nobody = np.empty(0, np.bool_)
        return cls(
            wide, wide, narrow, narrow, narrow, measured, wide, measured, measured, wide, measured, nobody, {}
        )


# --- Tickets ----------------------------------------------------------------------------------------------------------


def queue_of(pool_id: int, plan: Routes, *, home: bool = False) -> QuerySet[Ticket]:
    """Tickets that wait and may be taken by this pool now; with `home` those whose route begins here, after whatever wait."""
    afters, unrouted = _home(pool_id, plan) if home else _reach(pool_id, plan)
    condition = Q(pk__in=[])
    for after in {*afters.values(), *([] if unrouted is None else [unrouted])}:
        which = Q(topic_id__in=[topic_id for topic_id, seconds in afters.items() if seconds == after])
        if after == unrouted:
            which |= Q(topic_id__isnull=True) | ~Q(topic_id__in=list(plan.by_topic))
        condition |= which & Q(waiting_since__lte=Now() - timedelta(seconds=after)) if after else which
    passed_on = Transfer.objects.filter(ticket=OuterRef("pk"), pool__isnull=False)
    here = condition & ~Exists(passed_on) | Q(Exists(passed_on.filter(pool_id=pool_id)))
    return Ticket.objects.filter(here, state=TicketState.WAITING)


Afters = tuple[dict[int, int], int | None]
"""Topic id → seconds of waiting from which on the pool may take its tickets; and for tickets of no or an unrouted topic."""


def _reach(pool_id: int, plan: Routes) -> Afters:
    known: Afters | None = plan.reached.get(pool_id)
    if known is None:
        known = plan.reached[pool_id] = _reach_of(pool_id, plan)
    return known


def _reach_of(pool_id: int, plan: Routes) -> Afters:
    found = {topic_id: steps.after(route.steps, pool_id) for topic_id, route in plan.by_topic.items()}
    return (
        {topic_id: after for topic_id, after in found.items() if after is not None},
        steps.after(plan.default.steps, pool_id) if plan.default else None,
    )


def _home(pool_id: int, plan: Routes) -> Afters:
    return (
        {topic_id: 0 for topic_id, route in plan.by_topic.items() if route.pool_id == pool_id},
        0 if plan.default is not None and plan.default.pool_id == pool_id else None,
    )


PASSED_AT = "(extract(epoch FROM passed.made_at) * 1000000)::bigint"

# What a person once said no to and is passed on to them by name, they are asked about anew.
_QUEUE = f"""
    SELECT t.id, extract(epoch FROM statement_timestamp() - t.waiting_since)::float8 AS waited,
           CASE WHEN t.front_since IS NULL THEN t.priority ELSE {FRONT} END AS priority, t.topic_id,
           t.language, t.flagged_at IS NOT NULL AS flagged, t.waiting_since,
           ARRAY(SELECT o.agent_id FROM dispatch_offer o JOIN tickets_ticket other ON other.id = o.ticket_id
                 WHERE other.customer_id = t.customer_id AND o.state = 'completed' AND o.reason <> 'misuse') AS known,
           (SELECT json_agg(json_build_object('agent', o.agent_id,
                                              'ago', extract(epoch FROM statement_timestamp() - o.ended_at)::float8)
                            ORDER BY o.ended_at)
            FROM dispatch_offer o WHERE o.ticket_id = t.id AND o.state IN ('declined', 'released')
              AND (o.agent_id = passed.agent_id AND o.ended_at <= passed.made_at) IS NOT TRUE) AS answered,
           passed.pool_id AS passed_to,
           CASE WHEN greatest(passed.made_at, t.front_since) > statement_timestamp() - interval '{steps.ASKED_FIRST_SECONDS} s'
                THEN passed.agent_id END AS asked_first,
           t.front_since IS NOT NULL AS front, {PASSED_AT} AS passed_at
    FROM tickets_ticket t LEFT JOIN dispatch_transfer passed ON passed.ticket_id = t.id
    WHERE t.state = 'waiting'
      AND CASE WHEN passed.pool_id IS NOT NULL THEN passed.pool_id = $6
          ELSE t.waiting_since <= clock_timestamp() - make_interval(secs => coalesce(
          (SELECT reach.after FROM unnest($1::bigint[], $2::int[]) AS reach(topic, after) WHERE reach.topic = t.topic_id),
          CASE WHEN t.topic_id IS NULL OR t.topic_id <> ALL($4::bigint[]) THEN $3::int END)) END
      AND NOT EXISTS (SELECT FROM dispatch_offer o WHERE o.ticket_id = t.id AND o.state = 'pending')
    ORDER BY t.waiting_since, t.id LIMIT $5::bigint
"""  # noqa: S608  nothing from outside is in it
# Who is admitted, and how they did of late, is not asked here: that is kept, and what is written is checked once more.
# date_part() and not extract(), which counts in numeric: a tenth of the whole.
_FREE = """
    SELECT s.agent_id, s.id AS shift_id, s.units, s.units_taken, s.units_wrapping,
           date_part('epoch', statement_timestamp() - s.idle_since)::real AS idle
    FROM agents_shift s
    JOIN agents_lease lease ON lease.shift_id = s.id
    JOIN agents_agent_pools member ON member.agent_id = s.agent_id AND member.pool_id = $6
    WHERE s.state = 'online' AND s.ended_at IS NULL AND s.lost_at IS NULL AND s.units_taken - s.units_wrapping < s.units
      AND lease.expires_at > statement_timestamp()
      AND s.agent_id NOT IN (SELECT o.agent_id FROM dispatch_offer o WHERE o.state = 'pending')
"""
# Whoever has booked this hour, free or not; most of the time nobody.
_BOOKED = """
    SELECT json_agg(b.agent_id) FROM dispatch_booking b JOIN dispatch_neededhour h ON h.id = b.hour_id
    WHERE b.ended_at IS NULL AND h.pool_id = $6 AND b.begins_at <= statement_timestamp()
      AND b.begins_at > statement_timestamp() - interval '1 hour'
"""
# One row: the solver wants columns, and 500 rows take longer to receive than to find. The columns come as PostgreSQL's binary
# form, which is numpy's too, with the highest byte first. While no ticket waits, nobody looks for people.
_SEE = f"""
    WITH queue AS MATERIALIZED ({_QUEUE})
    SELECT current_setting('{ALONE}')::boolean,
           (SELECT json_agg(json_build_array(id, waited, priority, topic_id, language, flagged, known, answered,
                                              passed_to, asked_first, front, passed_at) ORDER BY waiting_since, id) FROM queue),
           extract(epoch FROM statement_timestamp())::float8,
           string_agg(int8send(agent_id), ''), string_agg(int8send(shift_id), ''), string_agg(int4send(units), ''),
           string_agg(int4send(units_taken), ''), string_agg(int4send(units_wrapping), ''),
           string_agg(float4send(idle), ''), ({_BOOKED})
    FROM ({_FREE}) AS free WHERE EXISTS (SELECT FROM queue)
"""  # noqa: S608  nothing from outside is in it


def see(pool_id: int, plan: Routes, lock: Statement) -> tuple[list[TicketRow], People] | None:
    """Lock the pool by this statement, which says in ALONE whether it could; None if not. Then read what waits without an open
    offer, oldest first (queue_of() written out), and, if anything does, the pool's people who are online, have units free and
    no open offer.

    One query, and those of the members when they are not kept. All are as they are once the lock is there.
    """
    afters, unrouted = _reach(pool_id, plan)
    [(alone, queue, now, *columns, booked)] = planned(
        _SEE,
        [list(afters), list(afters.values()), unrouted, list(plan.by_topic), MOST_TICKETS, pool_id],
        first=[lock],
    )
    if not alone:
        return None
    # Below 0 has waited what came while the lock was waited for.
    tickets = [
        TicketRow._make((one, max(waited, 0.0), *more, said or [], *passed))
        for one, waited, *more, said, passed in ((*row[:-4], row[-4:]) for row in queue or [])
    ]
    arrays = [np.frombuffer(c or b"", t) for c, t in zip(columns, _TYPES, strict=True)]
    return tickets, _people(pool_id, now, arrays, booked or [], {row.topic_id or 0 for row in tickets})


# --- People -----------------------------------------------------------------------------------------------------------

_TYPES = (">i8", ">i8", ">i4", ">i4", ">i4", ">f4")  # of _SEE's columns


def _people(
    pool_id: int, now: float, columns: Sequence[Any], booked: Sequence[int], topics: Collection[int]
) -> People:
    """Those of these people who are members, with how they accept tickets of these topics (0: none). Who is not known as one
    may have become one since: they are read once more."""
    ids, *rest = (column.astype(column.dtype.newbyteorder("=")) for column in columns)
    if not len(ids):
        return People.nobody()
    by_id = ids.argsort()
    ids, *rest = (column[by_id] for column in (ids, *rest))
    known = members(pool_id)
    rows, here = among(known.id, ids)
    if not here.all():
        members_forget(pool_id)
        known = members(pool_id)
        rows, here = among(known.id, ids)
        ids, *rest = ids[here], *(column[here] for column in rest)
        rows = rows[here]
    figures = (known.profile_version, known.accept_rate, known.share, known.answered, known.quality)
    in_all = known.accept_rate[rows]
    by_topic = {topic: known.by_topic[topic][rows] for topic in sorted(known.by_topic.keys() & topics)}
    # What is the same for all who are free is no column of its own.
    by_topic = {topic: rates for topic, rates in by_topic.items() if (rates != in_all).any()}
    hour = np.isin(ids, booked) if booked else np.zeros(len(ids), np.bool_)
    return People(*(ids, *rest, *(column[rows] for column in figures), hour, by_topic, now))


def _acceptance(tickets: Sequence[TicketRow], people: People) -> tuple[F32, I32]:
    """Agents.accept, and each ticket's row of it: a row for each topic that has one of its own and one for all others; where
    that is a single row, as in most runs, (m,) and nothing.
    """
    own = people.by_topic
    topics = [topic if (topic := row.topic_id or 0) in own else None for row in tickets]
    row_of = {topic: place for place, topic in enumerate(dict.fromkeys(topics))}
    rates = [people.accept_rate if topic is None else own[topic] for topic in row_of]
    if len(rates) <= 1:
        return next(iter(rates), people.accept_rate), np.arange(len(tickets), dtype=np.int32)
    return np.stack(rates), np.array([row_of[topic] for topic in topics], np.int32)


# --- Both -------------------------------------------------------------------------------------------------------------


class Asked(NamedTuple):
    """What a ticket asks of the people of one pool, at the step that its wait has reached."""

    spec: RouteSpec
    required: Mapping[int, int]  # skill id → least level
    preferred: Mapping[int, int]


def asked_of(plan: Routes, row: TicketRow, pool_id: int) -> Asked:
    """What a ticket that waits in this pool asks there."""
    spec = spec_of(plan, row)
    step = steps.at(spec.steps, pool_id, row.waited) or steps.Step(0, pool_id)
    return Asked(spec, steps.required(spec.required, step), steps.preferred(spec.preferred, step))


def problem_of(
    tickets: Sequence[TicketRow],
    people: People,
    plan: Routes,
    policy: PolicySpec,
    only: Mapping[int, Collection[int]],
) -> Problem:
    """The columns that the solver works on. `only`: ticket id → the people whom it waits for, if it does.

    Two queries if a profile is new or changed, else none.
    """
    needs = [asked_of(plan, row, policy.pool_id) for row in tickets]
    ages = plan.ages(people.seen_at)
    ids = np.array([row.id for row in tickets], np.int64)
    specs = [one.spec for one in needs]
    profiles = profiles_of(people.id, people.profile_version)
    rows = profiles.rows(people.id)
    skills, levels = profiles.skills, profiles.levels[rows]
    needed = {skill for one in needs for skill in (*one.required, *one.preferred)}
    column = {skill: place for place, skill in enumerate(skills.tolist())}
    if missing := sorted(needed - column.keys()):  # nobody has them, or they are certificates
        column |= {skill: len(column) + place for place, skill in enumerate(missing)}
        skills = np.append(skills, missing)
        levels = np.append(levels, np.zeros((len(people), len(missing)), np.int8), axis=1)
        for skill in missing:
            if skill < 0:
                levels[:, column[skill]] = profiles.certified(certified(skill), rows, people.seen_at)
    # What is being wrapped up is free for the next ticket, and counts as load until then (rules.units, ADR 14).
    free = people.units - people.units_taken + (people.units_wrapping if policy.next_up else 0)
    accept, accept_row = _acceptance(tickets, people)
    here = set(people.id.tolist()) if only else set()
    excluded: set[tuple[int, int]] = set()
    for row, one in zip(tickets, needs, strict=True):
        if row.answered:
            able = _able(
                row, one, people, free=free, languages=profiles.languages[rows], levels=levels, column=column
            )
            said_no = {said["agent"]: -said["ago"] for said in row.answered}
            excluded |= {(row.id, agent) for agent in offers.excluded(said_no, able, 0.0)}
        if row.id in only:
            excluded |= {(row.id, agent) for agent in here - set(only[row.id])}
    return Problem.trusted(
        tickets=Tickets.trusted(
            id=ids,
            # Only open time ages; the steps of a route go by the clock.
            waited_seconds=np.array(
                [ages[row.topic_id](row.waited) if row.topic_id in ages else row.waited for row in tickets],
                np.float64,
            ),
            target_seconds=np.array([spec.target_seconds or 1 for spec in specs], np.float64),
            max_wait_seconds=np.array([spec.max_wait_seconds or inf for spec in specs], np.float64),
            priority=np.array([min(max(row.priority, -1), 10) for row in tickets], np.float64),
            units=np.array([spec.units for spec in specs], np.int32),
            language=np.array(
                [LANGUAGES.index(row.language) if row.language in LANGUAGES else -1 for row in tickets],
                np.int8,
            ),
            required=Needs.of([one.required for one in needs], column),
            preferred=Needs.of([one.preferred for one in needs], column),
            known=Pairs.of((row.id, agent) for row in tickets for agent in row.known),
            excluded=Pairs.of(sorted(excluded)),
            newcomers_first=newcomers_first(ids, policy.exploration_percent),
            # By the clock, as the steps: a ticket that comes at night must not stay reserved until the morning.
            reserved=np.array(
                [
                    is_reserved(
                        row.waited,
                        policy.reserve_seconds,
                        urgent=row.priority > 0,
                        promised=row.id in only or bool(row.known),
                    )
                    for row in tickets
                ],
                np.bool_,
            ),
            accept_row=accept_row,
        ),
        agents=Agents.trusted(
            id=people.id,
            free_units=free,
            capacity_units=people.units,
            load=(people.units_taken / people.units).astype(np.float32),
            # Who wraps up is not idle yet.
            idle_seconds=np.where(
                people.units_wrapping > 0, np.float32(0), np.maximum(people.idle, np.float32(0))
            ),
            share=people.share,
            languages=profiles.languages[rows],
            levels=levels,
            skill_id=skills,
            accept=accept,
            max_pending=np.ones(len(people), np.int8),  # one card at a time, as by default
            new=is_new(people.answered),
            quality=people.quality,
            booked=people.booked,
        ),
        weights=policy.weights,
        fair_share=1.0,  # shares of members are relative to the pool's mean already
        skill_demand=np.ones(len(skills)),  # as by default
    )


def spec_of(plan: Routes, row: TicketRow) -> RouteSpec:
    """The route of a ticket that waits in a pool."""
    spec = plan.of(row.topic_id)
    assert spec is not None  # the queue's condition let only routed tickets in
    if row.passed_to is not None:
        return replace(spec, pool_id=row.passed_to, steps=steps.of_pool(row.passed_to))
    return spec


def _able(
    row: TicketRow,
    asked: Asked,
    people: People,
    *,
    free: I32,
    languages: I64,
    levels: I8,
    column: Mapping[int, int],
) -> set[int]:
    """Those of the free people who may take this ticket now, whether they said no to it or not."""
    able = free >= asked.spec.units
    if row.language in LANGUAGES:
        able &= languages >> LANGUAGES.index(row.language) & 1 != 0
    for skill, level in asked.required.items():
        able &= levels[:, column[skill]] >= level
    return set(people.id[able].tolist())
