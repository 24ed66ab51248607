"""One run of a pool at a time: the pool's advisory lock, and who has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import Error, connection

from dispatch.sight import ALONE
from tickets import timeline, writing
from tickets.planned import Statement

LOCK_CLASS = 7301  # first half of the advisory lock's key; the pool is the second


class PoolBusy(Exception):
    """Another run of the pool is under way, and the caller did not want to wait for it."""


@dataclass
class Hold:
    """A pool while one run has it."""

    lock: Statement  # that takes it
    pool_id: int
    number: writing.Number | None = None  # of the transaction that it writes in; None: it is in one already
    held: bool = True  # the pool
    till_written: bool = False  # nobody needs the pool any more once the offers are committed
    told: bool = False  # somebody may wait for that transaction
    written: bool = False  # it is committed

    def commit(self) -> None:
        """The offers; and in the same journey go on those who wait for them, and the pool, if nobody needs it any more."""
        assert self.number is not None
        over = self.held and self.till_written
        writing.commit(self.number, None, *[(LET_GO, [LOCK_CLASS, self.pool_id])] if over else [])
        self.written = True
        self.held = self.held and not over

    def end(self) -> None:
        if self.held:
            self._let_go()
        if self.number is None or self.written:
            return
        if self.told:
            writing.over(self.number)
        else:
            writing.keep(self.number)

    def _let_go(self) -> None:
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
    be, and the block ends by PoolBusy. Whoever reads nothing takes it where it writes, and it is not `held` until then.

    The lock is the connection's and not a transaction's, so what a run reads has neither BEGIN nor COMMIT to wait for; it is
    gone with the connection when the process dies. So is the one for which those wait who are told of the offers before they
    are written. Behind a pooler that hands connections round, and within a test's transaction, the pool's lock is the
    transaction's, and nobody is told.
    """
    if connection.in_atomic_block or not settings.DATABASE_PREPARE:
        with timeline.command():
            yield Hold(_taken("advisory_xact_lock", pool_id, wait=wait), pool_id, held=False)
        return
    number = writing.take()
    hold = Hold(_taken("advisory_lock", pool_id, wait=wait), pool_id, number)
    try:
        yield hold
    except PoolBusy:
        hold.held = False
        raise
    finally:
        hold.end()


def _taken(kind: str, pool_id: int, *, wait: bool) -> Statement:
    if wait:
        sql = f"SELECT set_config('{ALONE}', 'true', false), pg_{kind}($1, $2)"
    else:
        sql = f"SELECT set_config('{ALONE}', pg_try_{kind}($1, $2)::text, false)"
    return sql, [LOCK_CLASS, pool_id]
