"""One run of a pool at a time: the pool's advisory lock, and who has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import Error, connection

from dispatch.sight import ALONE
from tickets import timeline
from tickets.planned import Statement, commit

LOCK_CLASS = 7301  # first half of the advisory lock's key; the pool is the second


class PoolBusy(Exception):
    """Another run of the pool is under way, and the caller did not want to wait for it."""


@dataclass
class Hold:
    """A pool while one run has it."""

    lock: Statement  # that takes it
    pool_id: int
    free: bool  # in no transaction: what the run writes has one of its own
    held: bool = True
    till_written: bool = False  # nobody needs it any more once the offers are committed

    def commit(self) -> None:
        """The offers, and in the same journey the end of the hold, if nobody needs it any more."""
        commit(*[(LET_GO, [LOCK_CLASS, self.pool_id])] if self.till_written else [])
        self.held = not self.till_written

    def let_go(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(LET_GO, [LOCK_CLASS, self.pool_id])
        except Error:
            connection.close()  # lets go for certain: nobody else could ever run this pool


LET_GO = "SELECT pg_advisory_unlock(%s, %s)"


@contextmanager
def alone(pool_id: int, *, wait: bool) -> Iterator[Hold]:
    """No other run of this pool until the end of the block, or until its offers are committed. Gives the statement that takes
    the lock, to be sent with the first query, which reads from ALONE whether it was there to be had; without `wait` it may not
    be, and the block ends by PoolBusy.

    The lock is the connection's and not a transaction's, so what a run reads has neither BEGIN nor COMMIT to wait for; it is
    gone with the connection when the process dies. Behind a pooler that hands connections round, and within a test's
    transaction, the lock is the transaction's.
    """
    if connection.in_atomic_block or not settings.DATABASE_PREPARE:
        with timeline.command():
            yield Hold(_lock("advisory_xact_lock", pool_id, wait=wait), pool_id, free=False)
        return
    hold = Hold(_lock("advisory_lock", pool_id, wait=wait), pool_id, free=True)
    try:
        yield hold
    except PoolBusy:
        hold.held = False
        raise
    finally:
        if hold.held:
            hold.let_go()


def _lock(kind: str, pool_id: int, *, wait: bool) -> Statement:
    if wait:
        sql = f"SELECT set_config('{ALONE}', 'true', false), pg_{kind}($1, $2)"
    else:
        sql = f"SELECT set_config('{ALONE}', pg_try_{kind}($1, $2)::text, false)"
    return sql, [LOCK_CLASS, pool_id]
