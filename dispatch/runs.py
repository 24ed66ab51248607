"""One matching run: load, solve, write offers, store what it saw. One run a pool at a time (advisory lock)."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Any, NamedTuple

import numpy as np
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from agents.models import Agent, AgentSkill, AgentStatus, Shift, ShiftState
from agents.shifts import units_free
from dispatch import events, feed, routes
from dispatch.matching import snapshot
from dispatch.matching.explain import Reason, reasons
from dispatch.matching.problem import I8, I64, Agents, Needs, Pairs, Problem, Tickets
from dispatch.matching.solve import Solution, solve
from dispatch.models import Offer, Run
from dispatch.pricing import price
from dispatch.routes import LANGUAGES, PolicySpec, Routes, RouteSpec
from tickets import events as ticket_events
from tickets import timeline
from tickets.models import Ticket, TicketState
from tickets.statements import insert

MOST_TICKETS = 2000  # a run; the rest waits for the next one, oldest first
AGAIN_SECONDS = (
    60  # a declined ticket comes to the same person again at the earliest after this, and last of all
)
LOCK_CLASS = 7301  # first half of the advisory lock's key; the pool is the second


class TicketRow(NamedTuple):
    id: int
    public_id: str
    waited: float
    priority: int
    topic_id: int | None
    language: str
    summary: str
    flagged: bool
    known: list[int]
    answered: list[dict[str, Any]]  # {"agent", "ago"}: who declined it, seconds ago


class AgentRow(NamedTuple):
    id: int
    shift_id: int
    units: int
    units_taken: int
    idle: float
    profile_version: int
    accept_rate: float
    share: float


@dataclass(frozen=True)
class Profile:
    """An agent's skills and languages at one version of them."""

    version: int
    levels: dict[int, int]  # skill id → level
    languages: int  # bits, in the order of LANGUAGES


@dataclass(frozen=True)
class Profiles:
    """Profiles of everybody this process has seen, and the same as a matrix, of which a run picks its people's rows."""

    of: dict[int, Profile]  # by agent id
    row: dict[int, int]  # agent id → row
    skills: I64  # (s,) ascending
    levels: I8  # (agents, s)
    languages: I64  # (agents,)


def _stacked(of: dict[int, Profile]) -> Profiles:
    skills = sorted({skill for profile in of.values() for skill in profile.levels})
    column = {skill: place for place, skill in enumerate(skills)}
    levels = np.zeros((len(of), len(skills)), np.int8)
    for place, profile in enumerate(of.values()):
        for skill, level in profile.levels.items():
            levels[place, column[skill]] = level
    return Profiles(
        of=of,
        row={agent_id: place for place, agent_id in enumerate(of)},
        skills=np.array(skills, np.int64),
        levels=levels,
        languages=np.array([profile.languages for profile in of.values()], np.int64),
    )


_profiles = _stacked({})  # a process; a version from the database says when one is stale


def profiles_forget() -> None:
    """Read all profiles anew: for tests, whose databases use the same ids for other people."""
    global _profiles  # noqa: PLW0603  replaced as a whole, so that runs of other pools keep what they have
    _profiles = _stacked({})


def match_pool(pool_id: int) -> int:
    """Match the pool's waiting tickets with its free people once, and make the offers. Outermost.

    Returns the number of offers made. Waits for a run of the same pool that is under way; safe to run twice.
    """
    plan = routes.routes()
    policy = routes.policy(pool_id)
    with timeline.command():
        tickets = _waiting(pool_id, plan)
        if not tickets:
            return 0
        agents = _free(pool_id)
        if not agents:
            _flag(pool_id, tickets, plan, [False] * len(tickets))
            return 0
        problem = _problem(tickets, agents, plan, policy)
        begun = time.perf_counter()
        solution = solve(problem)
        micros = int((time.perf_counter() - begun) * 1e6)
        _flag(pool_id, tickets, plan, [bool(row.any()) for row in solution.scores.eligible])
        made = _take(tickets, agents, solution, plan)
        if not made:
            return 0
        run = Run(
            pool_id=pool_id,
            policy_id=policy.id,
            tickets=len(tickets),
            agents=len(agents),
            offers=len(made),
            solve_micros=micros,
            snapshot=snapshot.pack(problem, solution),
        )
        insert([run])
        return _write(made, run)


# --- What it sees -----------------------------------------------------------------------------------------------------


def queue_of(pool_id: int, plan: Routes) -> QuerySet[Ticket]:
    """Tickets that wait and whose topic's route leads to this pool."""
    mine = [topic_id for topic_id, route in plan.by_topic.items() if route.pool_id == pool_id]
    condition = Q(topic_id__in=mine)
    if plan.default is not None and plan.default.pool_id == pool_id:
        condition |= Q(topic_id__isnull=True) | ~Q(topic_id__in=list(plan.by_topic))
    return Ticket.objects.filter(condition, state=TicketState.WAITING)


WAITING = """
    SELECT pg_advisory_xact_lock(%(lock)s, %(pool)s);
    SELECT t.id, t.public_id, extract(epoch FROM statement_timestamp() - t.waiting_since)::float8, t.priority, t.topic_id,
           t.language, t.summary, t.flagged_at IS NOT NULL,
           ARRAY(SELECT o.agent_id FROM dispatch_offer o JOIN tickets_ticket other ON other.id = o.ticket_id
                 WHERE other.customer_id = t.customer_id AND o.state = 'completed'),
           (SELECT json_agg(json_build_object('agent', o.agent_id,
                                              'ago', extract(epoch FROM statement_timestamp() - o.ended_at)::float8))
            FROM dispatch_offer o WHERE o.ticket_id = t.id AND o.state IN ('declined', 'released'))
    FROM tickets_ticket t
    WHERE t.state = 'waiting'
      AND (t.topic_id = ANY(%(mine)s) OR %(default)s AND (t.topic_id IS NULL OR t.topic_id <> ALL(%(routed)s)))
      AND NOT EXISTS (SELECT FROM dispatch_offer o WHERE o.ticket_id = t.id AND o.state = 'pending')
    ORDER BY t.waiting_since, t.id LIMIT %(most)s
"""


def _waiting(pool_id: int, plan: Routes) -> list[TicketRow]:
    """Lock the pool for this run, then read tickets without an open offer, oldest first. Two statements in one journey,
    so the second sees what was committed while the first waited. Written out: it runs for every ticket
    (tickets/statements.py tells what the ORM would cost).
    """
    with connection.cursor() as cursor:
        cursor.execute(WAITING, _queue(pool_id, plan) | {"most": MOST_TICKETS})
        return [TicketRow._make((*row[:-1], row[-1] or [])) for row in cursor.fetchall()]


def _queue(pool_id: int, plan: Routes) -> dict[str, Any]:
    """The condition of queue_of() as parameters."""
    return {
        "mine": [topic_id for topic_id, route in plan.by_topic.items() if route.pool_id == pool_id],
        "default": plan.default is not None and plan.default.pool_id == pool_id,
        "routed": list(plan.by_topic),
        "lock": LOCK_CLASS,
        "pool": pool_id,
    }


FREE = """
    SELECT s.agent_id, s.id, s.units, s.units_taken, extract(epoch FROM statement_timestamp() - s.idle_since)::float8,
           a.profile_version, coalesce(standing.accept_rate, 1), coalesce(standing.share, 1)
    FROM agents_shift s
    JOIN agents_agent a ON a.id = s.agent_id
    JOIN agents_user u ON u.id = a.user_id
    JOIN agents_lease lease ON lease.shift_id = s.id
    JOIN agents_agent_pools member ON member.agent_id = a.id AND member.pool_id = %s
    LEFT JOIN dispatch_standing standing ON standing.agent_id = a.id
    WHERE s.state = 'online' AND s.ended_at IS NULL AND s.lost_at IS NULL AND s.units_taken < s.units
      AND lease.expires_at > statement_timestamp() AND a.status = 'admitted' AND u.is_active
      AND NOT EXISTS (SELECT FROM dispatch_offer o WHERE o.agent_id = s.agent_id AND o.state = 'pending')
    ORDER BY s.agent_id
"""


def _free(pool_id: int) -> list[AgentRow]:
    """People of the pool who are online, have units free and no open offer. One query, written out as WAITING."""
    with connection.cursor() as cursor:
        cursor.execute(FREE, [pool_id])
        return [AgentRow._make(row) for row in cursor.fetchall()]


def _shifts(pool_id: int) -> QuerySet[Shift]:
    return Shift.objects.filter(
        state=ShiftState.ONLINE,
        lost_at__isnull=True,
        lease__expires_at__gt=Now(),
        agent__pools=pool_id,
        agent__status=AgentStatus.ADMITTED,
        agent__user__is_active=True,
    )


def _profiles_of(versions: Sequence[tuple[int, int]]) -> Profiles:
    """Skills and languages of at least (agent id, profile version); two queries if any is new or changed, else none."""
    global _profiles  # noqa: PLW0603  as above
    known = _profiles
    stale = [
        agent_id
        for agent_id, version in versions
        if (profile := known.of.get(agent_id)) is None or profile.version != version
    ]
    if not stale:
        return known
    of = dict(known.of)
    levels: dict[int, dict[int, int]] = defaultdict(dict)
    for agent_id, skill_id, level in AgentSkill.objects.filter(agent_id__in=stale).values_list(
        "agent_id", "skill_id", "level"
    ):
        levels[agent_id][skill_id] = level
    for agent_id, version, languages in Agent.objects.filter(pk__in=stale).values_list(
        "pk", "profile_version", "languages"
    ):
        mask = sum(1 << place for place, code in enumerate(LANGUAGES) if code in languages)
        of[agent_id] = Profile(version, levels[agent_id], mask)
    _profiles = _stacked(of)
    return _profiles


def _problem(
    tickets: Sequence[TicketRow], agents: Sequence[AgentRow], plan: Routes, policy: PolicySpec
) -> Problem:
    """The columns that the solver works on."""
    specs = [_spec(plan, row) for row in tickets]
    profiles = _profiles_of([(row.id, row.profile_version) for row in agents])
    people = dict(zip(AgentRow._fields, zip(*agents, strict=True), strict=True))
    rows = [profiles.row[agent_id] for agent_id in people["id"]]
    skills, levels = profiles.skills, profiles.levels[rows]
    needed = {skill for spec in specs for skill in (*spec.required, *spec.preferred)}
    column = {skill: place for place, skill in enumerate(skills.tolist())}
    if missing := sorted(needed - column.keys()):  # nobody has them
        column |= {skill: len(column) + place for place, skill in enumerate(missing)}
        skills = np.append(skills, missing)
        levels = np.append(levels, np.zeros((len(agents), len(missing)), np.int8), axis=1)
    units, taken = np.array(people["units"], np.int32), np.array(people["units_taken"], np.int32)
    here = set(people["id"])
    return Problem(
        tickets=Tickets(
            id=np.array([row.id for row in tickets], np.int64),
            waited_seconds=np.array([max(row.waited, 0.0) for row in tickets]),
            target_seconds=np.array([spec.target_seconds or 1 for spec in specs], np.float64),
            max_wait_seconds=np.array([spec.max_wait_seconds or inf for spec in specs], np.float64),
            priority=np.array([min(max(row.priority, -1), 10) for row in tickets], np.float64),
            units=np.array([spec.units for spec in specs], np.int32),
            language=np.array(
                [LANGUAGES.index(row.language) if row.language in LANGUAGES else -1 for row in tickets],
                np.int8,
            ),
            required=_needs([spec.required for spec in specs], column),
            preferred=_needs([spec.preferred for spec in specs], column),
            known=Pairs.of((row.id, agent) for row in tickets for agent in row.known),
            excluded=Pairs.of((row.id, agent) for row in tickets for agent in _excluded(row, here)),
        ),
        agents=Agents(
            id=np.array(people["id"], np.int64),
            free_units=units - taken,
            capacity_units=units,
            load=(taken / units).astype(np.float32),
            idle_seconds=np.maximum(np.array(people["idle"], np.float32), 0),
            share=np.array(people["share"], np.float32),
            languages=profiles.languages[rows],
            levels=levels,
            skill_id=skills,
            accept=np.array(people["accept_rate"], np.float32),
        ),
        weights=policy.weights,
        fair_share=1.0,  # Standing.share is relative to the pool's mean already
    )


def _spec(plan: Routes, row: TicketRow) -> RouteSpec:
    spec = plan.of(row.topic_id)
    assert spec is not None  # the queue's condition let only routed tickets in
    return spec


def _needs(rows: Sequence[dict[int, int]], column: dict[int, int]) -> Needs:
    flat = [(place, column[skill], level) for place, row in enumerate(rows) for skill, level in row.items()]
    return Needs(
        np.array([one[0] for one in flat], np.int32),
        np.array([one[1] for one in flat], np.int32),
        np.array([one[2] for one in flat], np.int8),
    )


def _excluded(row: TicketRow, here: set[int]) -> Iterable[int]:
    """Who said no to this ticket: not asked again until everybody else who is free did, and never within a minute."""
    recent = {said["agent"] for said in row.answered if said["ago"] < AGAIN_SECONDS}
    said_no = {said["agent"] for said in row.answered}
    return recent if here <= said_no else said_no


# --- What it writes ---------------------------------------------------------------------------------------------------


class Made(NamedTuple):
    ticket: TicketRow
    agent: AgentRow
    spec: RouteSpec
    reason: Reason


def wanted_pairs(
    tickets: Sequence[TicketRow], agents: Sequence[AgentRow], solution: Solution, plan: Routes
) -> list[Made]:
    """The solver's pairs, with what an offer needs of each."""
    return [
        Made(tickets[i], agents[j], _spec(plan, tickets[i]), reason)
        for (i, j, _value), reason in zip(solution.pairs, reasons(solution), strict=True)
    ]


def _take(
    tickets: Sequence[TicketRow], agents: Sequence[AgentRow], solution: Solution, plan: Routes
) -> list[Made]:
    """Take the units of each pair's shift; pairs whose agent has gone since, or was offered something by the run of
    another pool, are dropped. Two statements, one journey.
    """
    wanted = wanted_pairs(tickets, agents, solution, plan)
    if not wanted:
        return []
    units = {made.agent.shift_id: made.spec.units for made in wanted}
    ordered = sorted(units)
    with connection.cursor() as cursor:
        # Locked in order first: the UPDATE alone would lock in the order of its plan. And in a statement of its own: only
        # the next one sees the offers that were made by whoever held these locks before. One journey all the same.
        cursor.execute(
            "SELECT 1 FROM agents_shift WHERE id = ANY(%s) ORDER BY id FOR UPDATE;"
            " UPDATE agents_shift s SET units_taken = s.units_taken + w.units"
            " FROM unnest(%s::bigint[], %s::int[]) AS w(id, units)"
            " WHERE w.id = s.id AND s.state = 'online' AND s.lost_at IS NULL AND s.units_taken + w.units <= s.units"
            " AND NOT EXISTS (SELECT 1 FROM dispatch_offer o WHERE o.agent_id = s.agent_id AND o.state = 'pending')"
            " RETURNING s.id",
            [ordered, ordered, [units[shift_id] for shift_id in ordered]],
        )
        taken = {row[0] for row in cursor.fetchall()}
    return [made for made in wanted if made.agent.shift_id in taken]


def _write(made: Sequence[Made], run: Run) -> int:
    """Offers, the tickets' timelines, the agents' feeds: five queries, whatever their number. Returns offers written."""
    agents_of: dict[int, list[int]] = defaultdict(list)
    for one in made:
        agents_of[one.ticket.id].append(one.agent.id)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tickets_ticket SET last_seq = last_seq + 1 WHERE id = ANY(%s) AND state = 'waiting'"
            " RETURNING id, public_id, last_seq",
            [list(agents_of)],
        )
        waiting = cursor.fetchall()
    still = timeline.store(
        waiting,
        ticket_events.OFFERED,
        {ticket_id: {"agents": agents} for ticket_id, agents in agents_of.items()},
    )
    for one in made:
        if one.ticket.id not in still:  # the customer closed it since it was read
            units_free(one.agent.shift_id, one.spec.units)
    standing = [one for one in made if one.ticket.id in still]
    today = timezone.localdate()
    rates = routes.rates()
    offers = []
    deadlines = {
        one.spec.offer_seconds: Now() + timedelta(seconds=one.spec.offer_seconds) for one in standing
    }
    for one in standing:
        pay = price(one.ticket.topic_id, today, rates)
        offers.append(
            Offer(
                ticket_id=one.ticket.id,
                agent_id=one.agent.id,
                shift_id=one.agent.shift_id,
                run=run,
                units=one.spec.units,
                pay_cents=pay.cents,
                currency=pay.currency,
                expires_at=deadlines[one.spec.offer_seconds],
                why=one.reason,
            )
        )
    if not offers:
        return 0
    insert(offers)
    feed.record_many([(offer.agent_id, events.OFFER_MADE, {"offer": offer.pk}) for offer in offers])
    return len(offers)


def _flag(pool_id: int, tickets: Sequence[TicketRow], plan: Routes, possible: Sequence[bool]) -> None:
    """Mark tickets that nobody who is online could take, busy or not, and unmark those that somebody could.

    No query while somebody free can take each ticket; one or two more when not, and those of the marks.
    """
    stuck = [row for row, can in zip(tickets, possible, strict=True) if not can]
    helped = [row.id for row, can in zip(tickets, possible, strict=True) if can and row.flagged]
    online = _online(pool_id) if stuck else []
    alone = []
    for row in stuck:
        spec = _spec(plan, row)
        said_no = {said["agent"] for said in row.answered if said["ago"] < AGAIN_SECONDS}
        someone = any(agent_id not in said_no and _able(profile, spec, row) for agent_id, profile in online)
        if someone and row.flagged:
            helped.append(row.id)
        elif not someone and not row.flagged:
            alone.append(row.id)
    for ids, event, mark in ((alone, ticket_events.FLAGGED, Now()), (helped, ticket_events.UNFLAGGED, None)):
        if ids:
            timeline.advance(
                Ticket.objects.filter(pk__in=ids, state=TicketState.WAITING), event, flagged_at=mark
            )


def _online(pool_id: int) -> list[tuple[int, Profile]]:
    """Everybody of the pool who is online, busy or not."""
    versions = list(_shifts(pool_id).values_list("agent_id", "agent__profile_version"))
    profiles = _profiles_of(versions)
    return [(agent_id, profiles.of[agent_id]) for agent_id, _version in versions]


def _able(profile: Profile, spec: RouteSpec, row: TicketRow) -> bool:
    speaks = row.language not in LANGUAGES or profile.languages >> LANGUAGES.index(row.language) & 1
    return bool(speaks) and all(
        profile.levels.get(skill, 0) >= level for skill, level in spec.required.items()
    )
