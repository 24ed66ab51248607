"""What a run sees: the tickets that wait, the people who are free, their skills; as columns for the solver."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

import numpy as np
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from agents.models import Agent, AgentSkill, AgentStatus, Shift, ShiftState
from dispatch.matching.problem import F32, I8, I32, I64, Agents, Needs, Pairs, Problem, Tickets
from dispatch.routes import LANGUAGES, PolicySpec, Routes, RouteSpec
from tickets import kept
from tickets.models import Ticket, TicketState
from tickets.planned import planned

MOST_TICKETS = 2000  # a run; the rest waits for the next one, oldest first
AGAIN_SECONDS = (
    60  # a declined ticket comes to the same person again at the earliest after this, and last of all
)


class TicketRow(NamedTuple):
    id: int
    waited: float
    priority: int
    topic_id: int | None
    language: str
    flagged: bool
    known: list[int]
    answered: list[dict[str, Any]]  # {"agent", "ago"}: who declined it, seconds ago


@dataclass(frozen=True)
class People:
    """m free people, a column a field, by id."""

    id: I64
    shift_id: I64
    units: I32
    units_taken: I32
    idle: F32  # seconds
    profile_version: I64
    accept_rate: F32
    share: F32

    def __len__(self) -> int:
        return len(self.id)

    @classmethod
    def nobody(cls) -> "People":
        wide, narrow, measured = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)
        return cls(wide, wide, narrow, narrow, measured, wide, measured, measured)


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
    ids: I64  # (agents,) ascending
    versions: I64  # (agents,)
    skills: I64  # (s,) ascending
    levels: I8  # (agents, s)
    languages: I64  # (agents,)

    def rows(self, ids: I64) -> Any:
        """Rows of these agents, who must be known."""
        return np.searchsorted(self.ids, ids)

    def stale(self, ids: I64, versions: I64) -> list[int]:
        """Those of these agents whose profile is not known at this version."""
        if not len(self.ids):
            return list(ids.tolist())
        rows = np.minimum(self.rows(ids), len(self.ids) - 1)
        return list(ids[(self.ids[rows] != ids) | (self.versions[rows] != versions)].tolist())


def _stacked(of: dict[int, Profile]) -> Profiles:
    ids = sorted(of)
    skills = sorted({skill for profile in of.values() for skill in profile.levels})
    column = {skill: place for place, skill in enumerate(skills)}
    levels = np.zeros((len(of), len(skills)), np.int8)
    for place, agent_id in enumerate(ids):
        for skill, level in of[agent_id].levels.items():
            levels[place, column[skill]] = level
    return Profiles(
        of=of,
        ids=np.array(ids, np.int64),
        versions=np.array([of[agent_id].version for agent_id in ids], np.int64),
        skills=np.array(skills, np.int64),
        levels=levels,
        languages=np.array([of[agent_id].languages for agent_id in ids], np.int64),
    )


_profiles = _stacked({})  # a process; a version from the database says when one is stale


def profiles_forget() -> None:
    """Read all profiles anew: for tests, whose databases use the same ids for other people."""
    global _profiles  # noqa: PLW0603  replaced as a whole, so that runs of other pools keep what they have
    _profiles = _stacked({})


# --- Tickets ----------------------------------------------------------------------------------------------------------


def queue_of(pool_id: int, plan: Routes) -> QuerySet[Ticket]:
    """Tickets that wait and whose topic's route leads to this pool."""
    condition = Q(topic_id__in=_topics_of(pool_id, plan))
    if _is_default(pool_id, plan):
        condition |= Q(topic_id__isnull=True) | ~Q(topic_id__in=list(plan.by_topic))
    return Ticket.objects.filter(condition, state=TicketState.WAITING)


def _topics_of(pool_id: int, plan: Routes) -> list[int]:
    return [topic_id for topic_id, route in plan.by_topic.items() if route.pool_id == pool_id]


def _is_default(pool_id: int, plan: Routes) -> bool:
    return plan.default is not None and plan.default.pool_id == pool_id


_QUEUE = """
    SELECT t.id, extract(epoch FROM statement_timestamp() - t.waiting_since)::float8 AS waited, t.priority, t.topic_id,
           t.language, t.flagged_at IS NOT NULL AS flagged, t.waiting_since,
           ARRAY(SELECT o.agent_id FROM dispatch_offer o JOIN tickets_ticket other ON other.id = o.ticket_id
                 WHERE other.customer_id = t.customer_id AND o.state = 'completed') AS known,
           (SELECT json_agg(json_build_object('agent', o.agent_id,
                                              'ago', extract(epoch FROM statement_timestamp() - o.ended_at)::float8))
            FROM dispatch_offer o WHERE o.ticket_id = t.id AND o.state IN ('declined', 'released')) AS answered
    FROM tickets_ticket t
    WHERE t.state = 'waiting'
      AND (t.topic_id = ANY($1::bigint[]) OR $2::bool AND (t.topic_id IS NULL OR t.topic_id <> ALL($3::bigint[])))
      AND NOT EXISTS (SELECT FROM dispatch_offer o WHERE o.ticket_id = t.id AND o.state = 'pending')
    ORDER BY t.waiting_since, t.id LIMIT $4::bigint
"""
# Who is admitted, and how they did of late, is not asked here: that is kept, and what is written is checked once more.
_FREE = """
    SELECT s.agent_id, s.id AS shift_id, s.units, s.units_taken,
           extract(epoch FROM statement_timestamp() - s.idle_since)::real AS idle
    FROM agents_shift s
    JOIN agents_lease lease ON lease.shift_id = s.id
    JOIN agents_agent_pools member ON member.agent_id = s.agent_id AND member.pool_id = $5
    WHERE s.state = 'online' AND s.ended_at IS NULL AND s.lost_at IS NULL AND s.units_taken < s.units
      AND lease.expires_at > statement_timestamp()
      AND s.agent_id NOT IN (SELECT o.agent_id FROM dispatch_offer o WHERE o.state = 'pending')
    ORDER BY s.agent_id
"""
# One row: the solver wants columns, and 500 rows take longer to receive than to find. The columns come as PostgreSQL's binary
# form, which is numpy's too, with the highest byte first. While no ticket waits, nobody looks for people.
_SEE = f"""
    WITH queue AS MATERIALIZED ({_QUEUE})
    SELECT (SELECT json_agg(json_build_array(id, waited, priority, topic_id, language, flagged, known, answered)
                            ORDER BY waiting_since, id) FROM queue),
           string_agg(int8send(agent_id), ''), string_agg(int8send(shift_id), ''), string_agg(int4send(units), ''),
           string_agg(int4send(units_taken), ''), string_agg(float4send(idle), '')
    FROM ({_FREE}) AS free WHERE EXISTS (SELECT FROM queue)
"""  # noqa: S608  nothing from outside is in it


def see(pool_id: int, plan: Routes, lock: str, lock_params: Sequence[int]) -> tuple[list[TicketRow], People]:
    """Lock the pool by this statement, then read what waits without an open offer, oldest first (queue_of() written out), and,
    if anything does, the pool's people who are online, have units free and no open offer.

    One query, and those of the members when they are not kept. All are as they are once the lock is there.
    """
    [(queue, *columns)] = planned(
        _SEE,
        [_topics_of(pool_id, plan), _is_default(pool_id, plan), list(plan.by_topic), MOST_TICKETS, pool_id],
        first=lock,
        first_params=lock_params,
    )
    tickets = [TicketRow._make((*row[:-1], row[-1] or [])) for row in queue or []]
    return tickets, _people(
        pool_id, [np.frombuffer(c or b"", t) for c, t in zip(columns, _TYPES, strict=True)]
    )


# --- People -----------------------------------------------------------------------------------------------------------

_MEMBERS = """
    SELECT array_agg(a.id ORDER BY a.id), array_agg(a.profile_version ORDER BY a.id),
           array_agg(coalesce(standing.accept_rate, 1)::real ORDER BY a.id),
           array_agg(coalesce(standing.share, 1)::real ORDER BY a.id)
    FROM agents_agent_pools member
    JOIN agents_agent a ON a.id = member.agent_id
    JOIN agents_user u ON u.id = a.user_id
    LEFT JOIN dispatch_standing standing ON standing.agent_id = a.id
    WHERE member.pool_id = %s AND a.status = 'admitted' AND u.is_active
"""


@dataclass(frozen=True)
class Members:
    """The k people who may work for a pool, online or not, a column a field, by id."""

    id: I64
    profile_version: I64
    accept_rate: F32
    share: F32


def members(pool_id: int) -> Members:
    """Members of the pool. One query when they are not kept."""
    return kept.keep(_name_of(pool_id), lambda: _load_members(pool_id))


def members_forget(pool_id: int) -> None:
    """Read them anew at the next look."""
    kept.forget(_name_of(pool_id))


def _name_of(pool_id: int) -> tuple[str, int]:
    return ("members", pool_id)


def _load_members(pool_id: int) -> Members:
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, [pool_id])
        columns = cursor.fetchone()
    types = (np.int64, np.int64, np.float32, np.float32)
    return Members(*(np.array(column or [], dtype) for column, dtype in zip(columns, types, strict=True)))


_TYPES = (">i8", ">i8", ">i4", ">i4", ">f4")  # of _SEE's columns


def _people(pool_id: int, columns: Sequence[Any]) -> People:
    """Those of these people who are members. Who is not known as one may have become one since: they are read once more."""
    ids, *rest = (column.astype(column.dtype.newbyteorder("=")) for column in columns)
    if not len(ids):
        return People.nobody()
    known = members(pool_id)
    if not np.isin(ids, known.id, assume_unique=True).all():
        members_forget(pool_id)
        known = members(pool_id)
        here = np.isin(ids, known.id, assume_unique=True)
        ids, *rest = ids[here], *(column[here] for column in rest)
    rows = np.searchsorted(known.id, ids)
    return People(*(ids, *rest, known.profile_version[rows], known.accept_rate[rows], known.share[rows]))


def online(pool_id: int) -> list[tuple[int, Profile]]:
    """Everybody of the pool who is online, busy or not. One query, two more if a profile is new or changed."""
    rows = list(
        Shift.objects.filter(
            state=ShiftState.ONLINE,
            lost_at__isnull=True,
            lease__expires_at__gt=Now(),
            agent__pools=pool_id,
            agent__status=AgentStatus.ADMITTED,
            agent__user__is_active=True,
        ).values_list("agent_id", "agent__profile_version")
    )
    profiles = _profiles_of(
        np.array([agent_id for agent_id, _version in rows], np.int64),
        np.array([version for _agent_id, version in rows], np.int64),
    )
    return [(agent_id, profiles.of[agent_id]) for agent_id, _version in rows]


def able(profile: Profile, spec: RouteSpec, row: TicketRow) -> bool:
    """Whether somebody with this profile may take the ticket, had they the time."""
    speaks = row.language not in LANGUAGES or profile.languages >> LANGUAGES.index(row.language) & 1
    return bool(speaks) and all(
        profile.levels.get(skill, 0) >= level for skill, level in spec.required.items()
    )


def _profiles_of(ids: I64, versions: I64) -> Profiles:
    """Skills and languages of at least these agents; two queries if any is new or changed, else none."""
    global _profiles  # noqa: PLW0603  as above
    known = _profiles
    stale = known.stale(ids, versions)
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


# --- Both -------------------------------------------------------------------------------------------------------------


def problem_of(tickets: Sequence[TicketRow], people: People, plan: Routes, policy: PolicySpec) -> Problem:
    """The columns that the solver works on. Two queries if a profile is new or changed, else none."""
    specs = [spec_of(plan, row) for row in tickets]
    profiles = _profiles_of(people.id, people.profile_version)
    rows = profiles.rows(people.id)
    skills, levels = profiles.skills, profiles.levels[rows]
    needed = {skill for spec in specs for skill in (*spec.required, *spec.preferred)}
    column = {skill: place for place, skill in enumerate(skills.tolist())}
    if missing := sorted(needed - column.keys()):  # nobody has them
        column |= {skill: len(column) + place for place, skill in enumerate(missing)}
        skills = np.append(skills, missing)
        levels = np.append(levels, np.zeros((len(people), len(missing)), np.int8), axis=1)
    here = set(people.id.tolist()) if any(row.answered for row in tickets) else set()
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
            required=Needs.of([spec.required for spec in specs], column),
            preferred=Needs.of([spec.preferred for spec in specs], column),
            known=Pairs.of((row.id, agent) for row in tickets for agent in row.known),
            excluded=Pairs.of(
                (row.id, agent) for row in tickets if row.answered for agent in _excluded(row, here)
            ),
        ),
        agents=Agents(
            id=people.id,
            free_units=people.units - people.units_taken,
            capacity_units=people.units,
            load=(people.units_taken / people.units).astype(np.float32),
            idle_seconds=np.maximum(people.idle, np.float32(0)),
            share=people.share,
            languages=profiles.languages[rows],
            levels=levels,
            skill_id=skills,
            accept=people.accept_rate,
        ),
        weights=policy.weights,
        fair_share=1.0,  # Standing.share is relative to the pool's mean already
    )


def spec_of(plan: Routes, row: TicketRow) -> RouteSpec:
    """The route of a ticket that waits in a pool."""
    spec = plan.of(row.topic_id)
    assert spec is not None  # the queue's condition let only routed tickets in
    return spec


def _excluded(row: TicketRow, here: set[int]) -> Iterable[int]:
    """Who said no to this ticket: not asked again until everybody else who is free did, and never within a minute."""
    recent = {said["agent"] for said in row.answered if said["ago"] < AGAIN_SECONDS}
    said_no = {said["agent"] for said in row.answered}
    return recent if here <= said_no else said_no
