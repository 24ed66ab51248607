"""Demand by skill and half hour: counted from the timelines, forecast each morning, stored, and held against what came.

What is counted are tickets that wanted a person, when they first did. A ticket counts for its pool, and there for each skill
that its route requires, as routes are today. What comes out is what agents see (dispatch/demand.py) and what staffing is
reckoned from (dispatch/staffing.py). The models are those of dispatch/forecast.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from dispatch import promise, routes
from dispatch.forecast import extra
from dispatch.forecast.backtest import WINDOW, Judged, backtest, interval, wape
from dispatch.forecast.history import (
    CLOSED,
    F64,
    SECONDS,
    SLOTS,
    History,
    exposure,
    rates_of,
    slot_of,
)
from dispatch.forecast.models import MEMORY, seasonal_average
from dispatch.models import Forecast
from dispatch.rules.promise import BEGINS
from tickets import calendars
from tickets.models import Channel, EndedAs

DAYS = 8  # that are forecast: at any hour of the first one, seven are ahead
KEPT_DAYS = 100  # of stored forecasts
RECORD_DAYS = 14  # of forecasts that are shown beside what came
RECENT = "last hour"  # in place of a model: there is no full day to learn from yet
LENGTH = timedelta(seconds=SECONDS)


class Key(NamedTuple):
    """What a series counts: all tickets of a pool, or those of it that need a skill."""

    pool_id: int
    skill_id: int | None = None


@dataclass(frozen=True)
class Outlook:
    """A forecast that can be asked for any half hour of its days."""

    key: Key
    day: date  # the first
    means: F64  # (days, SLOTS) tickets a half hour
    baseline: F64
    model: str
    dispersion: float = 0.0
    error: float | None = None
    baseline_error: float | None = None
    history_days: int = 0
    errors: Mapping[str, float] = field(default_factory=dict)

    def at(self, moments: Sequence[datetime]) -> F64:
        """(moments,) tickets of the half hours that begin then; 0 for one that is beyond what was forecast."""
        return self._of(self.means, moments)

    def usual(self, moments: Sequence[datetime]) -> F64:
        """The same by the seasonal average."""
        return self._of(self.baseline, moments)

    def bounds(self, moments: Sequence[datetime]) -> tuple[F64, F64]:
        """(low, high): with 80 % probability so many come."""
        return interval(self.at(moments), self.dispersion)

    def _of(self, values: F64, moments: Sequence[datetime]) -> F64:
        found = np.zeros(len(moments))
        for place, moment in enumerate(moments):
            there = timezone.localtime(moment, house())
            day = (there.date() - self.day).days
            if 0 <= day < len(values):
                found[place] = values[day, slot_of(there)]
        return found


def house() -> ZoneInfo:
    """The time zone of the account: its clock is that of all days and half hours here."""
    return ZoneInfo(settings.TIME_ZONE)


def half_hours(begin: datetime, many: int) -> list[datetime]:
    """So many half hours from the one on in which `begin` lies, as moments of the house's clock."""
    first = begin.timestamp() // SECONDS * SECONDS
    return [datetime.fromtimestamp(first + number * SECONDS, house()) for number in range(many)]


# --- What came --------------------------------------------------------------------------------------------------------


def counts(first: date, end: date) -> dict[Key, F64]:
    """Tickets that first wanted a person on the days first ≤ day < end, (days, SLOTS) each. One query, and those of routes().

    Practice, spam, abuse and merged tickets are left out; so is what the assistant settled by itself.
    """
    plan = routes.routes()
    found: dict[Key, F64] = defaultdict(lambda: np.zeros(((end - first).days, SLOTS)))
    for topic_id, day, slot, many in _rows(first, end):
        spec = plan.of(topic_id)
        if spec is None:
            continue
        for key in keys_of(spec):
            found[key][(day - first).days, slot] += many
    return dict(found)


def keys_of(spec: routes.RouteSpec) -> list[Key]:
    """The series that a ticket of this route counts for. Certificates are asked for by negative numbers, and are no series."""
    return [Key(spec.pool_id), *(Key(spec.pool_id, skill) for skill in spec.required if skill > 0)]


def _rows(first: date, end: date) -> list[tuple[int | None, date, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH wanted AS (
                SELECT t.topic_id, min(e.created_at) AS at
                FROM tickets_ticketevent e JOIN tickets_ticket t ON t.id = e.ticket_id
                WHERE e.created_at >= %(begin)s AND e.created_at < %(end)s AND e.type = ANY(%(begins)s)
                  AND NOT (e.type = 'ticket.opened' AND coalesce((e.data ->> 'assisted')::boolean, false))
                  AND t.channel <> %(practice)s AND t.ended_as <> ALL(%(no_matter)s)
                  AND NOT EXISTS (
                    SELECT FROM tickets_ticketevent b
                    WHERE b.ticket_id = t.id AND b.created_at < %(begin)s AND b.type = ANY(%(begins)s)
                      AND NOT (b.type = 'ticket.opened' AND coalesce((b.data ->> 'assisted')::boolean, false)))
                GROUP BY t.id, t.topic_id)
            SELECT topic_id, (at AT TIME ZONE %(zone)s)::date AS day,
                   floor(extract(epoch FROM (at AT TIME ZONE %(zone)s)::time) / %(seconds)s)::int AS slot, count(*)
            FROM wanted GROUP BY topic_id, day, slot
            """,
            {
                "begin": promise.midnight(first),
                "end": promise.midnight(end),
                "begins": sorted(BEGINS),
                "practice": Channel.PRACTICE,
                "no_matter": [EndedAs.SPAM, EndedAs.ABUSE, EndedAs.MERGED],
                "zone": settings.TIME_ZONE,
                "seconds": int(SECONDS),
            },
        )
        return list(cursor.fetchall())


def histories(first: date, end: date) -> dict[Key, History]:
    """Of each series the days from its first ticket on. That day is left out where there are others: it is rarely whole."""
    found = {}
    for key, tickets in counts(first, end).items():
        came = int(np.argmax(tickets.sum(axis=1) > 0))
        begin = min(came + 1, len(tickets) - 1) if came > 0 or len(tickets) > 1 else came
        dates = [first + timedelta(days=number) for number in range(begin, len(tickets))]
        times = np.array([exposure(day, house()) for day in dates])
        found[key] = History(rates_of(tickets[begin:], times), kinds_of(key, dates))
    return found


def kinds_of(key: Key, dates: Sequence[date]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Weekday of each, or CLOSED where a calendar of the series' topics has closed it though it is open on that weekday."""
    known = calendars.calendars().by_topic
    specs = [spec for spec in routes.routes().all() if key in keys_of(spec)]
    hours = [known[spec.topic_id] for spec in specs if spec.topic_id in known]
    return np.array(
        [
            CLOSED if any(day in one.closed and one.week[day.weekday()] for one in hours) else day.weekday()
            for day in dates
        ],
        np.int64,
    )


# --- What will come ---------------------------------------------------------------------------------------------------


def forecasts_make(today: date | None = None) -> int:
    """Forecast the DAYS from today on, for each series that has a day of history, once a day. Outermost.

    Safe to run twice or late. Returns how many were made. Some seconds of one core.
    """
    today = today or timezone.localdate()
    if Forecast.objects.filter(day=today).exists():
        return 0
    dates = [today + timedelta(days=number) for number in range(DAYS)]
    rows = [
        _row(key, today, judged, outlook, len(history))
        for key, history in sorted(histories_before(today).items(), key=lambda item: _order(item[0]))
        for judged, outlook in [_foreseen(key, history, dates)]
    ]
    Forecast.objects.bulk_create(rows, ignore_conflicts=True)
    Forecast.objects.filter(day__lt=today - timedelta(days=KEPT_DAYS)).delete()
    return len(rows)


def histories_before(today: date) -> dict[Key, History]:
    """All that a forecast of this morning may know."""
    return histories(today - timedelta(days=MEMORY + WINDOW), today)


def _foreseen(key: Key, history: History, dates: Sequence[date]) -> tuple[Judged, tuple[F64, F64]]:
    """(what was chosen and why, (means, seasonal average) (DAYS, SLOTS))."""
    models = extra.models()
    judged = backtest(history, models)
    kinds = kinds_of(key, dates)
    known = history.until(len(history), MEMORY)
    return judged, (models[judged.model](known, kinds), seasonal_average(known, kinds))


def _row(key: Key, day: date, judged: Judged, said: tuple[F64, F64], days: int) -> Forecast:
    means, baseline = said
    return Forecast(
        pool_id=key.pool_id,
        skill_id=key.skill_id,
        day=day,
        model=judged.model,
        error=_known(judged.error),
        baseline_error=_known(judged.baseline_error),
        errors={name: _known(error) for name, error in judged.errors.items()},
        dispersion=judged.dispersion,
        history_days=days,
        means=np.round(means, 4).ravel().tolist(),
        baseline=np.round(baseline, 4).ravel().tolist(),
    )


def _known(error: float) -> float | None:
    return None if np.isnan(error) else float(error)


def _order(key: Key) -> tuple[int, int]:
    return key.pool_id, key.skill_id or 0


def outlooks(plan: routes.Routes) -> dict[Key, Outlook]:
    """The newest forecast of each series; while there is none, as if all hours were like the last one. One query, or two."""
    today = timezone.localdate()
    stored = Forecast.objects.filter(day__lte=today, day__gt=today - timedelta(days=DAYS - 1))
    rows = stored.order_by("pool_id", "skill_id", "-day").distinct("pool_id", "skill_id")
    found = {one.key: one for one in map(_outlook, rows)}
    return found or _recent(today, plan)


def _outlook(row: Forecast) -> Outlook:
    return Outlook(
        key=Key(row.pool_id, row.skill_id),
        day=row.day,
        means=np.array(row.means).reshape(-1, SLOTS),
        baseline=np.array(row.baseline).reshape(-1, SLOTS),
        model=row.model,
        dispersion=row.dispersion,
        error=row.error,
        baseline_error=row.baseline_error,
        history_days=row.history_days,
        errors=row.errors,
    )


def _recent(today: date, plan: routes.Routes) -> dict[Key, Outlook]:
    """Flat: half of what came in the last sixty minutes, each half hour."""
    now = timezone.now()
    many: dict[Key, float] = defaultdict(float)
    for topic_id, came in _since(now - timedelta(hours=1)):
        spec = plan.of(topic_id)
        for key in keys_of(spec) if spec else ():
            many[key] += came / 2
    return {
        key: Outlook(key, today, np.full((DAYS, SLOTS), rate), np.full((DAYS, SLOTS), rate), RECENT)
        for key, rate in many.items()
    }


def _since(moment: datetime) -> list[tuple[int | None, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.topic_id, count(DISTINCT t.id)
            FROM tickets_ticketevent e JOIN tickets_ticket t ON t.id = e.ticket_id
            WHERE e.created_at >= %s AND t.created_at >= %s AND e.type = ANY(%s)
              AND NOT (e.type = 'ticket.opened' AND coalesce((e.data ->> 'assisted')::boolean, false))
              AND t.channel <> %s AND t.ended_as <> ALL(%s)
            GROUP BY t.topic_id
            """,
            [
                moment,
                moment,
                sorted(BEGINS),
                Channel.PRACTICE,
                [EndedAs.SPAM, EndedAs.ABUSE, EndedAs.MERGED],
            ],
        )
        return list(cursor.fetchall())


# --- Held to account --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """A day's forecast, made that morning, and what came. WAPE of its half hours; None: nothing came, or nothing was said."""

    day: date
    came: float
    said: float
    usual: float
    error: float | None
    baseline_error: float | None


def record(key: Key, days: int = RECORD_DAYS) -> list[Kept]:
    """How the stored forecasts of the last days were, the newest first. As they were made then: no hindsight. Two queries."""
    today = timezone.localdate()
    first = today - timedelta(days=days)
    rows = {
        row.day: row
        for row in Forecast.objects.filter(
            Q(skill_id=key.skill_id) if key.skill_id is not None else Q(skill__isnull=True),
            pool_id=key.pool_id,
            day__gte=first,
            day__lt=today,
        )
    }
    if not rows:
        return []
    came = counts(first, today).get(key, np.zeros((days, SLOTS)))
    return [_kept(day, came[(day - first).days], _outlook(rows[day])) for day in sorted(rows, reverse=True)]


def _kept(day: date, came: F64, outlook: Outlook) -> Kept:
    times = exposure(day, house())  # of a half hour that was there twice, twice as many were foreseen
    said, usual = outlook.means[0] * times, outlook.baseline[0] * times
    return Kept(
        day,
        float(came.sum()),
        float(said.sum()),
        float(usual.sum()),
        _known(wape(came, said)),
        _known(wape(came, usual)),
    )


def whole(kept: Sequence[Kept]) -> tuple[float | None, float | None]:
    """(error, seasonal average's) over all these days."""
    came = sum(one.came for one in kept)
    if not came:
        return None, None
    error = sum((one.error or 0.0) * one.came for one in kept) / came
    return error, sum((one.baseline_error or 0.0) * one.came for one in kept) / came
