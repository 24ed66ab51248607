"""An agent's numbered events: numbering, storing and ringing in one step, as tickets/timeline.py does for tickets."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import IntegrityError, connection
from django.db.models import F

from agents.models import Agent
from dispatch import looks
from dispatch.cards import card_of
from dispatch.events import OFFER_MADE
from dispatch.looks import Look
from dispatch.models import Feed, FeedEvent
from tickets import bell
from tickets.errors import KeyReused
from tickets.events import EventType
from tickets.statements import insert
from tickets.timeline import update_returning

T = TypeVar("T")


def stream_of(agent_id: int) -> str:
    """Name of an agent's stream in frames."""
    return f"agent:{agent_id}"


def record(
    agent_id: int, event: EventType, data: Mapping[str, Any], *, key: str | None = None, digest: str = ""
) -> int:
    """One event for one agent. Inner. Returns its number. Two queries."""
    return record_many([(agent_id, event, data)], key=key, digest=digest)[agent_id]


def record_many(
    news: Sequence[tuple[int, EventType, Mapping[str, Any]]], *, key: str | None = None, digest: str = ""
) -> dict[int, int]:
    """One event for each of several agents, each agent at most once. Inner. Returns agent id → number. Two queries.

    The counters' rows are taken in the order of the agents' ids, so that two writers never wait for each other.
    """
    if not news:
        return {}
    ids = sorted(agent_id for agent_id, _event, _data in news)
    seqs = _next_numbers(ids)
    insert(
        [
            FeedEvent(
                agent_id=agent_id, seq=seqs[agent_id], type=event.name, data=data, key=key, digest=digest
            )
            for agent_id, event, data in news
        ]
    )
    bell.ring_all((stream_of(agent_id), seq) for agent_id, seq in seqs.items())
    return seqs


def _next_numbers(ids: list[int]) -> dict[int, int]:
    if len(ids) == 1:
        numbers = update_returning(
            Feed.objects.filter(agent_id=ids[0]), ["agent_id", "last_seq"], last_seq=F("last_seq") + 1
        )
        if numbers:
            return {ids[0]: numbers[0][1]}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dispatch_feed (agent_id, last_seq) SELECT id, 1 FROM unnest(%s::bigint[]) AS id ORDER BY id"
            " ON CONFLICT (agent_id) DO UPDATE SET last_seq = dispatch_feed.last_seq + 1 RETURNING agent_id, last_seq",
            [ids],
        )
        return dict(cursor.fetchall())


def counting(source: str, event: EventType) -> str:
    """record_many() for a statement that writes more than feeds: its CTEs `counted` (agent_id, seq) and `noted`.

    `source` is a CTE of that statement, (agent_id, data jsonb), each agent once. The caller rings.
    """
    return f"""
    counted AS (
        INSERT INTO dispatch_feed (agent_id, last_seq) SELECT agent_id, 1 FROM {source} ORDER BY agent_id
        ON CONFLICT (agent_id) DO UPDATE SET last_seq = dispatch_feed.last_seq + 1 RETURNING agent_id, last_seq AS seq),
    noted AS (
        INSERT INTO dispatch_feedevent (agent_id, seq, type, data, digest, created_at)
        SELECT counted.agent_id, counted.seq, '{event.name}', {source}.data, '', clock_timestamp()
        FROM counted JOIN {source} ON {source}.agent_id = counted.agent_id)"""  # noqa: S608  names of our own


def receipt(agent_id: int, key: str | None, digest: str) -> FeedEvent | None:
    """The event that this key's command has written before, if any. Raises KeyReused as tickets.timeline.receipt."""
    if key is None:
        return None
    event = FeedEvent.objects.filter(agent_id=agent_id, key=key).first()
    if event is not None and event.digest != digest:
        raise KeyReused
    return event


def once(agent_id: int, key: str | None, digest: str, act: Callable[[], T], again: Callable[[], T]) -> T:
    """Run the outermost command `act` at most once a key; a repeat gets `again()`."""
    if receipt(agent_id, key, digest) is not None:
        return again()
    try:
        return act()
    except IntegrityError as error:
        if key is None or "feed_event_key_once" not in str(error):
            raise
        receipt(agent_id, key, digest)
        return again()


def frames_of(agent_id: int, look: Look, language: str) -> list[dict[str, Any]] | None:
    """The frames of a look's events; None when too many to replay. No query, one if an offer of them is over."""
    if look.events is None:
        return None
    rows = {row.offer: row for row in look.cards}
    made = [event.data["offer"] for event in look.events if event.type == OFFER_MADE.name]
    if over := [offer for offer in made if offer not in rows]:
        rows |= {row.offer: row for row in looks.card_rows(over)}
    return [
        {
            "stream": stream_of(agent_id),
            "seq": event.seq,
            "type": event.type,
            "at": event.at,
            "data": card_of(rows[event.data["offer"]], look, language)
            if event.type == OFFER_MADE.name
            else event.data,
        }
        for event in look.events
    ]


def last_seq(agent: Agent) -> int:
    """Number of the agent's last event; 0 before the first."""
    return Feed.objects.filter(agent=agent).values_list("last_seq", flat=True).first() or 0
