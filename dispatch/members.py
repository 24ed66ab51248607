"""Who may work for a pool, and what they can: kept in the process, read by every run and changed a few times a day.

Profiles have a version in the database, which says when one is stale; who is admitted is kept for two seconds. What is written
by a run is checked once more against both (runs.STILL_FREE).
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, date, datetime, time, timedelta
from math import inf
from typing import Any, NamedTuple

import numpy as np
from django.db import connection
from django.db.models.functions import Extract, Now
from django.utils import timezone

from agents.models import Agent, AgentSkill, AgentStatus, Shift, ShiftState
from dispatch.matching.problem import F32, F64, I8, I64, certified
from dispatch.routes import LANGUAGES
from tickets import kept


@dataclass(frozen=True)
class Profile:
    """An agent's skills and languages at one version of them."""

    version: int
    levels: dict[int, int]  # skill id → level
    languages: int  # bits, in the order of LANGUAGES
    ends: dict[int, float] = field(
        default_factory=dict
    )  # skill id → when its certificate ends, in epoch seconds

    def level(self, skill: int, now: float) -> int:
        """Of a skill, or of a skill with a certificate (`certified`) at this moment; 0 for what they have not."""
        if skill < 0 and self.ends.get(certified(skill), 0.0) <= now:
            return 0
        return self.levels.get(abs(skill), 0)


@dataclass(frozen=True)
class Profiles:
    """Profiles of everybody this process has seen, and the same as a matrix, of which a run picks its people's rows."""

    of: dict[int, Profile]  # by agent id
    ids: I64  # (agents,) ascending
    versions: I64  # (agents,)
    skills: I64  # (s,) ascending
    levels: I8  # (agents, s)
    languages: I64  # (agents,)
    ends: dict[int, F64]  # skill id → (agents,) when the certificate ends, in epoch seconds; 0: there is none

    def certified(self, skill: int, rows: Any, now: float) -> I8:
        """Levels of these rows in this skill, 0 where the certificate is not valid at this moment."""
        if skill not in self.ends:
            return np.zeros(len(rows), np.int8)
        levels = self.levels[rows, np.searchsorted(self.skills, skill)]
        return np.where(self.ends[skill][rows] > now, levels, 0).astype(np.int8)

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
    ends: dict[int, F64] = defaultdict(lambda: np.zeros(len(of)))
    for place, agent_id in enumerate(ids):
        for skill, end in of[agent_id].ends.items():
            ends[skill][place] = end
    return Profiles(
        of=of,
        ids=np.array(ids, np.int64),
        versions=np.array([of[agent_id].version for agent_id in ids], np.int64),
        skills=np.array(skills, np.int64),
        levels=levels,
        languages=np.array([of[agent_id].languages for agent_id in ids], np.int64),
        ends=dict(ends),
    )


_profiles = _stacked({})  # a process; a version from the database says when one is stale


def profiles_forget() -> None:
    """Read all profiles anew: for tests, whose databases use the same ids for other people."""
    global _profiles  # noqa: PLW0603  replaced as a whole, so that runs of other pools keep what they have
    _profiles = _stacked({})


def profiles_of(ids: I64, versions: I64) -> Profiles:
    """Skills and languages of at least these agents; two queries if any is new or changed, else none."""
    global _profiles  # noqa: PLW0603  as above
    known = _profiles
    stale = known.stale(ids, versions)
    if not stale:
        return known
    of = dict(known.of)
    levels: dict[int, dict[int, int]] = defaultdict(dict)
    ends: dict[int, dict[int, float]] = defaultdict(dict)
    for agent_id, skill_id, level, until in AgentSkill.objects.filter(agent_id__in=stale).values_list(
        "agent_id", "skill_id", "level", "certified_until"
    ):
        levels[agent_id][skill_id] = level
        if until is not None:
            ends[agent_id][skill_id] = day_end(until)
    for agent_id, version, languages in Agent.objects.filter(pk__in=stale).values_list(
        "pk", "profile_version", "languages"
    ):
        mask = sum(1 << place for place, code in enumerate(LANGUAGES) if code in languages)
        of[agent_id] = Profile(version, levels[agent_id], mask, ends[agent_id])
    _profiles = _stacked(of)
    return _profiles


def day_end(day: date) -> float:
    """The midnight after this day in TIME_ZONE, in epoch seconds.

    Kept instead of a yes or no, and compared with the database's clock by each run: nothing tells of a day that is over.
    """
    if day.year == MAXYEAR:
        return inf
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min)).timestamp()


# Everybody's earnings are against the mean of this pool: where one pays less than others, its people would else all seem to
# have earned little, and differ less. Drawn by an hour at the mean, as in queue.standings_refresh.
_MEMBERS = """
    SELECT array_agg(a.id ORDER BY a.id), array_agg(a.profile_version ORDER BY a.id),
           array_agg(coalesce(standing.accept_rate, 1)::real ORDER BY a.id),
           array_agg(coalesce(CASE WHEN pool.hourly > 0
                                   THEN (standing.earned + pool.hourly) / (standing.hours + 1) / pool.hourly
                                   WHEN pool.hourly IS NULL THEN standing.share END, 1)::real ORDER BY a.id),
           array_agg(coalesce(standing.answered, 0) ORDER BY a.id),
           array_agg(coalesce(standing.quality, 0)::real ORDER BY a.id),
           array_agg(a.auto_accept ORDER BY a.id),
           jsonb_object_agg(a.id, standing.accept_by_topic) FILTER (WHERE standing.accept_by_topic <> '{}')
    FROM agents_agent_pools member
    JOIN agents_agent a ON a.id = member.agent_id
    JOIN agents_user u ON u.id = a.user_id
    LEFT JOIN dispatch_standing standing ON standing.agent_id = a.id
    LEFT JOIN dispatch_poolstanding pool ON pool.pool_id = member.pool_id
    WHERE member.pool_id = %s AND a.status = 'admitted' AND u.is_active
"""


@dataclass(frozen=True)
class Members:
    """The k people who may work for a pool, online or not, a column a field, by id."""

    id: I64
    profile_version: I64
    accept_rate: F32
    share: F32  # earnings per online hour, 1 = this pool's mean
    answered: I64
    quality: F32
    auto_accept: Any  # (k,) of bool
    by_topic: Mapping[
        int, F32
    ]  # topic id (0: none) → accept_rate of such tickets, where anybody has one of their own


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
        *columns, own = cursor.fetchone()
    types = (np.int64, np.int64, np.float32, np.float32, np.int64, np.float32, np.bool_)
    arrays: list[Any] = [np.array(column or [], dtype) for column, dtype in zip(columns, types, strict=True)]
    by_topic = _by_topic(arrays[0], arrays[2], json.loads(own) if own else {})
    return Members(*[*arrays, by_topic])


def _by_topic(ids: I64, in_all: F32, own: Mapping[str, Mapping[str, float]]) -> dict[int, F32]:
    """Topic id → (k,) acceptance; of agent id → topic id → theirs, and in all where they have none of their own."""
    found: dict[int, F32] = defaultdict(in_all.copy)
    place = {str(agent_id): at for at, agent_id in enumerate(ids.tolist())}
    for agent_id, rates in own.items():
        for topic, rate in rates.items():
            found[int(topic)][place[agent_id]] = rate
    return dict(found)


def auto_accepting(pool_id: int) -> set[int]:
    """Members of the pool who accept automatically, as is known. No query while members() are kept."""
    known = members(pool_id)
    return set(known.id[known.auto_accept].tolist())


class Present(NamedTuple):
    """One person online, in one of the pools asked for."""

    agent_id: int
    pool_id: int
    profile: Profile
    seen_at: float  # epoch seconds of the database's clock


def online(pool_ids: Collection[int]) -> list[Present]:
    """Everybody of these pools who is online, busy or not. One query, two more if a profile is new or changed."""
    rows = list(
        Shift.objects.filter(
            state=ShiftState.ONLINE,
            lost_at__isnull=True,
            lease__expires_at__gt=Now(),
            agent__pools__in=pool_ids,
            agent__status=AgentStatus.ADMITTED,
            agent__user__is_active=True,
        ).values_list("agent_id", "agent__pools", "agent__profile_version", Extract(Now(), "epoch"))
    )
    versions = {agent_id: version for agent_id, _pool, version, _now in rows}
    profiles = profiles_of(np.array(list(versions), np.int64), np.array(list(versions.values()), np.int64))
    return [
        Present(agent_id, pool_id, profiles.of[agent_id], float(now))
        for agent_id, pool_id, _version, now in rows
    ]


def able(one: Present, required: Mapping[int, int], language: str) -> bool:
    """Whether they may take a ticket of these needs, had they the time."""
    speaks = language not in LANGUAGES or one.profile.languages >> LANGUAGES.index(language) & 1
    return bool(speaks) and all(
        one.profile.level(skill, one.seen_at) >= level for skill, level in required.items()
    )
