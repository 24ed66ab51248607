"""`run_begins_p50`, `run_begins_p99`: from where a new ticket's run is asked for to the begin of its task, which then waits for
the ticket that is written meanwhile.

Ours is of the traced round of the row `offer` (bench/hops.py): Celery's message, the wait for a matcher that is just at another
run, and what Celery does until the task's first line. Floor: a word through a list of the same Redis to a process that waits
for it, at the same rate.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import redis

from bench import ground
from bench.ground import Row, percentile, row

WORDS, READY = "bench:words", "bench:ready"
ASKED_MS = 50  # the issue's: a run begins within so much of a change
PART = "Celery publish → task begins"  # of bench/hops.py


def rows(rounds: Sequence[Mapping[str, Sequence[float]]], rate: float, redis_url: str) -> list[Row]:
    """`rounds`: of each, milliseconds of each hop, a figure a ticket. The floor is measured now, as often and as long."""
    ours = [hops[PART] for hops in rounds]
    ground.say("  a word through Redis")
    bare = [floor(len(one), rate, redis_url) for one in ours]
    samples = [one for of_round in ours for one in of_round]
    late = sum(one > ASKED_MS for one in samples)
    return [
        row(
            f"run_begins_{name}",
            "ms",
            [percentile(one, share) for one in ours],
            [percentile(one, share) for one in bare],
            notes=f"run asked for to its task's begin, {len(samples)} samples,"
            f" {late} above {ASKED_MS} ms; floor: a word through Redis",
        )
        for name, share in ground.PERCENTILES.items()
    ]


def floor(count: int, rate: float, redis_url: str) -> list[float]:
    """Milliseconds from before a word is pushed until another process has it, `count` times."""
    with _waiting(count, redis_url) as heard, redis.Redis.from_url(redis_url) as client:
        client.blpop([READY], timeout=60)
        begun = []
        for _ in range(count):
            begun.append(time.monotonic())
            client.rpush(WORDS, "word")
            time.sleep(1 / rate)
        return [(at - one) * 1000 for one, at in zip(begun, heard.result(timeout=60), strict=True)]


@contextlib.contextmanager
def _waiting(count: int, redis_url: str) -> Iterator[Future[list[float]]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(ground.child, "begins", {"count": count, "redis_url": redis_url}, {})


def main(count: int, redis_url: str) -> list[float]:
    """In the child: when each word was there, by time.monotonic()."""
    heard = []
    with redis.Redis.from_url(redis_url) as client:
        client.rpush(READY, "ready")
        for _ in range(count):
            client.blpop([WORDS], timeout=60)
            heard.append(time.monotonic())
    return heard
