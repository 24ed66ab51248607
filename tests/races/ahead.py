"""Transactions that others wait for (tickets/writing.py), seen from outside; and matchers that have looked ahead."""

from typing import Any

from django.db import OperationalError, connection

from dispatch import alone, routes, sight
from tests.cast import World
from tests.waiting import until
from tickets import writing

ANOTHER = 5  # number of a transaction that is over


def look_ahead(world: World, *, foreseen: bool) -> None:
    sight._ahead.clear()
    stocked()
    if foreseen:
        sight.people_ahead(world.pool.pk, routes.routes())
        assert list(sight._ahead) == [world.pool.pk]


def stocked() -> None:
    """As a matcher's connection after its first run."""
    writing.keep(writing.take())


def locks(kind: int) -> int:
    """Advisory locks of this class that are held in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.classid = %s",
            [kind],
        )
        return int(cursor.fetchone()[0])


def told() -> int:
    """Transactions that somebody would wait for: locks of numbers that are not in this connection's stock."""
    return locks(writing.LOCK_CLASS) - len(writing._stock.get(connection.connection, {}))


def nobody_waits() -> None:
    """Locks of a thread's connection go a moment after it was closed."""
    until(lambda: (locks(alone.LOCK_CLASS), told()) == (0, 0), "no lock is left but those in stock")


def failing(*_: Any) -> None:
    raise OperationalError("the disk is full")
