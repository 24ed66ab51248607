"""The wallboard's figures: how things stand now, today so far and in the last 24 hours, by half hour.

What stands now is read from the rows that are live now, what has been from counted half hours (dispatch/wall/halves.py), so
that a look costs the same on a day of a hundred thousand tickets. Practice counts nowhere.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max, Sum
from django.utils import timezone

from agents.models import Pool
from dispatch import promise, pulse, routes
from dispatch.models import Alert, HalfHour
from dispatch.wall import halves
from dispatch.wall.shapes import Board, Half, Line, People, Span, Waits
from tickets import calendars
from tickets.hours import open_seconds
from tickets.models import Ticket, TicketState, Topic

SECONDS = 1.0  # a process looks no oftener, however many people look at it
MOST_SEQ = 2**53  # what a number in JSON can be
OLD = timedelta(
    seconds=60
)  # half hours that were counted longer ago are not news; then beat or a worker is silent
SILENT_SECONDS = 60.0  # of a kind of process, until this page says so
LONGEST_SHOWN = 8  # tickets that have waited longest

_kept: tuple[float, Board] | None = None  # by time.monotonic()
_lock = threading.Lock()


def board_kept() -> Board:
    """The figures, at most SECONDS old. Of threads that ask at the same time one looks, and the others take what it got."""
    global _kept  # noqa: PLW0603  one a process
    with _lock:
        if _kept is None or time.monotonic() - _kept[0] > SECONDS:
            _kept = (time.monotonic(), board())
        return _kept[1]


def forget() -> None:
    """Look anew: for tests, and after an act that its actor wants to see."""
    global _kept  # noqa: PLW0603  as above
    _kept = None


def board() -> Board:
    """How things stand. Thirteen queries, and those of what is kept (routes, calendars)."""
    looked = time.monotonic()
    now, offers_open, chats, aside = _now()
    people, online_in = _people()
    queue = _queue(now)
    for pool_id, number in online_in.items():
        if pool_id in queue.pools:
            queue.pools[pool_id].online = number
    midnight = halves.half_of(promise.midnight(timezone.localtime(now).date()))
    last_day = halves.half_of(now - halves.BACK) + halves.LENGTH
    rows, counted_at = _halves(halves.first_half(now))
    today = HalfHour.objects.filter(begins_at__gte=midnight, asked__gt=0).order_by()
    for topic_id, kept, missed in today.values_list("topic").annotate(Sum("kept"), Sum("missed")):
        if topic_id in queue.topics:
            queue.topics[topic_id].kept, queue.topics[topic_id].missed = kept, missed
    return Board(
        looked=looked,
        at=now,
        counted_at=counted_at,
        old=counted_at is None or now - counted_at > OLD,
        waiting=queue.waiting,
        flagged=queue.flagged,
        longest=max((now - queue.since).total_seconds(), 0.0) if queue.since else None,
        offers_open=offers_open,
        chats=chats,
        aside=aside,
        people=people,
        topics=[one for one in queue.topics.values() if one.waiting or one.share is not None],
        pools=list(queue.pools.values()),
        skills=sorted(queue.skills.values(), key=lambda one: (-one.waiting, one.names.get("en", ""))),
        waits=_waits(now, queue.topics),
        today=_sum(half.span for half in rows if half.begins_at >= midnight),
        day=_sum(half.span for half in rows if half.begins_at >= last_day),
        halves=[half for half in rows if half.begins_at >= last_day],
        midnight=midnight,
        silent=pulse.silent(SILENT_SECONDS),
        promised=promise.total(day.tally for day in promise.days()).share,
        alerts=list(
            Alert.objects.filter(closed_at__isnull=True).select_related("acknowledged_by").order_by("id")
        ),
    )


def _now() -> tuple[datetime, int, int, int]:
    """The database's clock, open offers, chats, tickets put aside. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT statement_timestamp(),
                   count(*) FILTER (WHERE o.state = 'pending'),
                   count(*) FILTER (WHERE o.state = 'accepted' AND t.state = 'held' AND t.wakes_at IS NULL),
                   count(*) FILTER (WHERE o.state = 'accepted' AND t.state = 'held' AND t.wakes_at IS NOT NULL)
            FROM dispatch_offer o JOIN tickets_ticket t ON t.id = o.ticket_id
            WHERE o.state IN ('pending', 'accepted') AND o.run_id IS NOT NULL
            """
        )
        at, offers, chats, aside = cursor.fetchone()
        return at, offers, chats, aside


def _people() -> tuple[People, dict[int, int]]:
    """People by state, and pool → how many are online in it. Three queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT CASE WHEN s.lost_at IS NOT NULL OR lease.expires_at <= statement_timestamp() THEN 'lost'
                        WHEN s.state <> 'online' THEN s.state
                        WHEN s.units_taken >= s.units AND s.units_wrapping < s.units_taken THEN 'busy'
                        WHEN s.units_wrapping > 0 THEN 'wrap_up' ELSE 'online' END,
                   count(*), sum(s.units), sum(s.units_taken)
            FROM agents_shift s JOIN agents_lease lease ON lease.shift_id = s.id
            WHERE s.ended_at IS NULL AND NOT s.practice GROUP BY 1
            """
        )
        found = People()
        for state, number, units, taken in cursor.fetchall():
            setattr(found, state, number)
            if state in ("online", "busy", "wrap_up"):
                found.units += units
                found.units_taken += taken
        midnight = promise.midnight(timezone.localdate())
        cursor.execute(
            """
            SELECT count(DISTINCT agent_id) FROM agents_shift s
            WHERE started_at >= %s - interval '2 days' AND ended_at >= %s AND NOT practice
              AND NOT EXISTS (SELECT FROM agents_shift o WHERE o.agent_id = s.agent_id AND o.ended_at IS NULL)
            """,
            [midnight, midnight],
        )
        found.offline = cursor.fetchone()[0]
        cursor.execute(
            """
            SELECT member.pool_id, count(*) FROM agents_shift s JOIN agents_lease lease ON lease.shift_id = s.id
            JOIN agents_agent_pools member ON member.agent_id = s.agent_id
            WHERE s.state = 'online' AND s.lost_at IS NULL AND lease.expires_at > statement_timestamp() GROUP BY 1
            """
        )
        return found, dict(cursor.fetchall())


@dataclass
class _Queue:
    """What waits, by topic, pool and skill."""

    topics: dict[int | None, Line]
    pools: dict[int, Line]
    skills: dict[int, Line] = field(default_factory=dict)
    waiting: int = 0
    flagged: int = 0
    since: datetime | None = None  # the oldest


def _queue(now: datetime) -> _Queue:
    """Three queries. A ticket counts for the pool where its route begins, or to which it was passed on, and for each skill that
    it needs."""
    plan = routes.routes()
    topics: dict[int | None, Line] = {one.pk: Line(_names(one)) for one in Topic.objects.all()}
    queue = _Queue(
        topics | {None: Line({})},
        {one.pk: Line(_names(one)) for one in Pool.objects.filter(pk__in=plan.pools())},
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.topic_id, passed.pool_id, count(*), count(t.flagged_at), min(t.waiting_since)
            FROM tickets_ticket t LEFT JOIN dispatch_transfer passed ON passed.ticket_id = t.id
            WHERE t.state = 'waiting' GROUP BY 1, 2
            """
        )
        rows = cursor.fetchall()
    for topic_id, passed_to, number, flagged, since in rows:
        spec = plan.of(topic_id)
        queue.waiting += number
        queue.flagged += flagged
        queue.since = since if queue.since is None else min(queue.since, since)
        lines = [queue.topics[topic_id]]
        pool_id = passed_to or (spec.pool_id if spec else 0)
        if pool_id in queue.pools:
            lines.append(queue.pools[pool_id])
        for skill_id in sorted({abs(one) for one in spec.required}) if spec else ():
            lines.append(queue.skills.setdefault(skill_id, Line(plan.skill_names.get(skill_id, {}))))
        seconds = max((now - since).total_seconds(), 0.0)
        for line in lines:
            line.waiting += number
            line.longest = max(line.longest or 0.0, seconds)
        if spec:
            hours = calendars.hours_of(topic_id)
            aged = open_seconds(hours, since.timestamp(), now.timestamp()) if hours else seconds
            past = aged / max(spec.target_seconds, 1)
            queue.topics[topic_id].past = max(queue.topics[topic_id].past or 0.0, past)
    return queue


def _names(one: Topic | Pool) -> dict[str, str]:
    return {"en": one.name_en, "de": one.name_de}


def _waits(now: datetime, topics: Mapping[int | None, Line]) -> list[Waits]:
    """The tickets that have waited longest, the oldest first. One query."""
    oldest = Ticket.objects.filter(state=TicketState.WAITING).order_by("waiting_since", "id")
    return [
        Waits(
            public_id,
            f"S-{pk}",
            topics[topic_id],
            max((now - since).total_seconds(), 0.0),
            flagged_at is not None,
        )
        for pk, public_id, topic_id, since, flagged_at in oldest.values_list(
            "pk", "public_id", "topic_id", "waiting_since", "flagged_at"
        )[:LONGEST_SHOWN]
    ]


def _halves(since: datetime) -> tuple[list[Half], datetime | None]:
    """Each half hour that was counted, in order, and when any was last. One query."""
    sums = {f"the_{name}": Sum(name) for name in halves.SUMS}
    rows = (
        HalfHour.objects.filter(begins_at__gte=since)
        .order_by("begins_at")
        .values("begins_at")
        .annotate(the_longest=Max("longest"), at=Max("counted_at"), **sums)
    )
    found, last = [], None
    listed: list[dict[str, Any]] = [dict(row) for row in rows]
    for row in listed:
        span = Span(longest=row["the_longest"])
        for name in halves.SUMS:
            setattr(span, name, row[f"the_{name}"])
        found.append(Half(row["begins_at"], span))
        last = row["at"] if last is None else max(last, row["at"])
    return found, last


def _sum(spans: Iterable[Span]) -> Span:
    whole = Span()
    for span in spans:
        whole += span
    return whole
