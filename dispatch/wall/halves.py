"""How each half hour went, counted from timelines and offers: what the wallboard's shares and charts are made of.

The waits are those of dispatch/promise.py, with its definition of “in time”. A half hour is counted anew while anything that
began in it lasts, so that a look at the wallboard reads rows and counts nothing.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from dispatch import promise
from dispatch.models import HalfHour
from dispatch.rules.promise import Tally

LENGTH = timedelta(minutes=30)
BACK = timedelta(hours=24)
_LOCK = 7_305_522  # of this count, among advisory locks
_OF_WAITS = (
    "asked",
    "kept",
    "missed",
    "left",
    "pending",
    "abandoned",
    "longest",
    "estimates",
    "early",
    "off",
)
_OF_OFFERS = ("offers", "accepted", "declined", "expired", "rescinded", "withdrawn")
_OF_EVENTS = ("opened", "reopened", "resolved", "assisted", "ratings", "stars")
SUMS = tuple(name for name in (*_OF_WAITS, "unended", *_OF_OFFERS, *_OF_EVENTS) if name != "longest")

Key = tuple[datetime, int | None]  # begin of the half hour, topic


def half_of(moment: datetime) -> datetime:
    """The begin of its half hour, in UTC. Counted from midnight in TIME_ZONE, so that a day begins with one in every zone."""
    day = promise.midnight(timezone.localtime(moment).date()).astimezone(
        UTC
    )  # where an hour is an hour, all year
    return day + (moment.astimezone(UTC) - day) // LENGTH * LENGTH


def first_half(now: datetime) -> datetime:
    """The oldest half hour that is shown: of the last 24 hours, and of today where that day is longer (25 hours)."""
    return min(half_of(now - BACK), half_of(promise.midnight(timezone.localtime(now).date())))


def halves_write() -> int:
    """Count those half hours anew of which something may have changed: the last two, those in which something lasts, and those
    of the last day that were never counted. Outermost. Safe to run twice; of two at once one does nothing. Returns half hours.
    """
    now = timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if cursor.fetchone() != (True,):
                return 0
        due = _due(now)
        for begin, end in _stretches(due):
            _write(begin, end, now)
    return len(due)


def _due(now: datetime) -> list[datetime]:
    """Begins, in order."""
    there = HalfHour.objects.filter(begins_at__gte=first_half(now))
    done = set(there.values_list("begins_at", flat=True))
    done -= set(_lasting(there).values_list("begins_at", flat=True))
    last = half_of(now)
    done -= {last, half_of(last - timedelta(seconds=1))}
    every, one = [], first_half(now)
    while one <= last:
        every.append(one)
        one = half_of(one + LENGTH)
    return [one for one in every if one not in done]


def _lasting(there: QuerySet[HalfHour]) -> QuerySet[HalfHour]:
    """Those with somebody who still waits, or an offer without an answer."""
    return there.extra(
        where=["unended > 0 OR offers > accepted + declined + expired + rescinded + withdrawn"]
    )


def _stretches(due: list[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Half hours that follow each other as one: each stretch is counted by one look."""
    begin = end = None
    for one in due:
        if begin is not None and one == end:
            end = half_of(one + LENGTH)
            continue
        if begin is not None and end is not None:
            yield begin, end
        begin, end = one, half_of(one + LENGTH)
    if begin is not None and end is not None:
        yield begin, end


def _write(begin: datetime, end: datetime, now: datetime) -> None:
    counted = count(begin, end, now)
    HalfHour.objects.filter(begins_at__gte=begin, begins_at__lt=end).delete()
    one = begin
    while one < end:  # one in which nothing happened is counted too: its row says so
        counted.setdefault((one, None), {})
        one = half_of(one + LENGTH)
    HalfHour.objects.bulk_create(
        HalfHour(begins_at=half, topic_id=topic_id, **figures)
        for (half, topic_id), figures in counted.items()
    )


def count(begin: datetime, end: datetime, now: datetime) -> dict[Key, dict[str, Any]]:
    """All that is counted of the half hours in [begin, end), as it stands at `now`. Three queries.

    Practice counts nowhere.
    """
    found: dict[Key, dict[str, Any]] = defaultdict(dict)
    tallies: dict[Key, Tally] = defaultdict(Tally)
    unended: dict[Key, int] = defaultdict(int)
    for one in promise.begun(begin, end, now.timestamp()):
        key = (_half_at(one.wait.began), one.topic_id)
        tallies[key].count(one.wait, seconds=one.seconds, promised=one.promised)
        unended[key] += one.wait.came is None and one.wait.left is None
    for key, tally in tallies.items():
        found[key] = {name: getattr(tally, name) for name in _OF_WAITS} | {"unended": unended[key]}
    for names, query in ((_OF_OFFERS, _OFFERS), (_OF_EVENTS, _EVENTS)):
        with connection.cursor() as cursor:
            cursor.execute(query, {"begin": begin, "end": end, "seconds": LENGTH.total_seconds()})
            for topic_id, at, *figures in cursor.fetchall():
                key = (_half_at(float(at)), topic_id)
                before = found[key]
                before.update(
                    {name: before.get(name, 0) + figure for name, figure in zip(names, figures, strict=True)}
                )
    return dict(found)


def _half_at(seconds: float) -> datetime:
    return half_of(datetime.fromtimestamp(seconds, tz=UTC))


# By five minutes: no zone's midnight lies between two of them, so each belongs to one half hour.
_FIVE = "floor(extract(epoch FROM {}) / 300) * 300"
_OFFERS = f"""
    SELECT t.topic_id, {_FIVE.format("o.made_at")}, count(*),
           count(*) FILTER (WHERE o.state IN ('accepted', 'completed', 'released')),
           count(*) FILTER (WHERE o.state = 'declined'), count(*) FILTER (WHERE o.state = 'expired'),
           count(*) FILTER (WHERE o.state = 'rescinded'), count(*) FILTER (WHERE o.state IN ('revoked', 'cancelled'))
    FROM dispatch_offer o JOIN tickets_ticket t ON t.id = o.ticket_id
    WHERE o.made_at >= %(begin)s AND o.made_at < %(end)s AND o.run_id IS NOT NULL
    GROUP BY 1, 2
"""  # noqa: S608  nothing from outside is in it
_EVENTS = f"""
    SELECT t.topic_id, {_FIVE.format("e.created_at")},
           count(*) FILTER (WHERE e.type = 'ticket.opened'), count(*) FILTER (WHERE e.type = 'ticket.reopened'),
           count(*) FILTER (WHERE e.type = 'ticket.resolved' AND e.actor_id IS NOT NULL),
           count(*) FILTER (WHERE e.type = 'ticket.resolved' AND e.actor_id IS NULL),
           count(*) FILTER (WHERE e.type = 'ticket.rated'),
           coalesce(sum((e.data ->> 'score')::int) FILTER (WHERE e.type = 'ticket.rated'), 0)
    FROM tickets_ticketevent e JOIN tickets_ticket t ON t.id = e.ticket_id
    WHERE e.created_at >= %(begin)s AND e.created_at < %(end)s AND t.channel <> 'practice'
      AND e.type IN ('ticket.opened', 'ticket.reopened', 'ticket.resolved', 'ticket.rated')
    GROUP BY 1, 2
"""  # noqa: S608  nothing from outside is in it


def counted_at() -> datetime | None:
    """When they were counted last. One query."""
    found: datetime | None = HalfHour.objects.aggregate(last=Max("counted_at"))["last"]
    return found
