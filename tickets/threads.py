"""A fixed number of threads, of which the one that was free last works first.

Each thread has a database connection, and behind each connection stands a process of PostgreSQL with caches and plans of its
own. An executor of the standard library hands work round, so that each of eight threads does one piece in eight and finds
all that it needs long out of the processor's caches. Here the same few work as long as they are enough, as with connections
that are taken last in, first out from a pool (SQLAlchemy's `use_lifo`); the others stand by for when more comes at once.
"""

import atexit
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _Job(NamedTuple):
    future: Future[Any]
    work: Callable[[], Any]


class _Seat:
    """Where a free thread waits for its next job."""

    def __init__(self) -> None:
        self.job: _Job | None = None  # None when it is woken: go home
        self.called = threading.Lock()
        self.called.acquire()

    def call(self, job: _Job | None) -> None:
        self.job = job
        self.called.release()

    def wait(self) -> _Job | None:
        self.called.acquire()
        return self.job


class LastFreeFirst(Executor):
    """At most `most` threads, begun when they are needed; what comes while all work waits in the order of its coming."""

    def __init__(self, most: int, name: str) -> None:
        self.most = most
        self.name = name
        self._lock = threading.Lock()
        self._free: list[_Seat] = []
        self._waiting: deque[_Job] = deque()
        self._threads: list[threading.Thread] = []
        self._over = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Raises RuntimeError after shutdown()."""
        job = _Job(Future(), lambda: fn(*args, **kwargs))
        with self._lock:
            if self._over:
                raise RuntimeError("nobody works here any more")
            if self._free:
                self._free.pop().call(job)
            elif len(self._threads) < self.most:
                self._begin(job)
            else:
                self._waiting.append(job)
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """No more work is taken. What waits is done, or cancelled; free threads go home."""
        with self._lock:
            self._over = True
            left = [*self._waiting] if cancel_futures else []
            if cancel_futures:
                self._waiting.clear()
            while self._free:
                self._free.pop().call(None)
            threads = [*self._threads]
        for job in left:
            job.future.cancel()
        atexit.unregister(self.shutdown)
        if wait:
            for thread in threads:
                thread.join()

    def _begin(self, job: _Job) -> None:
        if not self._threads:
            # The interpreter waits for none of them, so that a free one does not keep it from ending; work is waited for.
            atexit.register(self.shutdown)
        thread = threading.Thread(
            target=self._work, args=(job,), name=f"{self.name}_{len(self._threads)}", daemon=True
        )
        thread.start()  # or there is none: submit() fails, and the next one tries again
        self._threads.append(thread)

    def _work(self, job: _Job | None) -> None:
        seat = _Seat()
        while job is not None:
            _do(job)
            del job  # what it answered with is not kept while the thread waits
            with self._lock:
                job = self._waiting.popleft() if self._waiting else None
                if job is None:
                    if self._over:
                        return
                    self._free.append(seat)
            if job is None:
                job = seat.wait()
                seat.job = None


def _do(job: _Job) -> None:
    if not job.future.set_running_or_notify_cancel():
        return
    try:
        result = job.work()
    except BaseException as error:  # noqa: BLE001  whoever asked is told
        job.future.set_exception(error)
    else:
        job.future.set_result(result)
