"""How the promise of a person is kept: counted from the timelines, a row a day and topic, for /promise and the leads.

A wait counts in open hours of the ticket's topic only, and to the day on which it began. The promised time is the target of the
topic's route at the time of counting.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from dispatch import routes
from dispatch.models import PromiseDay
from dispatch.rules.promise import BEGINS, TYPES, Happened, Tally, Wait, waits_of
from tickets import calendars
from tickets.hours import open_seconds
from tickets.models import Channel

DAYS = 30  # that are published, today included
COUNTED = (
    "asked",
    "kept",
    "missed",
    "left",
    "pending",
    "longest",
    "longest_left",
    "longest_waiting",
    "estimates",
    "early",
    "off",
)
_LOCK = 7_305_521  # of this count, among advisory locks: any number that nobody else has


class Day(NamedTuple):
    day: date
    tally: Tally


def days_write() -> int:
    """Count the days anew of which something may have changed: today, yesterday, those with somebody who still waits, and those
    of the last DAYS that were never counted. Outermost. Safe to run twice; of two at once one does nothing. Returns days.
    """
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if cursor.fetchone() != (True,):
                return 0
        there = PromiseDay.objects.filter(day__gte=first)
        done = set(there.values_list("day", flat=True)) - {today, today - timedelta(days=1)}
        done -= set(there.filter(Q(pending__gt=0) | Q(longest_waiting__gt=0)).values_list("day", flat=True))
        due = [day for number in range(DAYS) if (day := today - timedelta(days=number)) not in done]
        now = timezone.now().timestamp()
        for day in due:
            _day_write(day, count(day, now))
    return len(due)


def _day_write(day: date, by_topic: Mapping[int | None, Tally]) -> None:
    PromiseDay.objects.filter(day=day).delete()
    # A day on which nobody came is counted too: its row says so.
    PromiseDay.objects.bulk_create(
        PromiseDay(
            day=day,
            topic_id=topic_id,
            waits={str(number): many for number, many in sorted(tally.waits.items())},
            **{name: getattr(tally, name) for name in COUNTED},
        )
        for topic_id, tally in ({None: Tally()} | dict(by_topic)).items()
    )


def count(day: date, now: float) -> dict[int | None, Tally]:
    """The waits that began on a day, by topic, as they stand at `now` (epoch seconds). Counted from the timeline; one query."""
    found: dict[int | None, Tally] = defaultdict(Tally)
    for one in begun(midnight(day), midnight(day + timedelta(days=1)), now):
        found[one.topic_id].count(one.wait, seconds=one.seconds, promised=one.promised)
    return dict(found)


class Begun(NamedTuple):
    """A wait, with what it is measured by."""

    topic_id: int | None
    wait: Wait
    seconds: float  # open ones, so far or until it ended
    promised: float  # seconds within which a person comes


def begun(begin: datetime, end: datetime, now: float) -> Iterator[Begun]:
    """The waits that began in [begin, end), as they stand at `now` (epoch seconds); those without a route have no promise and
    are left out. One query."""
    known = calendars.calendars().by_topic
    plan = routes.routes()
    for topic_id, wait in _waits(begin, end):
        spec = plan.of(topic_id)
        if spec is None or not begin.timestamp() <= wait.began < end.timestamp():
            continue
        until = wait.came or wait.left or now
        hours = known.get(topic_id)
        seconds = open_seconds(hours, wait.began, until) if hours else max(until - wait.began, 0.0)
        yield Begun(topic_id, wait, seconds, spec.target_seconds)


def midnight(day: date) -> datetime:
    """At which a day begins in TIME_ZONE."""
    return timezone.make_aware(datetime.combine(day, time()))


def _waits(begin: datetime, end: datetime) -> Iterator[tuple[int | None, Wait]]:
    """(topic, wait) of all waits of tickets of which one may have begun in between."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH asked AS (
                SELECT DISTINCT ticket_id FROM tickets_ticketevent
                WHERE created_at >= %(begin)s AND created_at < %(end)s AND type = ANY(%(begins)s))
            SELECT t.id, t.topic_id, e.type, extract(epoch FROM e.created_at)::float,
                   (e.data ->> 'expected_seconds')::float, coalesce((e.data ->> 'assisted')::boolean, false)
            FROM asked JOIN tickets_ticket t ON t.id = asked.ticket_id JOIN tickets_ticketevent e ON e.ticket_id = t.id
            WHERE t.channel <> %(practice)s AND e.type = ANY(%(types)s)
            ORDER BY t.id, e.seq
            """,
            {
                "begin": begin,
                "end": end,
                "begins": sorted(BEGINS),
                "types": sorted(TYPES),
                "practice": Channel.PRACTICE,
            },
        )
        for (_ticket, topic_id), rows in groupby(_rows(cursor), key=lambda row: row[:2]):
            for wait in waits_of(Happened(*row[2:]) for row in rows):
                yield topic_id, wait


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(2000):
        yield from rows


# --- What is published ------------------------------------------------------------------------------------------------


def days() -> list[Day]:
    """Each of the last DAYS, today first; those that were not counted yet are empty. One query."""
    today = timezone.localdate()
    found: dict[date, Tally] = defaultdict(Tally)
    for row in PromiseDay.objects.filter(day__gt=today - timedelta(days=DAYS)):
        found[row.day] += tally_of(row)
    return [Day(day, found[day]) for day in (today - timedelta(days=number) for number in range(DAYS))]


def by_topic() -> dict[int | None, Tally]:
    """The last DAYS, by topic; None: of tickets without one. One query."""
    found: dict[int | None, Tally] = defaultdict(Tally)
    for row in PromiseDay.objects.filter(day__gt=timezone.localdate() - timedelta(days=DAYS), asked__gt=0):
        found[row.topic_id] += tally_of(row)
    return dict(found)


def tally_of(row: PromiseDay) -> Tally:
    """What its row says."""
    tally = Tally(**{name: getattr(row, name) for name in COUNTED})
    tally.waits.update({int(number): many for number, many in row.waits.items()})
    return tally


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    whole = Tally()
    for tally in tallies:
        whole += tally
    return whole
