"""Statements that PostgreSQL plans once in a while instead of at each call. For the few that run for every ticket.

A join of seven tables takes longer to plan than to run (EXPLAIN ANALYZE of dispatch/sight.py's people: 2.3 ms and 1.9 ms). So
these are prepared, and planned without their values (plan_cache_mode in settings.py), which suits them: they look by keys.

A plan that was made while a table was tiny reads all of it, and is slower each minute until somebody analyzes the table. So a
plan is thrown away after some seconds; a new one knows how large the tables are now.

Behind a pooler that hands one connection to several clients in turn, switch it off: DATABASE_PREPARE=0.
"""

import itertools
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import Error, InternalError, connection
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS

PLAN_SECONDS = 10.0

# Driver's connection → statement → its name there and time.monotonic() of its plan.
_prepared: WeakKeyDictionary[Any, dict[str, tuple[str, float]]] = WeakKeyDictionary()

_numbers = itertools.count(1)


Statement = tuple[str, Sequence[Any]]  # with its parameters as $1, $2, …; and these


def planned(
    sql: str, params: Sequence[Any], *, first: Sequence[Statement] = (), begin: bool = False
) -> list[tuple[Any, ...]]:
    """Run a statement that has its parameters as $1, $2, … and return its rows. One query.

    `first`: other statements that run before it on the same journey, such as those that take locks; each sees what was
    committed while the ones before it waited. With `begin` they begin a transaction that the caller is to commit, for who has
    something to do before that (commit(), within committing()); one that fails is rolled back. Django knows nothing of it.
    """
    with connection.cursor() as cursor:
        values: Any
        if settings.DATABASE_PREPARE:
            text, values = _executed(sql, params)
            for one, its in reversed(first):
                before, earlier = _executed(one, its)
                text, values = f"{before}; {text}", [*earlier, *values]
        else:
            text, values = _inlined([*first, (sql, params)])
        try:
            cursor.execute(f"BEGIN; {text}" if begin else text, values)
            return list(cursor.fetchall())
        except BaseException:
            if begin:
                _roll_back()
            raise


def commit(*then: Statement) -> list[tuple[Any, ...]]:
    """End the transaction that planned() began, and run `then`, with %s for their parameters, on the same journey. Returns the
    rows of the last one.

    Raises django.db.InternalError when something in it has failed: PostgreSQL would roll back without a word.
    """
    driver = connection.connection
    assert driver is not None
    if driver.info.transaction_status != TRANSACTION_STATUS_INTRANS:
        raise InternalError("this transaction cannot be committed any more")
    texts = ["COMMIT"]
    values: list[Any] = []
    for sql, params in then:
        texts.append(sql)
        values += params
    with connection.cursor() as cursor:
        cursor.execute("; ".join(texts), values)
        return list(cursor.fetchall()) if then else []


@contextmanager
def committing() -> Iterator[None]:
    """Around all that stands between planned(begin=True) and the end of commit(): when it fails, nothing stays."""
    try:
        yield
    except BaseException:
        _roll_back()
        raise


def _roll_back() -> None:
    driver = connection.connection
    if driver is None or driver.closed or driver.info.transaction_status == TRANSACTION_STATUS_IDLE:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
    except Error:
        connection.close()  # rolls back for certain


def _executed(sql: str, params: Sequence[Any]) -> Statement:
    """The same by its name, with %s for its parameters."""
    return f"EXECUTE {_known(sql)}" + (f" ({', '.join(['%s'] * len(params))})" if params else ""), params


def _known(sql: str) -> str:
    """Name under which this connection knows the statement; prepared if it does not yet, or too long since.

    Each plan has a name of its own. Preparing fails when a table that it names is locked for too long (a migration's deadlock,
    a time-out), and what the server then still knows is not known here: a name that was used twice could be missing, or taken,
    for as long as the connection lives.
    """
    driver = connection.connection
    assert driver is not None
    plans = _prepared.setdefault(driver, {})
    old, since = plans.get(sql, ("", -PLAN_SECONDS))
    now = time.monotonic()
    if now - since < PLAN_SECONDS:
        return old
    name = f"planned_{next(_numbers)}"
    # Apart from its first run: it stays prepared though that fails and the transaction is rolled back.
    with connection.wrap_database_errors, driver.cursor() as cursor:
        cursor.execute(f"PREPARE {name} AS {sql}" + (f"; DEALLOCATE {old}" if old else ""))
    plans[sql] = name, now
    return name


def _inlined(statements: Sequence[Statement]) -> tuple[str, dict[str, Any]]:
    """The same with named parameters of the driver, planned at each call."""
    texts: list[str] = []
    values: dict[str, Any] = {}
    for number, (sql, params) in enumerate(statements):
        texts.append(re.sub(r"\$(\d+)", rf"%(s{number}p\1)s", sql.replace("%", "%%")))
        values |= {f"s{number}p{place}": value for place, value in enumerate(params, 1)}
    return "; ".join(texts), values
