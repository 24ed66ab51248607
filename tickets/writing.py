"""Transactions whose end somebody waits for: what comes next is told of them before they are written.

Whoever writes draws a number and takes a lock by it, until its transaction is over. Whoever was told the number takes the same
lock, shared, before it reads: then it is over, one way or the other. Each transaction has a number of its own, so nobody waits
for what its writer does next. They wait in one direction: the readers of offers for a matcher, that for the writer of a ticket,
and this for none of them.

The lock has to be there before anybody is told, and a journey for it alone would take much of what the telling saves. So it is
the connection's, and a transaction's COMMIT brings the lock for the next one with it: a connection has a number in stock.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django.db import Error, OperationalError, connection, models
from psycopg2.errors import LockNotAvailable

from tickets import planned as journeys
from tickets.planned import Statement, committing, planned

LOCK_CLASS = 7302  # first half of the advisory lock's key; the number is the second
PATIENCE = "250ms"  # of who waits: a writer that hangs must not hold up everybody else


class WriterHangs(Exception):
    """The transaction that was waited for is not over after PATIENCE."""


class Number(NamedTuple):
    """Of one transaction, whose lock the connection has."""

    writer: int
    key: int | None = None  # for its new row


Model = type[models.Model] | None

# Driver's connection → what it has in stock, with a key for a row of the model or without one. Nobody was told of these yet.
_stock: WeakKeyDictionary[Any, dict[Model, Number]] = WeakKeyDictionary()


def number() -> int:
    """A new one. Should two at the same time ever be the same, somebody waits for both."""
    return random.getrandbits(31)


def stock() -> dict[Model, Number]:
    """Of this connection, by what its keys are for."""
    with (
        connection.cursor()
    ):  # by now it is the one that will be used: one that was closed meanwhile is another one
        return _stock.setdefault(connection.connection, {})


@contextmanager
def told(model: type[models.Model]) -> Iterator[Number]:
    """A transaction that writes a new row of this model, and that others may be told of from now on. The block begins it
    (planned(begin=True)) and ends it by commit(); when it fails, nothing stays. One query, where none is in stock.
    """
    mine = stock().pop(model, None) or _take(model)
    try:
        with committing():
            yield mine
    except BaseException:
        over(mine.writer)
        raise


def commit(writer: int, model: Model = None, *then: Statement) -> None:
    """planned.commit() of the transaction of this number: those who wait for it go on, and the connection has the next one in
    stock. Raises as that."""
    drawn, takes, params = _draw(model)
    unlocks = "SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, writer]
    rows = journeys.commit(unlocks, *then, (takes, params))
    stock()[model] = Number(drawn, *rows[0][1:])


def over(writer: int) -> None:
    """It was not committed: let those go on who wait. One query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, writer])
    except Error:
        connection.close()  # lets go for certain


def _take(model: Model) -> Number:
    drawn, takes, params = _draw(model)
    with connection.cursor() as cursor:
        cursor.execute(takes, params)
        return Number(drawn, *cursor.fetchone()[1:])


def _draw(model: Model) -> tuple[int, str, list[Any]]:
    """A new number, and the statement that takes its lock, and a key if there is a model."""
    drawn = number()
    if model is None:
        return drawn, "SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, drawn]
    names = [connection.ops.quote_name(model._meta.db_table), model._meta.pk.column]
    sql = "SELECT pg_advisory_lock(%s, %s), nextval(pg_get_serial_sequence(%s, %s))"
    return drawn, sql, [LOCK_CLASS, drawn, *names]


def planned_after(
    writer: int | None,
    sql: str,
    params: Sequence[Any],
    *,
    first: Sequence[Statement] = (),
    begin: bool = False,
) -> list[tuple[Any, ...]]:
    """planned(), once the transaction of this number, if there is one, is over. One query.

    Raises WriterHangs, of which it is not known whether any of `first` was done. Their own locks are waited for as ever.
    """
    if writer is None:
        return planned(sql, params, first=first, begin=begin)
    try:
        return planned(sql, params, first=[(_waits(), [LOCK_CLASS, writer]), *first], begin=begin)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise WriterHangs from error
        raise


def _waits() -> str:
    # A column is worked out before the next one.
    return (
        "SELECT set_config('standby.lock_timeout', current_setting('lock_timeout'), true),"
        f" set_config('lock_timeout', '{PATIENCE}', true), pg_advisory_xact_lock_shared($1, $2),"
        " set_config('lock_timeout', current_setting('standby.lock_timeout'), true)"
    )
