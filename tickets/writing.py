"""Transactions whose end somebody waits for: what comes next is told of them before they are written.

Whoever writes draws a number and takes a lock by it, until its transaction is over. Whoever was told the number takes the same
lock, shared, before it reads: then it is over, one way or the other. Each transaction has a number of its own, so nobody waits
for what its writer does next. They wait in one direction: the readers of offers for a matcher, that for the writer of a ticket,
and this for none of them.

The lock has to be there before anybody is told, and a journey for it alone would take much of what the telling saves. So it is
the connection's, and a transaction's COMMIT brings the lock for the next one with it: a connection has a number in stock.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django.db import Error, OperationalError, connection, models
from psycopg2.errors import LockNotAvailable

from tickets.planned import Statement, committing, planned
from tickets.planned import commit as end

LOCK_CLASS = 7302  # first half of the advisory lock's key; the number is the second
PATIENCE = "250ms"  # of who waits: a writer that hangs must not hold up everybody else
KEY_SECONDS = 10.0  # a key that lies for longer is drawn anew: lists by number are by age but for so long


class WriterHangs(Exception):
    """The transaction that was waited for is not over after PATIENCE."""


class Number(NamedTuple):
    """Of one transaction, whose lock this connection of the driver has."""

    writer: int
    driver: Any
    key: int | None = None  # for its new row
    since: float = 0.0  # time.monotonic() of drawing it


Row = type[models.Model] | None  # whose key is wanted too

# Driver's connection → what it has in stock, with a key for a row of the model or without one. Nobody was told of these yet.
_stock: WeakKeyDictionary[Any, dict[Row, Number]] = WeakKeyDictionary()


def take(model: Row = None) -> Number:
    """A number for a transaction of this connection: its lock is there, so others may be told of it. One query where none is in
    stock, or its key has lain there for too long. The transaction ends by commit(), or the caller says that it is over(), or
    keep()s the number that nobody heard of.
    """
    with connection.cursor() as cursor:  # by now it is the connection that will be used
        driver = connection.connection
        found = _stock.setdefault(driver, {}).pop(model, None)
        while found is None:
            drawn, takes, params = _draw(model)
            cursor.execute(takes, params)
            found = _got(driver, drawn, cursor.fetchone())
        if model is not None and time.monotonic() - found.since > KEY_SECONDS:
            cursor.execute(f"SELECT {_NEXT_KEY}", _of(model))
            found = found._replace(key=cursor.fetchone()[0], since=time.monotonic())
    return found


def keep(number: Number, model: Row = None) -> None:
    """For the next transaction, if the connection is still the same."""
    if connection.connection is number.driver:
        _stock.setdefault(number.driver, {})[model] = number


@contextmanager
def told(model: type[models.Model]) -> Iterator[Number]:
    """A transaction that writes a new row of this model, and that others may be told of from now on. The block begins it
    (planned(begin=True)) and ends it by commit(); when it fails, nothing stays. As take().
    """
    number = take(model)
    try:
        with committing():
            yield number
    except BaseException:
        over(number)
        raise


def commit(number: Number, model: Row = None, *then: Statement) -> None:
    """planned.commit() of the transaction of this number: those who wait for it go on, and the connection has the next one in
    stock. Raises as that."""
    drawn, takes, params = _draw(model)
    rows = end(_unlocks(number), *then, (takes, params))
    if got := _got(number.driver, drawn, rows[0]):
        keep(got, model)


def over(number: Number) -> None:
    """It was not committed: let those go on who wait. One query."""
    if connection.connection is not number.driver:
        return  # gone with it
    try:
        with connection.cursor() as cursor:
            cursor.execute(*_unlocks(number))
    except Error:
        connection.close()  # lets go for certain


def _draw(model: Row) -> tuple[int, str, list[Any]]:
    """A new number, and the statement that takes its lock, if nobody has it, and a key if there is a model."""
    drawn = secrets.randbits(31)
    if model is None:
        return drawn, "SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, drawn]
    return drawn, f"SELECT pg_try_advisory_lock(%s, %s), {_NEXT_KEY}", [LOCK_CLASS, drawn, *_of(model)]


_NEXT_KEY = "nextval(pg_get_serial_sequence(%s, %s))"


def _of(model: type[models.Model]) -> list[Any]:
    """For _NEXT_KEY."""
    return [connection.ops.quote_name(model._meta.db_table), model._meta.pk.column]


def _got(driver: Any, drawn: int, row: tuple[Any, ...]) -> Number | None:
    taken, *key = row
    return Number(drawn, driver, key[0] if key else None, time.monotonic()) if taken else None


def _unlocks(number: Number) -> Statement:
    return "SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, number.writer]


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
