"""What all rows stand on: the servers, the processes measured, rounds, and the table."""

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from config import embedded
from config.stack import PROJECT, Program, Stack, listen
from tests import ground as tests_ground
from tests.stack import connection, drop_database, url_of

RESULTS = PROJECT / "bench" / "results" / "latest.json"
PERCENTILES = {"p50": 0.50, "p99": 0.99}


@dataclass
class Row:
    """One line of the table. `value` and `floor` are medians of the rounds, `ratio` is value ÷ floor unless `against` is given.

    `each` holds [ours, floor] of every round, `notes` what a reader must know, `more` further figures of the same rounds.
    """

    name: str
    value: float
    unit: str
    floor: float
    ratio: float
    rounds: int
    each: list[list[float]] = field(default_factory=list)
    notes: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def row(
    name: str,
    unit: str,
    ours: Sequence[float],
    floor: Sequence[float],
    *,
    against: Sequence[float] | None = None,
    notes: str = "",
    **more: Any,
) -> Row:
    """A row of interleaved rounds. `against`: figures that the ratio is taken to, when that is not the floor."""
    value, base = median(ours), median(floor)
    return Row(
        name=name,
        value=_short(value),
        unit=unit,
        floor=_short(base),
        ratio=_short(value / (median(against) if against else base)),
        rounds=len(ours),
        each=[[_short(a), _short(b)] for a, b in zip(ours, floor, strict=True)],
        notes=notes,
        more=more,
    )


def middle(figures: Sequence[float]) -> float:
    """The median."""
    return median(figures)


def _short(figure: float) -> float:
    """Four significant digits: more would be noise written down."""
    return float(f"{figure:.4g}")


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that `share` of all do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, -(-int(share * 1_000_000) * len(ordered) // 1_000_000) - 1)]


@dataclass(frozen=True)
class Plan:
    """How much is measured. `quick` is a smoke run: everything once and small, its figures mean nothing."""

    quick: bool
    rounds: int

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full


def say(text: str) -> None:
    """Progress, beside the table."""
    print(f"· {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def servers() -> Iterator[embedded.Servers]:
    """PostgreSQL and Redis of this run, durable as in production, in a folder that goes away with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # thousands of sockets on both ends
    home = tests_ground.new_home()
    try:
        ours = embedded.start(home, durable=True)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    try:
        os.environ.update(ours.environment())
        os.environ["STANDBY_TESTS_REDIS"] = (
            ours.redis_url
        )  # where tests/stack.py takes numbered databases from
        os.environ["REDIS_PREFIX"] = "standby-bench"
        yield ours
    finally:
        tests_ground.end(ours)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def empty_database(name: str) -> Iterator[str]:
    """A new database on the same server, for a floor. Yields its address."""
    drop_database(name)
    with connection(url_of("postgres")) as admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield url_of(name)
    finally:
        drop_database(name)


@contextlib.contextmanager
def processes(
    name: str, argv: Sequence[str | Path], environment: Mapping[str, str], count: int = 1
) -> Iterator[Stack]:
    """`count` processes of one program that share a listening socket, whose descriptor is added to `argv`."""
    folder = Path(tempfile.mkdtemp(prefix="standby-bench-"))
    with listen(0) as listener:
        command = [str(part) for part in argv] + [str(listener.fileno())]
        programs = [Program(f"{name}{number or ''}", command, listens=True) for number in range(count)]
        stack = Stack(programs, environment, folder, listener)
        try:
            stack.start()
            stack.wait()
            yield stack
        finally:
            stack.stop()
            shutil.rmtree(folder, ignore_errors=True)


def floor(module: str, environment: Mapping[str, str] | None = None, count: int = 1) -> Any:
    """processes() of one of bench/floors."""
    return processes(module, [sys.executable, "-m", f"bench.floors.{module}"], environment or {}, count=count)


def child(
    module: str, wish: Mapping[str, Any], environment: Mapping[str, str], seconds: float = 600.0
) -> Any:
    """Run bench.<module>.main(**wish) inside Django, in a process of its own; returns what it returned."""
    done = subprocess.run(
        inside(module, wish),
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"bench.{module} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def inside(module: str, wish: Mapping[str, Any]) -> list[str]:
    """The command of child()."""
    return [sys.executable, "-m", "bench.inside", module, json.dumps(wish)]


class Cores:
    """How much of a core each process used meanwhile, PostgreSQL's together: `with Cores(pids) as cores: …; cores.told()`."""

    def __init__(self, pids: Mapping[str, int], servers: embedded.Servers) -> None:
        self.pids = {**pids, **servers.pids, "client": os.getpid()}

    def used(self) -> dict[str, float]:
        found = {}
        for name, pid in self.pids.items():
            process = psutil.Process(pid)
            family = [process, *process.children()] if name == "postgres" else [process]
            # What children that ended have used is in their parent's figures.
            found[name] = sum(sum(one.cpu_times()[: 4 if one is process else 2]) for one in family)
        return found

    def __enter__(self) -> "Cores":
        self.begun, self.before = time.monotonic(), self.used()
        return self

    def __exit__(self, *_: object) -> None:
        seconds = time.monotonic() - self.begun
        self.share = {name: (used - self.before[name]) / seconds for name, used in self.used().items()}

    def told(self) -> str:
        return ", ".join(f"{name} {share:.0%}" for name, share in self.share.items())


def interleaved(
    plan: Plan, sides: Mapping[str, Callable[[], Any]], rest: float = 0.5
) -> dict[str, list[Any]]:
    """Run all sides in turn, `plan.rounds` times; returns what each gave, by side."""
    found: dict[str, list[Any]] = {name: [] for name in sides}
    for number in range(plan.rounds):
        for name, measure in sides.items():
            say(f"  round {number + 1}/{plan.rounds}: {name}")
            found[name].append(measure())
            time.sleep(rest)
    return found


def table(rows: Sequence[Row]) -> str:
    """The rows as people read them."""
    head = ("row", "value", "unit", "floor", "ratio", "rounds")
    lines = [
        (one.name, f"{one.value:g}", one.unit, f"{one.floor:g}", f"{one.ratio:.2f} ×", str(one.rounds))
        for one in rows
    ]
    widths = [max(len(line[place]) for line in (head, *lines)) for place in range(len(head))]
    text = []
    for number, line in enumerate((head, *lines)):
        cells = [
            cell.ljust(width) if place in (0, 2) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
        if number and rows[number - 1].notes:
            text.append(f"    {rows[number - 1].notes}")
    return "\n".join(text)


def write(rows: Sequence[Row], path: Path, *, keep: bool) -> None:
    """Write the rows as JSON; with `keep`, rows of other names that the file has stay in it."""
    before = json.loads(path.read_text()) if keep and path.exists() else []
    names = {one.name for one in rows}
    kept = [one for one in before if one["name"] not in names]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*kept, *map(asdict, rows)], indent=1, ensure_ascii=False) + "\n")
