"""One run of a pool at a time: the pool's advisory lock, and who has it."""

from collections.abc import Iterator, Sequence
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


Lock = tuple[int, int]


@dataclass
class Hold:
    """A pool while one run has it."""

    lock: Statement  # that takes it
    pool_id: int
    writer: int | None = None  # number of the transaction that the run writes in; None: it is in one already
    ready: bool = False  # the lock of that number is there before the pool's is taken
    held: bool = True  # the pool
    till_written: bool = False  # nobody needs the pool any more once the offers are committed
    told: bool = False  # somebody may wait for that transaction
    written: bool = False  # it is committed

    def commit(self) -> None:
        """The offers; and in the same journey go on those who wait for them, and the pool, if nobody needs it any more."""
        assert self.writer is not None
        over = self.held and self.till_written
        writing.commit(self.writer, None, *[(LET_GO, [LOCK_CLASS, self.pool_id])] if over else [])
        self.written = True
        self.held = self.held and not over

    def end(self, *, failed: bool) -> None:
        if self.held:
            self._let_go()
        if self.writer is None or self.written:
            return
        if self.told or failed:
            writing.over(self.writer)
        else:
            writing.stock()[None] = writing.Number(self.writer)  # for the next run

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
    be, and the block ends by PoolBusy. Whoever reads nothing needs no lock, and says so (`held`).

    The lock is the connection's and not a transaction's, so what a run reads has neither BEGIN nor COMMIT to wait for; it is
    gone with the connection when the process dies. So is the one for which those wait who are told of the offers before they
    are written. Behind a pooler that hands connections round, and within a test's transaction, the pool's lock is the
    transaction's, and nobody is told.
    """
    pool = LOCK_CLASS, pool_id
    if connection.in_atomic_block or not settings.DATABASE_PREPARE:
        with timeline.command():
            yield Hold(_taken("advisory_xact_lock", [pool], wait=wait), pool_id, held=False)
        return
    kept = writing.stock().pop(None, None)
    writer = writing.number() if kept is None else kept.writer
    locks = [pool, *([] if kept else [(writing.LOCK_CLASS, writer)])]
    hold = Hold(_taken("advisory_lock", locks, wait=wait), pool_id, writer, ready=kept is not None)
    try:
        yield hold
    except PoolBusy:
        if kept:
            writing.stock()[None] = kept
        raise
    except BaseException:
        hold.end(failed=True)
        raise
    else:
        hold.end(failed=False)


def _taken(kind: str, locks: Sequence[Lock], *, wait: bool) -> Statement:
    """Takes the first lock and then the others, which nobody else wants. Without `wait` all of them or none."""
    params = [one for lock in locks for one in lock]
    others = [f"pg_{kind}(${place}, ${place + 1})" for place in range(3, len(params), 2)]
    if wait:
        takes = ", ".join([f"pg_{kind}($1, $2)", *others])
        return f"SELECT set_config('{ALONE}', 'true', false), {takes}", params
    then = " AND ".join(f"{other} IS NOT NULL" for other in others) or "true"
    taken = f"CASE WHEN pg_try_{kind}($1, $2) THEN {then} ELSE false END"
    return f"SELECT set_config('{ALONE}', ({taken})::text, false)", params
