"""How many people the forecast takes, by half hour, beside those who have booked and those who are usually online; and what if.

The formulas are those of dispatch/forecast/erlang.py and sharing.py. What a ticket takes is from the log of the last DAYS: work
from accepting to the end, patience from waits (of those who were served, too: theirs was cut off), answers from offers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from agents.models import Agent, AgentStatus, Shift
from dispatch import routes
from dispatch.forecast.erlang import Service, Work, mean_patience, people_needed, service
from dispatch.forecast.history import F64, SLOTS, slot_of
from dispatch.forecast.sharing import Skills, least_people
from dispatch.forecasting import DAYS as FORECAST_DAYS
from dispatch.forecasting import LENGTH, Key, Outlook, half_hours, house, keys_of
from dispatch.models import Booking, NeededHour
from tickets.models import Channel, EndedAs

DAYS = 28  # of the log
LEAST = 20  # tickets, below which the log says nothing of work, and the routes' minutes are taken
UNITS = 100  # of a person's attention
AWAY = 60.0  # seconds until somebody who has missed an offer is back, as in the simulator
AHEAD = (FORECAST_DAYS - 1) * SLOTS  # half hours that a page shows


@dataclass(frozen=True)
class Case:
    """What if. None: as it is."""

    demand_percent: int = 0  # more or less
    handling_minutes: float | None = None
    target_seconds: int | None = None
    share_percent: int = 80
    people: int | None = None  # online in each half hour, instead of those who booked or usually come

    @property
    def plain(self) -> bool:
        return self == Case(share_percent=self.share_percent)


@dataclass(frozen=True)
class Row:
    """A half hour. People are whole; `expected` is what those who come would give."""

    begins: datetime
    tickets: float
    low: float
    high: float
    usual: float  # by the seasonal average
    needed: int | None  # None: no number of people would do
    least: int | None  # if everybody could do everything
    most: int | None  # if nobody could do more than one thing
    booked: int
    online: float  # usually
    expected: Service

    @property
    def present(self) -> int:
        """Those who usually come, or those who have booked if they are more."""
        return max(self.booked, int(self.online + 0.5))

    @property
    def lacking(self) -> int:
        return max((self.needed or 0) - self.present, 0)


@dataclass(frozen=True)
class Staffing:
    key: Key
    outlook: Outlook
    work: Work
    rows: list[Row]
    measured: int  # tickets from which the work is known; 0: the routes' minutes

    @property
    def within(self) -> float | None:
        """The share of all tickets ahead that those who come would serve in time."""
        tickets = sum(row.tickets for row in self.rows)
        return sum(row.expected.within * row.tickets for row in self.rows) / tickets if tickets > 0 else None

    @property
    def left(self) -> float | None:
        tickets = sum(row.tickets for row in self.rows)
        return sum(row.expected.left * row.tickets for row in self.rows) / tickets if tickets > 0 else None

    @property
    def needed_hours(self) -> float:
        return sum(row.needed or 0 for row in self.rows) / 2


def staffing(key: Key, known: Mapping[Key, Outlook], case: Case, begin: datetime | None = None) -> Staffing:
    """The half hours ahead, from the running one on. `known`: forecasting.outlooks(). Some ten queries."""
    moments = half_hours(begin or timezone.now(), AHEAD)
    more = 1 + case.demand_percent / 100
    log = _log(key.pool_id)
    outlook = known[key]
    work, measured = work_of(key, log, case)
    tickets = outlook.at(moments) * more
    low, high = (bound * more for bound in outlook.bounds(moments))
    alone = people_needed(tickets, work)
    online, booked = usually_online(key, moments), booked_of(key, moments)
    needed, most = alone, alone
    if key.skill_id is None:
        singles = {
            one.skill_id: people_needed(known[one].at(moments) * more, work_of(one, log, case)[0])
            for one in known
            if one.pool_id == key.pool_id and one.skill_id is not None
        }
        needed = shared(alone, singles, team_of(key.pool_id, singles))
        most = np.maximum(sum(singles.values(), np.zeros(len(moments))), alone) if singles else alone
    rows = []
    for at, begins in enumerate(moments):
        come = max(int(booked[at]), int(online[at] + 0.5)) if case.people is None else case.people
        rows.append(
            Row(
                begins,
                float(tickets[at]),
                float(low[at]),
                float(high[at]),
                float(outlook.usual([begins])[0] * more),
                _whole(needed[at]),
                _whole(alone[at]),
                _whole(most[at]),
                int(booked[at]) if case.people is None else case.people,
                float(online[at]) if case.people is None else float(case.people),
                service(come, float(tickets[at]), work),
            )
        )
    return Staffing(key, outlook, work, rows, measured)


def _whole(number: float) -> int | None:
    return None if np.isnan(number) else int(number)


def shared(pooled: F64, singles: Mapping[int, F64], team: Mapping[Skills, int]) -> F64:
    """The least people of the team's skill sets, half hour by half hour; nan where a part has no answer."""
    found = np.full(len(pooled), np.nan)
    for at, whole in enumerate(pooled):
        needs = {skill: need[at] for skill, need in singles.items()}
        if np.isnan(whole) or any(np.isnan(need) for need in needs.values()):
            continue
        found[at] = least_people(int(whole), {skill: int(need) for skill, need in needs.items()}, team).people
    return found


def team_of(pool_id: int, skills: Iterable[int]) -> dict[Skills, int]:
    """Skill set → admitted people of the pool who have exactly these of the skills, at any level. One query."""
    wanted = set(skills)
    rows = (
        Agent.objects.filter(
            status=AgentStatus.ADMITTED, user__is_active=True, leaving_since__isnull=True, pools=pool_id
        )
        .values_list("pk", "agent_skills__skill_id")
        .order_by("pk")
    )
    of: dict[int, set[int]] = defaultdict(set)
    for agent_id, skill_id in rows:
        of[agent_id].update({skill_id} & wanted)
    return dict(Counter(frozenset(one) for one in of.values()))


# --- What a ticket takes ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Log:
    """What the last DAYS say of a pool. By topic: (tickets, seconds of work in all), (seconds waited, how many left)."""

    worked: Mapping[int | None, tuple[int, float]]
    waited: Mapping[int | None, tuple[float, int]]
    accept: float
    answer: float
    missed: float  # offers that expired, for each that was accepted


def work_of(key: Key, log: Log, case: Case) -> tuple[Work, int]:
    """(what a ticket of the series takes, tickets that this is known from). The routes' figures where the log is short."""
    specs = [spec for spec in routes.routes().all() if key in keys_of(spec)]
    # The default route has those topics that have none of their own.
    named = {spec.topic_id for spec in routes.routes().by_topic.values()}
    topics = {spec.topic_id for spec in specs}
    if None in topics:
        topics |= {topic for topic in log.worked if topic not in named}
    many = sum(log.worked.get(topic, (0, 0.0))[0] for topic in topics)
    seconds = sum(log.worked.get(topic, (0, 0.0))[1] for topic in topics)
    planned = [spec.expected_minutes * 60.0 + spec.wrap_up_seconds for spec in specs]
    handling = (
        seconds / many if many >= LEAST and seconds > 0 else sum(planned) / len(planned) if planned else 300.0
    )
    if case.handling_minutes is not None:
        handling = case.handling_minutes * 60
    waited = sum(log.waited.get(topic, (0.0, 0))[0] for topic in topics)
    left = sum(log.waited.get(topic, (0.0, 0))[1] for topic in topics)
    units = sum(min(spec.units, UNITS) for spec in specs) / len(specs) if specs else UNITS
    at_once = max(UNITS / max(units, 1), 1.0)
    work = Work(
        handling=max(handling, 1.0),
        target=float(
            case.target_seconds
            if case.target_seconds is not None
            else min((spec.target_seconds for spec in specs), default=60)
        ),
        share=case.share_percent / 100,
        patience=max(mean_patience(waited, left), 1.0),
        answer=log.answer,
        accept=log.accept,
        concurrency=at_once,
        lost=log.missed * AWAY * at_once,  # whoever is away is so with all places
    )
    return work, many if many >= LEAST else 0


def _log(pool_id: int) -> Log:
    since = timezone.now() - timedelta(days=DAYS)
    values: dict[str, Any] = {
        "since": since,
        "pool": pool_id,
        "practice": Channel.PRACTICE,
        "no_matter": [EndedAs.SPAM, EndedAs.ABUSE, EndedAs.MERGED],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.topic_id, count(*),
                   sum(least(extract(epoch FROM o.ended_at - o.answered_at), 14400))::float
            FROM dispatch_offer o JOIN tickets_ticket t ON t.id = o.ticket_id
            WHERE o.ended_at >= %(since)s AND o.state = 'completed' AND o.run_id IS NOT NULL
              AND t.channel <> %(practice)s
            GROUP BY t.topic_id
            """,
            values,
        )
        worked = {topic: (many, seconds or 0.0) for topic, many, seconds in cursor.fetchall()}
        cursor.execute(
            """
            SELECT topic_id,
                   sum(extract(epoch FROM coalesce(first_held_at, closed_at, now()) - created_at))::float,
                   count(*) FILTER (WHERE first_held_at IS NULL AND closed_at IS NOT NULL)
            FROM tickets_ticket
            WHERE created_at >= %(since)s AND channel <> %(practice)s AND ended_as <> ALL(%(no_matter)s)
              AND (first_held_at IS NOT NULL OR closed_at IS NOT NULL OR state = 'waiting')
            GROUP BY topic_id
            """,
            values,
        )
        waited = {topic: (seconds or 0.0, left) for topic, seconds, left in cursor.fetchall()}
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE o.state IN ('accepted', 'completed', 'released')), count(*),
                   avg(extract(epoch FROM o.answered_at - o.made_at))::float,
                   count(*) FILTER (WHERE o.state = 'expired')
            FROM dispatch_offer o JOIN dispatch_run r ON r.id = o.run_id
            WHERE o.made_at >= %(since)s AND r.pool_id = %(pool)s
              AND o.state IN ('accepted', 'completed', 'released', 'declined', 'expired')
            """,
            values,
        )
        yes, asked, answer, expired = cursor.fetchone()
    enough = asked >= LEAST and yes > 0
    return Log(
        worked,
        waited,
        max(yes / asked, 0.05) if enough else 0.8,
        float(answer) if enough and answer else 8.0,
        min(expired / yes, 1.0) if enough else 0.1,
    )


# --- Who is there -----------------------------------------------------------------------------------------------------


def _able(key: Key, prefix: str) -> Q:
    found = Q(**{f"{prefix}pools": key.pool_id})
    return found if key.skill_id is None else found & Q(**{f"{prefix}agent_skills__skill": key.skill_id})


def usually_online(key: Key, moments: Sequence[datetime]) -> F64:
    """(moments,) how many able people were online at the same half hour of the last four weeks, on average. One query.

    A week before the first shift of anybody does not count.
    """
    now = timezone.now()
    since = now - timedelta(days=DAYS)
    shifts = list(
        Shift.objects.filter(
            _able(key, "agent__"),
            Q(ended_at__isnull=True) | Q(ended_at__gt=since),
            started_at__lt=now,
            practice=False,
        )
        .distinct()
        .values_list("started_at", "lost_at", "ended_at")
    )
    if not shifts:
        return np.zeros(len(moments))
    # A second after a half hour has begun is no difference.
    first = max(min(start for start, _lost, _end in shifts) - timedelta(seconds=1), since)
    week = np.zeros((7, SLOTS))
    step = LENGTH.total_seconds()
    for started, lost, ended in shifts:
        begin, end = max(started, since).timestamp(), (ended or lost or now).timestamp()
        at = begin // step * step
        while at < end:
            there = datetime.fromtimestamp(at, house())
            week[there.weekday(), slot_of(there)] += (min(end, at + step) - max(begin, at)) / step
            at += step
    found = np.zeros(len(moments))
    for place, moment in enumerate(moments):
        there = moment.astimezone(house())
        # How often the clock has shown this half hour of the week since the first shift: in the weeks around a change of clocks
        # that is not every 168 hours, and within DAYS once more or once less.
        last = -((now - moment) // timedelta(weeks=1))  # so many weeks before `moment`, or one more or less
        weeks = sum(
            first <= there - timedelta(weeks=back) < now for back in range(last - 1, last + DAYS // 7 + 2)
        )
        found[place] = week[there.weekday(), slot_of(there)] / max(weeks, 1)
    return found


def booked_of(key: Key, moments: Sequence[datetime]) -> F64:
    """(moments,) seats that are taken in the hour of each; of a skill, those of people who have it. One query."""
    first, end = moments[0] - 2 * LENGTH, moments[-1] + LENGTH
    of: Counter[datetime] = Counter()
    if key.skill_id is None:
        hours = NeededHour.objects.filter(pool_id=key.pool_id, begins_at__gt=first, begins_at__lt=end)
        of.update(dict(hours.values_list("begins_at", "taken")))
    else:
        rows = Booking.objects.filter(
            hour__pool_id=key.pool_id,
            ended_at__isnull=True,
            begins_at__gt=first,
            begins_at__lt=end,
            agent__agent_skills__skill=key.skill_id,
        )
        of.update(rows.values_list("begins_at", flat=True))
    return np.array([of[hour_of(moment)] for moment in moments], np.float64)


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def seats_of(rows: Iterable[Row], now: datetime) -> dict[datetime, int]:
    """Needed hours of a plan: of each full hour that has not begun the larger need of its halves. Without those of nobody."""
    found: dict[datetime, int] = {}
    for row in rows:
        begins = hour_of(row.begins)
        if begins > now and row.needed:
            found[begins] = max(found.get(begins, 0), row.needed)
    return found
