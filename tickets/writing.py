"""Transactions whose end somebody waits for: what comes next is told of them before they are written.

Whoever writes draws a number and takes a lock by it, for as long as its transaction. Whoever was told the number takes the same
lock, shared, before it reads: then the transaction is over, one way or the other. Each transaction has a number of its own, so
nobody waits for what its writer does next. They wait in one direction: the readers of offers for a matcher, that for the writer
of a ticket, and this for none of them.
"""

import random
from collections.abc import Sequence
from typing import Any

from django.db import OperationalError, connection, models
from psycopg2.errors import LockNotAvailable

from tickets.planned import Statement, planned

LOCK_CLASS = 7302  # first half of the advisory lock's key; the number is the second
PATIENCE = "250ms"  # of who waits: a writer that hangs must not hold up everybody else


class WriterHangs(Exception):
    """The transaction that was waited for is not over after PATIENCE."""


def number() -> int:
    """For one transaction. Should two at the same time ever have the same, somebody waits for both."""
    return random.getrandbits(31)  # no secret


def begin(writer: int, model: type[models.Model]) -> int:
    """Begin a transaction that others may be told of from now on; returns the key that its new row of this model is to have.
    One query. The caller is to commit it (tickets/planned.py).

    A journey of its own: who is told while the writing itself is under way could come before the lock.
    """
    sql = "SELECT pg_advisory_xact_lock($1, $2), nextval(pg_get_serial_sequence($3::text, $4::text))"
    names = [connection.ops.quote_name(model._meta.db_table), str(model._meta.pk.column)]
    [(_, key)] = planned(sql, [LOCK_CLASS, writer, *names], begin=True)
    return int(key)


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
