"""The numbered timeline: numbering, storing and ringing are one step, and every change of a ticket is such a step."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, models, transaction
from django.db.models import F, QuerySet
from django.db.models.sql import UpdateQuery

from tickets import bell, files
from tickets.errors import KeyReused
from tickets.events import EventType
from tickets.models import Ticket, TicketEvent
from tickets.statements import insert

T = TypeVar("T")


@contextmanager
def command() -> Iterator[None]:
    """The transaction of an outermost service. Durable: nested use is an error, so nothing leaves before commit.

    When it is rolled back, the files written in it go too.
    """
    with transaction.atomic(durable=True), files.taken_back():
        yield


def statement() -> AbstractContextManager[None]:
    """Like command(), for an outermost service that changes all it changes by one statement: no BEGIN and no COMMIT.

    What it leaves for after the commit is done at once, so it leaves it after the block. Nested use is an error as well;
    in the transaction that a test is run in, a savepoint keeps a refused statement from spoiling it.
    """
    return command() if connection.in_atomic_block else nullcontext()


def update_returning(rows: QuerySet[Any], returning: Sequence[str], **values: Any) -> list[tuple[Any, ...]]:
    """`rows.update(**values)` that answers with the named columns of the rows it changed.

    A conditional UPDATE decides a race by who changes the row; RETURNING tells the winner what it got without a second
    query. `rows` may filter on its own table and on subqueries, not on joins. Returns one tuple a row.
    """
    query = cast("UpdateQuery", rows.query.chain(UpdateQuery))
    query.add_update_values(values)
    query.annotations = {}
    query.clear_ordering(force=True)
    try:
        sql, params = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
    except (
        EmptyResultSet
    ):  # Django knows without asking that no row can meet the condition, such as one of an empty list
        return []
    columns = ", ".join(connection.ops.quote_name(_column(rows.model, name)) for name in returning)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING {columns}", params)
        return list(cursor.fetchall())


def _column(model: type[models.Model], name: str) -> str:
    column = cast("models.Field[Any, Any]", model._meta.get_field(name)).column
    assert column is not None
    return column


def advance(
    tickets: QuerySet[Ticket],
    event: EventType,
    data: Mapping[str, Any] | Mapping[int, Mapping[str, Any]] | None = None,
    *,
    actor_id: int | None = None,
    key: str | None = None,
    digest: str = "",
    **values: Any,
) -> dict[int, int]:
    """Change the tickets that meet the condition of the queryset, and record the event of that change.

    The condition and the new values are one UPDATE, which also takes the next number under the row's lock: of two that
    race, the second finds the condition false. `data` is that of all, or a dict by ticket id. Returns ticket id →
    number of its event; tickets that did not meet the condition are missing from it. Two queries (one if none met it).
    """
    changed = update_returning(tickets, ["id", "public_id", "last_seq"], last_seq=F("last_seq") + 1, **values)
    return store(changed, event, data, actor_id=actor_id, key=key, digest=digest)


def store(
    changed: Sequence[tuple[Any, ...]],
    event: EventType,
    data: Mapping[str, Any] | Mapping[int, Mapping[str, Any]] | None = None,
    *,
    actor_id: int | None = None,
    key: str | None = None,
    digest: str = "",
) -> dict[int, int]:
    """The second half of advance(): record the event of (ticket id, public id, number) and ring. One query."""
    if not changed:
        return {}
    by_ticket = data is not None and bool(data) and all(isinstance(name, int) for name in data)
    insert(
        [
            TicketEvent(
                ticket_id=ticket_id,
                seq=seq,
                type=event.name,
                data=(data or {}).get(ticket_id, {}) if by_ticket else dict(data or {}),
                public=event.public,
                actor_id=actor_id,
                key=key,
                digest=digest,
            )
            for ticket_id, _public_id, seq in changed
        ]
    )
    bell.ring_all((f"ticket:{public_id}", seq) for _ticket_id, public_id, seq in changed)
    return {ticket_id: seq for ticket_id, _public_id, seq in changed}


def numbering(source: str, event: EventType) -> str:
    """advance() for a statement that writes more than a timeline: its CTEs `numbered` (public_id, seq) and `told`.

    `source` is a CTE of that statement, (ticket_id, data jsonb), each ticket once and locked. The caller rings.
    """
    return f"""
    numbered AS (
        UPDATE tickets_ticket t SET last_seq = t.last_seq + 1 FROM {source} WHERE t.id = {source}.ticket_id
        RETURNING t.id, t.public_id, t.last_seq AS seq, {source}.data),
    told AS (
        INSERT INTO tickets_ticketevent (ticket_id, seq, type, data, public, digest, created_at)
        SELECT id, seq, '{event.name}', data, {event.public}, '', clock_timestamp() FROM numbered)"""  # noqa: S608  names of our own


def digest_of(name: str, *parts: Any) -> str:
    """Fingerprint of a command and its input, 32 hex digits: tells a repeat from another request under the same key."""
    return hashlib.sha256(json.dumps([name, *parts], default=str, ensure_ascii=False).encode()).hexdigest()[
        :32
    ]


def receipt(ticket_id: int, key: str | None, digest: str) -> TicketEvent | None:
    """The event that this key's command has written before, if any.

    Raises KeyReused when the key was used for another command or input.
    """
    if key is None:
        return None
    event = TicketEvent.objects.filter(ticket_id=ticket_id, key=key).first()
    if event is not None and event.digest != digest:
        raise KeyReused
    return event


def once(
    ticket_id: int, key: str | None, digest: str, act: Callable[[], T], again: Callable[[TicketEvent], T]
) -> T:
    """Run the outermost command `act` at most once a key; a repeat gets `again(event of the first time)`.

    `act` must open its own `command()` and record one event with this key and digest. Two that race: the unique
    constraint on (ticket, key) rolls the second back, and it answers like the first.
    """
    if (event := receipt(ticket_id, key, digest)) is not None:
        return again(event)
    try:
        return act()
    except IntegrityError as error:
        if key is None or "ticket_event_key_once" not in str(error):
            raise
        event = receipt(ticket_id, key, digest)
        assert event is not None
        return again(event)
