"""How things stand for agents, for many of them in one statement: their feed from a number on, shift and open cards.

One statement is one moment: events and state belong together. And it is one journey to the database for all the sockets whose
bells ring at the same time; on the way of an offer the journeys take longer than what is done at their end.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from dispatch.routes import Routes, routes
from tickets.planned import planned
from tickets.stream import REPLAY_LIMIT
from tickets.writing import WriterHangs, planned_after


class EventRow(NamedTuple):
    seq: int
    type: str
    data: dict[str, Any]
    at: str  # ISO 8601


class ShiftRow(NamedTuple):
    epoch: int
    state: str
    reason: str
    lost: bool
    units: int
    units_taken: int
    practice: bool


class CardRow(NamedTuple):
    offer: int
    expires_at: str  # ISO 8601
    seconds_left: float
    pay_cents: int
    currency: str
    why: dict[str, Any]
    topic_id: int | None
    topic: str | None
    language: str
    waiting_since: str  # ISO 8601
    summary: str
    seconds: int  # from making to deadline
    next_up: bool  # made while they wrapped up
    surge_cents: int
    terms: dict[str, int]
    customer_name: str  # to hide it in the summary; on no card
    handover: str  # why the assistant handed over, a HandoverReason; empty: it was not with it


class Look(NamedTuple):
    """One agent at one moment. `events` above the number asked for, in order; None when too many to replay."""

    seq: int  # number of the last event, 0 before the first
    events: list[EventRow] | None
    shift: ShiftRow | None  # the open one
    cards: list[CardRow]  # that wait for the agent's answer and are in time, by age
    auto_accept: bool  # the agent's own switch
    plan: Routes  # what admins have set, to tell skills and topics by
    told: dict[tuple[int, str], dict[str, Any]]  # cards.card_of: offer and language → its card


_CARD = """
    json_build_array(o.id, o.expires_at, round(extract(epoch FROM o.expires_at - statement_timestamp()), 1)::float8,
        o.pay_cents, o.currency, o.why, t.topic_id, topic.key, t.language, t.waiting_since, t.summary,
        round(extract(epoch FROM o.expires_at - o.made_at))::int, o.next_up, o.surge_cents, o.terms, c.name, t.handover)
"""
_CARDS = """
    FROM dispatch_offer o JOIN tickets_ticket t ON t.id = o.ticket_id LEFT JOIN tickets_topic topic ON topic.id = t.topic_id
    JOIN tickets_customer c ON c.id = t.customer_id
"""
_AUTO_ACCEPT = "(SELECT auto_accept FROM agents_agent WHERE id = asked.agent_id)"
# By subqueries of single rows: for a join of the few who are asked the planner reads all agents.
_LOOK = f"""
    SELECT asked.agent_id, coalesce((SELECT last_seq FROM dispatch_feed WHERE agent_id = asked.agent_id), 0),
        (SELECT json_agg(json_build_array(e.seq, e.type, e.data, e.created_at) ORDER BY e.seq) FROM
            (SELECT * FROM dispatch_feedevent WHERE agent_id = asked.agent_id AND seq > asked.after
             ORDER BY seq LIMIT {REPLAY_LIMIT + 1}) e),
        (SELECT json_build_array(s.epoch, s.state, s.reason, s.lost_at IS NOT NULL, s.units, s.units_taken,
                                 s.practice)
         FROM agents_shift s WHERE s.agent_id = asked.agent_id AND s.ended_at IS NULL),
        (SELECT json_agg({_CARD} ORDER BY o.id) {_CARDS}
         WHERE o.agent_id = asked.agent_id AND o.state = 'pending' AND o.expires_at > statement_timestamp()
           AND NOT (o.automatic AND {_AUTO_ACCEPT})),
        coalesce({_AUTO_ACCEPT}, false)
    FROM unnest($1::bigint[], $2::bigint[]) AS asked(agent_id, after)
"""  # noqa: S608  nothing from outside is in it
_OFFERS = f"SELECT {_CARD} {_CARDS} WHERE o.id = ANY($1::bigint[]) ORDER BY o.id"


def looks(after: Mapping[int, int], writer: int | None = None) -> dict[int, Look]:
    """Agent id → look, for agent id → the number that is known of their feed. One query (and those of routes()).

    `writer`: when the transaction of this number is over, or hangs (tickets/writing.py).
    """
    plan, params = routes(), [list(after), list(after.values())]
    try:
        rows = planned_after(writer, _LOOK, params)
    except WriterHangs:
        rows = planned(_LOOK, params)
    return {
        agent_id: Look(
            seq,
            None if events and len(events) > REPLAY_LIMIT else [_event(one) for one in events or []],
            ShiftRow(*shift) if shift else None,
            [_card(one) for one in cards or []],
            auto_accept,
            plan,
            {},
        )
        for agent_id, seq, events, shift, cards, auto_accept in rows
    }


def look(agent_id: int, after: int | None = None) -> Look:
    """One agent's look; without a number it has no events. One query."""
    return looks({agent_id: NEVER if after is None else after})[agent_id]


NEVER = 2**62  # a number above all


def card_rows(offers: list[int]) -> list[CardRow]:
    """The cards of these offers, open or not, by id; `seconds_left` is below 0 when it is over. One query."""
    return [_card(row) for (row,) in planned(_OFFERS, [offers])]


def _event(row: list[Any]) -> EventRow:
    event = EventRow._make(row)
    return event._replace(at=_iso(event.at))


def _card(row: list[Any]) -> CardRow:
    card = CardRow._make(row)
    return card._replace(expires_at=_iso(card.expires_at), waiting_since=_iso(card.waiting_since))


def _iso(moment: str) -> str:
    """As everywhere else: PostgreSQL's JSON leaves out zeros at the end."""
    return datetime.fromisoformat(moment).isoformat()
