"""Transactions whose end somebody waits for: what is to be read is asked for before it is committed.

Whoever writes takes a lock that is named by its PostgreSQL process and ends with its transaction. Whoever was told of the
process takes the same lock, shared and for a moment, before it reads: then the transaction is over. Nobody who has such a lock
waits for another one of them, so they are in nobody's way.
"""

from django.db import connection
from psycopg2.errors import LockNotAvailable

from tickets.planned import Statement

LOCK_CLASS = 7302  # first half of the advisory lock's key; the process is the second
PATIENCE = "250ms"  # of who waits: a writer that hangs must not hold up everybody else


class WriterHangs(Exception):
    """The transaction that was waited for is not over after PATIENCE."""


def process() -> int:
    """The PostgreSQL process of this connection, as the driver knows it."""
    with (
        connection.cursor()
    ):  # by now it is the connection that will be used: one that was closed meanwhile is another one
        driver = connection.connection
        assert driver is not None
        return int(driver.info.backend_pid)


def begun(writer: int) -> Statement:
    """To be sent first in the transaction of this connection, whose process() it is."""
    return f"SELECT pg_advisory_xact_lock({LOCK_CLASS}, $1::int)", [writer]


def after(writer: int) -> list[Statement]:
    """To be sent before what reads: they wait for the end of that process's transaction, if one is under way.

    Where it takes too long, PostgreSQL cancels them as is_late() knows.
    """
    bounded = (
        "SELECT set_config('standby.lock_timeout', current_setting('lock_timeout'), true),"
        f" set_config('lock_timeout', '{PATIENCE}', true)"
    )
    return [
        (bounded, []),
        (f"SELECT pg_advisory_xact_lock_shared({LOCK_CLASS}, $1::int)", [writer]),
        ("SELECT set_config('lock_timeout', current_setting('standby.lock_timeout'), true)", []),
    ]


def is_late(error: Exception) -> bool:
    """Whether a lock was waited for for too long."""
    return isinstance(error.__cause__, LockNotAvailable)
