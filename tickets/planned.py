"""Statements that PostgreSQL plans once in a while instead of at each call. For the few that run for every ticket.

A join of seven tables takes longer to plan than to run (EXPLAIN ANALYZE of dispatch/sight.py's people: 2.3 ms and 1.9 ms). So
these are prepared, and planned without their values (plan_cache_mode in settings.py), which suits them: they look by keys.

A plan that was made while a table was tiny reads all of it, and is slower each minute until somebody analyzes the table. So a
plan is thrown away after some seconds; a new one knows how large the tables are now.

Behind a pooler that hands one connection to several clients in turn, switch it off: DATABASE_PREPARE=0.
"""

import hashlib
import re
import time
from collections.abc import Sequence
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection

PLAN_SECONDS = 10.0

# Driver's connection → names of its statements → time.monotonic() of their plan.
_prepared: WeakKeyDictionary[Any, dict[str, float]] = WeakKeyDictionary()


def planned(
    sql: str, params: Sequence[Any], *, first: str = "", first_params: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Run a statement that has its parameters as $1, $2, … and return its rows. One query.

    `first`: another statement (with %s) that runs before it on the same journey, such as one that takes locks; the second
    sees what was committed while the first waited.
    """
    with connection.cursor() as cursor:
        if settings.DATABASE_PREPARE:
            sql = f"EXECUTE {_known(sql)}" + (f" ({', '.join(['%s'] * len(params))})" if params else "")
            values: Any = [*first_params, *params]
        else:
            first, sql, values = _inlined(first, first_params, sql, params)
        cursor.execute(f"{first}; {sql}" if first else sql, values)
        return list(cursor.fetchall())


def _known(sql: str) -> str:
    """Name under which this connection knows the statement; prepared if it does not yet, or too long since."""
    driver = connection.connection
    assert driver is not None
    plans = _prepared.setdefault(driver, {})
    name, now = _name(sql), time.monotonic()
    if now - plans.get(name, -PLAN_SECONDS) >= PLAN_SECONDS:
        # Apart from its first run: it stays prepared though that fails and the transaction is rolled back.
        with driver.cursor() as cursor:
            cursor.execute((f"DEALLOCATE {name}; " if name in plans else "") + f"PREPARE {name} AS {sql}")
        plans[name] = now
    return name


@cache
def _name(sql: str) -> str:
    return f"planned_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"


def _inlined(
    first: str, first_params: Sequence[Any], sql: str, params: Sequence[Any]
) -> tuple[str, str, dict[str, Any]]:
    """The same with named parameters of the driver, planned at each call."""
    places = iter(range(len(first_params)))
    return (
        re.sub("%s", lambda _: f"%(first{next(places)})s", first),
        re.sub(r"\$(\d+)", r"%(p\1)s", sql.replace("%", "%%")),
        {f"first{place}": value for place, value in enumerate(first_params)}
        | {f"p{place}": value for place, value in enumerate(params, 1)},
    )
