"""Where the time of an offer goes: each step of the way writes down when it was reached.

The product knows nothing of it: a tracing round runs with the settings bench/traced.py, whose app wraps the steps when the
processes start. Times are time.monotonic(), which all processes of a Linux machine share. It costs some 0.1 ms an offer.
"""

import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from django.apps import AppConfig

FOLDER = "STANDBY_BENCH_HOPS"
MARK = re.compile(r"ref ([a-z]{8})\b")
# What ends at each point, in the order of the way.
HOPS = (
    ("begun", None),
    ("request", "client → request begins"),
    ("intake", "middleware, CSRF, form"),
    ("asked", "ticket_open, until its run is asked for"),
    ("task", "Celery publish → task begins"),
    ("people", "run: foresee, or wait for the ticket and read"),
    ("loaded", "run: arrays"),
    ("solved", "run: solve"),
    ("chosen", "run: reasons"),
    ("told", "run: what to write, until the bell is rung"),
    ("rung", "bell → consumer"),
    ("reading", "thread of the socket"),
    ("read", "wait for the offer, read and render its card"),
    ("sent", "frame written"),
    ("arrived", "→ client"),
)
# What others do meanwhile, and what waits for it; below zero where it was over before.
BESIDE = (
    ("asked", "opened", "· asked → ticket committed"),
    ("told", "opened", "· bell rung → ticket committed"),
    ("told", "offered", "· bell rung → offer committed"),
    ("reading", "offered", "· card's reader waits for the commit"),
)


class Hops(AppConfig):
    name = "bench"
    verbose_name = "Tracing"

    def ready(self) -> None:
        _wrap()


def settings(folder: Path) -> dict[str, str]:
    """Environment of a stack that traces into `folder`."""
    return {"DJANGO_SETTINGS_MODULE": "bench.traced", FOLDER: str(folder)}


def read(folder: Path, seen: Mapping[str, tuple[float, float]]) -> dict[str, list[float]]:
    """Milliseconds of each hop, a figure a ticket. `seen`: mark → (POST begun, frame arrived), as the client saw it."""
    points: dict[str, dict[str, float]] = {
        mark: {"begun": begun, "arrived": at} for mark, (begun, at) in seen.items()
    }
    lines = [json.loads(line) for file in folder.glob("*.hops") for line in file.read_text().splitlines()]
    marks = {line["ticket"]: line["mark"] for line in lines if "ticket" in line}
    for line in sorted(lines, key=lambda line: line.get("sent", 0.0)):
        for mark in [line["mark"]] if "mark" in line else [marks.get(one) for one in line["tickets"]]:
            if mark in points:
                times = {name: at for name, at in line.items() if isinstance(at, float)}
                points[mark] = times | points[mark]  # of several frames the first counts
    names = {name for name, _ in HOPS} | {name for _, name, _ in BESIDE}
    whole = [one for one in points.values() if one.keys() >= names]
    ways = [*((before, name, what) for (before, _), (name, what) in pairwise(HOPS)), *BESIDE]
    return {str(what): [(one[name] - one[before]) * 1000 for one in whole] for before, name, what in ways}


def medians(found: Mapping[str, list[float]]) -> dict[str, float]:
    """Hop → median, for the results."""
    return {what: round(median(each), 3) for what, each in found.items() if each}


def table(found: Mapping[str, list[float]], p50: float) -> str:
    """The hops with their shares of the sum, and how slow they can be."""
    beside = {what for _, _, what in BESIDE}
    total = sum(each for what, each in medians(found).items() if what not in beside)
    count = len(next(iter(found.values())))
    lines = [
        f"hops of an offer, {count} tickets; POST to frame {p50:.2f} ms (p50), sum of the medians {total:.2f} ms"
    ]
    for what, each in found.items():
        middle, slow = median(each), sorted(each)[-max(len(each) // 100, 1)]
        lines.append(f"  {what:<36} {middle:7.2f} ms  {middle / total:5.0%}   p99 {slow:7.1f} ms")
    return "\n".join(lines)


# --- In the processes -------------------------------------------------------------------------------------------------

_here = threading.local()


def _wrap() -> None:
    from celery.signals import task_prerun
    from django.core.signals import request_started

    from dispatch import consumers, runs, sight
    from tickets import bell, intake, writing
    from tickets.views import opening

    file = (Path(os.environ[FOLDER]) / f"{os.getpid()}.hops").open("a", buffering=1)
    now = time.monotonic

    def write(**line: Any) -> None:
        file.write(json.dumps(line) + "\n")

    def around(holder: Any, name: str, wrapper: Callable[..., Any]) -> None:
        inner = getattr(holder, name)
        setattr(holder, name, lambda *args, **kwargs: wrapper(inner, *args, **kwargs))

    def noted(name: str) -> Callable[..., Any]:
        def call(inner: Any, *args: Any, **more: Any) -> Any:
            result = inner(*args, **more)
            if hasattr(_here, "times"):
                _here.times[name] = now()
            return result

        return call

    def committed(inner: Any, number: Any, model: Any = None, *then: Any) -> None:
        inner(number, model, *then)
        if hasattr(_here, "times"):
            _here.times["opened" if model else "offered"] = now()

    # Web: the form
    def started(**_: Any) -> None:
        _here.times = {"request": now()}

    request_started.connect(started, weak=False)

    def open_ticket(inner: Any, **fields: Any) -> Any:
        _here.times["intake"] = now()
        opened = inner(**fields)
        if mark := MARK.search(fields["text"]):
            write(mark=mark[1], ticket=opened.ticket.pk, **_here.times)
        return opened

    def insert(inner: Any, rows: Any, **more: Any) -> None:
        if hasattr(_here, "times"):
            _here.times["asked"] = now()
        inner(rows, **more)

    around(opening, "ticket_open", open_ticket)
    around(intake, "insert_linked", insert)
    around(writing, "commit", committed)

    # Worker: the run
    @task_prerun.connect(weak=False)
    def task(**_: Any) -> None:
        _here.times = {"task": now()}

    def solve(inner: Any, *args: Any, **more: Any) -> Any:
        _here.times["loaded"] = now()
        solution = inner(*args, **more)
        _here.times["solved"] = now()
        return solution

    def write_offers(inner: Any, policy: Any, wanted: Any, *more: Any, **named: Any) -> Any:
        _here.times["chosen"] = now()
        _here.made = [one.ticket.id for one in wanted]
        return inner(policy, wanted, *more, **named)

    def ahead(inner: Any, streams: Any, writer: int) -> Any:
        _here.times["told"] = now()
        return inner(streams, writer)

    def match(inner: Any, pool_id: int, **more: Any) -> Any:
        _here.made = []
        count = inner(pool_id, **more)
        if _here.made:
            write(tickets=_here.made, **_here.times)
        return count

    around(sight, "foreseen", noted("people"))  # where it is nothing, the run sees after it
    around(runs, "see", noted("people"))
    around(runs, "solve", solve)
    around(runs, "_write", write_offers)
    around(bell, "ahead", ahead)
    around(runs, "match_pool", match)

    # Web: the socket
    consumer = consumers.AgentConsumer

    async def hear(self: Any, message: Any, inner: Any = consumer.bell) -> None:
        self.hop = {"rung": now()}
        await inner(self, message)

    def look(inner: Any, batch: Any, loop: Any, writer: int | None = None) -> None:
        _here.look = now()
        inner(batch, loop, writer)

    def drawn(self: Any, frame: Any, seen: Any, inner: Any = consumer.drawn) -> Any:
        done = inner(self, frame, seen)
        if hasattr(self, "hop"):
            self.hop |= {"read": now()}
        return done

    def framed(self: Any, seen: Any, inner: Any = consumer.own_frames) -> Any:
        if hasattr(self, "hop"):
            self.hop |= {"reading": _here.look}
        return inner(self, seen)

    around(consumers, "_look_all", look)

    async def transmit(self: Any, frame: Any, inner: Any = consumer.transmit) -> None:
        await inner(self, frame)
        mark = MARK.search(frame["data"]["summary"]) if frame.get("type") == "offer.made" else None
        if mark and hasattr(self, "hop"):
            write(mark=mark[1], **self.hop, sent=now())

    consumer.bell, consumer.own_frames, consumer.drawn, consumer.transmit = hear, framed, drawn, transmit
