"""Threads of which the one that was free last works first."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.waiting import until
from tickets.threads import LastFreeFirst

PATIENCE = 30.0  # seconds


@pytest.fixture
def pool() -> Iterator[LastFreeFirst]:
    pool = LastFreeFirst(3, "test")
    yield pool
    pool.shutdown()


class Work:
    """Goes on until it is let go; its result is the name of its thread."""

    def __init__(self, pool: LastFreeFirst) -> None:
        self.begun, self.over = threading.Event(), threading.Event()
        self.future: Future[str] = pool.submit(self.work)

    def work(self) -> str:
        self.begun.set()
        assert self.over.wait(PATIENCE)
        return threading.current_thread().name

    def end(self, pool: LastFreeFirst) -> str:
        """Let it go, and wait until its thread is free again: the result is there a moment sooner."""
        free = len(pool._free)
        self.over.set()
        name = self.future.result(PATIENCE)
        until(lambda: len(pool._free) > free, "a free thread")
        return name


def busy(pool: LastFreeFirst, count: int) -> list[Work]:
    work = [Work(pool) for _ in range(count)]
    assert all(one.begun.wait(PATIENCE) for one in work)
    return work


def test_one_thread_does_it_all_while_it_is_enough(pool: LastFreeFirst) -> None:
    assert [Work(pool).end(pool) for _ in range(5)] == ["test_0"] * 5
    assert len(pool._threads) == 1


def test_the_one_that_was_free_last_goes_first(pool: LastFreeFirst) -> None:
    first, second, third = busy(pool, 3)
    assert [one.end(pool) for one in (second, third, first)] == ["test_1", "test_2", "test_0"]
    assert [Work(pool).end(pool) for _ in range(3)] == ["test_0"] * 3
    again = busy(pool, 3)
    assert [one.end(pool) for one in again] == ["test_0", "test_2", "test_1"]


def test_what_comes_while_all_work_waits_in_the_order_of_its_coming(pool: LastFreeFirst) -> None:
    working = busy(pool, 3)
    done: list[int] = []
    waiting = [pool.submit(done.append, number) for number in range(4)]
    assert done == []
    assert not any(one.running() for one in waiting)
    working[0].over.set()
    for one in waiting:
        one.result(PATIENCE)
    assert done == [0, 1, 2, 3]
    assert len(pool._threads) == 3
    for one in working[1:]:
        one.end(pool)


def test_what_goes_wrong_is_told_and_the_thread_works_on(pool: LastFreeFirst) -> None:
    def fail() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        pool.submit(fail).result(PATIENCE)
    until(lambda: len(pool._free) == 1, "a free thread")
    with pytest.raises(SystemExit):
        pool.submit(sys.exit, 3).result(PATIENCE)
    until(lambda: len(pool._free) == 1, "a free thread")
    assert Work(pool).end(pool) == "test_0"


def test_what_was_called_off_while_it_waited_is_not_done(pool: LastFreeFirst) -> None:
    working = busy(pool, 3)
    done: list[str] = []
    called_off, kept = pool.submit(done.append, "off"), pool.submit(done.append, "on")
    assert called_off.cancel()
    working[0].over.set()
    kept.result(PATIENCE)
    assert done == ["on"]
    for one in working[1:]:
        one.end(pool)


def test_the_end_waits_for_work_and_takes_no_more() -> None:
    pool = LastFreeFirst(2, "test")
    working = busy(pool, 2)
    waiting = pool.submit(lambda: "done")
    ending = threading.Thread(target=pool.shutdown)
    ending.start()
    until(lambda: pool._over, "the end")
    with pytest.raises(RuntimeError):
        pool.submit(print)
    assert not waiting.done()
    assert ending.is_alive()
    for one in working:
        one.over.set()
    ending.join(PATIENCE)
    assert not ending.is_alive()
    assert waiting.result(0) == "done"
    assert not any(thread.is_alive() for thread in pool._threads)


def test_the_end_can_call_off_what_waits() -> None:
    pool = LastFreeFirst(1, "test")
    (working,) = busy(pool, 1)
    waiting = pool.submit(print)
    pool.shutdown(wait=False, cancel_futures=True)
    assert waiting.cancelled()
    working.over.set()
    assert working.future.result(PATIENCE) == "test_0"


def test_a_process_ends_when_its_work_is_done_and_not_when_its_threads_are() -> None:
    program = """
import time
from tickets.threads import LastFreeFirst
pool = LastFreeFirst(2, "test")
pool.submit(print, "first", flush=True).result()
pool.submit(lambda: (time.sleep(0.2), print("last", flush=True)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stdout == "first\nlast\n"
