"""What a run sees: the tickets that wait, and the people who are free (dispatch/columns.py: as the solver wants them)."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from dispatch.matching.problem import (
    F32,
    I32,
    I64,
    Bool,
)
from dispatch.matching.score import among
from dispatch.members import members, members_forget
from dispatch.models import Transfer
from dispatch.routes import Routes
from dispatch.rules import steps
from tickets.models import Ticket, TicketState
from tickets.planned import Statement, planned
from tickets.writing import planned_after

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
_COLUMNS = """
    string_agg(int8send(agent_id), ''), string_agg(int8send(shift_id), ''), string_agg(int4send(units), ''),
    string_agg(int4send(units_taken), ''), string_agg(int4send(units_wrapping), ''), string_agg(float4send(idle), '')
"""
_NOW = "extract(epoch FROM statement_timestamp())::float8"
_SEE = f"""
    WITH queue AS MATERIALIZED ({_QUEUE})
    SELECT current_setting('{ALONE}')::boolean,
           (SELECT json_agg(json_build_array(id, waited, priority, topic_id, language, flagged, known, answered,
                                              passed_to, asked_first, front, passed_at) ORDER BY waiting_since, id) FROM queue),
           {_NOW}, {_COLUMNS}, ({_BOOKED}) FROM ({_FREE}) AS free WHERE EXISTS (SELECT FROM queue)
"""  # noqa: S608  nothing from outside is in it
_PEOPLE = f"SELECT {_NOW}, {_COLUMNS}, ({_BOOKED}) FROM ({_FREE}) AS free WHERE NOT EXISTS (SELECT FROM ({_QUEUE}) AS queue)"  # noqa: S608


class Coming(NamedTuple):
    """A ticket that asks for a run while it is written: what a run can know of it, whom nobody was asked about yet, and whose
    customer nobody knows."""

    writer: int  # number of the transaction that writes it (tickets/writing.py)
    id: int
    topic_id: int | None
    language: str
    priority: int

    @classmethod
    def of(cls, ticket: Ticket, writer: int) -> "Coming":
        return cls(writer, ticket.pk, ticket.topic_id, ticket.language, ticket.priority)

    def row(self) -> TicketRow:
        """As see() will read it."""
        return TicketRow(self.id, 0.0, self.priority, self.topic_id, self.language, False, [], [])


class Seen(NamedTuple):
    """What a run sees."""

    tickets: list[TicketRow]
    people: People


def foreseen(pool_id: int, plan: Routes, coming: Coming) -> Seen | None:
    """What a run is to see that is asked for by `coming`, where people_ahead() has found just now that nothing else waits, and
    the pool takes such tickets at once as far as this process knows. No query: the ticket may not be there yet, and whoever
    writes has to wait for it and to look."""
    before = _ahead.pop(pool_id, None)
    passed = 0.0 if before is None else time.monotonic() - before.seen_at
    if before is None or passed > AHEAD_SECONDS or _after(pool_id, plan, coming.topic_id) != 0:
        return None
    return Seen([coming.row()], _later(before.people, passed, {coming.topic_id or 0}))


def see(pool_id: int, plan: Routes, lock: Statement, coming: Coming | None = None) -> Seen | None:
    """Lock the pool by this statement, which says in ALONE whether it could; None if not. Then read what waits without an open
    offer, oldest first (queue_of() written out), and, if anything does, the pool's people who are online, have units free and
    no open offer.

    One query, and those of the members when they are not kept. All are as they are once the lock is there, and `coming` is
    written. Raises WriterHangs, with or without the lock.
    """
    _ahead.pop(pool_id, None)
    writer = None if coming is None else coming.writer
    [(alone, queue, now, *read)] = planned_after(writer, _SEE, _params(pool_id, plan), first=[lock])
    if not alone:
        return None
    # Below 0 has waited what came while the lock was waited for.
    tickets = [
        TicketRow._make((one, max(waited, 0.0), *more, said or [], *passed))
        for one, waited, *more, said, passed in ((*row[:-4], row[-4:]) for row in queue or [])
    ]
    return Seen(tickets, _people(pool_id, now, read, {row.topic_id or 0 for row in tickets}))


def _after(pool_id: int, plan: Routes, topic_id: int | None) -> int | None:
    """Seconds of waiting after which the pool takes tickets of a topic, None for never: as _QUEUE says it."""
    afters, unrouted = _reach(pool_id, plan)
    return afters.get(topic_id) if topic_id in plan.by_topic else unrouted


def _params(pool_id: int, plan: Routes) -> list[Any]:
    """Of _QUEUE, _FREE and _BOOKED."""
    afters, unrouted = _reach(pool_id, plan)
    return [list(afters), list(afters.values()), unrouted, list(plan.by_topic), MOST_TICKETS, pool_id]


class _Ahead(NamedTuple):
    people: People
    seen_at: float  # time.monotonic()


AHEAD_SECONDS = 0.3
_ahead: dict[int, _Ahead] = {}  # pool → who was free a moment ago; of a matcher's one thread


def people_ahead(pool_id: int, plan: Routes) -> None:
    """Look who is free before a ticket comes, unless one waits. One query.

    The next run may take them for AHEAD_SECONDS, for a ticket that is coming. Whatever else asks for a run, somebody who has
    come or is free again, a ticket that is back, makes it look anew; who has left meanwhile is left out when offers are
    written (runs.STILL_FREE).
    """
    [(now, *columns)] = planned(_PEOPLE, _params(pool_id, plan))
    people = _people(pool_id, now, columns, members(pool_id).by_topic.keys())
    _ahead.pop(pool_id, None)
    if len(people):
        _ahead[pool_id] = _Ahead(people, time.monotonic())


def _later(people: People, seconds: float, topics: Collection[int]) -> People:
    """The same people so much later."""
    by_topic = {topic: rates for topic, rates in people.by_topic.items() if topic in topics}
    idle = people.idle + np.float32(seconds)
    return replace(people, idle=idle, by_topic=by_topic, seen_at=people.seen_at + seconds)


# --- People -----------------------------------------------------------------------------------------------------------

_TYPES = (">i8", ">i8", ">i4", ">i4", ">i4", ">f4")  # of _COLUMNS


def _people(pool_id: int, now: float, read: Sequence[Any], topics: Collection[int]) -> People:
    """`read`: what _COLUMNS and _BOOKED have found. Those of these people who are members, with how they accept tickets of
    these topics (0: none). Who is not known as one may have become one since: they are read once more."""
    *columns, booked = read
    arrays: list[Any] = [np.frombuffer(c or b"", t) for c, t in zip(columns, _TYPES, strict=True)]
    ids, *rest = (column.astype(column.dtype.newbyteorder("=")) for column in arrays)
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
