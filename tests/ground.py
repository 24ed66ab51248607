"""What a test run stands on: one PostgreSQL and one Redis for the whole run, in a folder that goes away with it.

With pytest-xdist the controller starts them and its workers inherit the addresses; each worker has its own test database
(pytest-django's doing), its own number of a Redis database and its own prefix for the channel layer.
"""

import atexit
import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from config import embedded
from config.embedded.processes import die_with_parent
from config.embedded.redis import DATABASES

PREFIX = "standby-tests-"
STACK_PREFIX = "standby-stack-"  # logs and files of tests/stack.py
LEFT_BEHIND = 60.0  # seconds; a folder without an owner that is younger may be of a run that is just starting

DAY = 86400.0  # seconds; no stack runs that long

# The processes of the stack (tests/stack.py) use numbers from here on, the tests themselves those below.
STACK_NUMBERS = 32
WORKERS = 9  # xdist's gw0 to gw7, and none: each has every ninth number, for three stacks at once

servers: embedded.Servers | None = None  # None in xdist's workers, and when the addresses were given


def worker() -> str:
    """Name of this xdist worker, "main" without xdist."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def worker_number() -> int:
    """0 without xdist, 1 for gw0, 2 for gw1, …"""
    name = worker()
    return int(name.removeprefix("gw")) + 1 if name != "main" else 0


def prepare() -> None:
    """Have DATABASE_URL and REDIS_URL in the environment, of our own servers when they were not given."""
    global servers  # noqa: PLW0603
    if worker_number():
        # A worker in the middle of a test would not notice that its controller was killed.
        die_with_parent(signal.SIGKILL, os.getppid())
    if not embedded.given():
        remove_left_behind()
        servers = embedded.start(new_home(), durable=False)
        atexit.register(end, servers)
        os.environ.update(servers.environment())
    os.environ.setdefault("SECRET_KEY", "for tests")
    os.environ.setdefault("PAYOUT_KEYS", "dGhlIHRlc3RzJyBvd24ga2V5LCB3b3J0aCBub3RoaW4=")
    os.environ.setdefault("PUSH_KEY", "dGhlIHRlc3RzJyBvd24ga2V5LCB3b3J0aCBub3RoaW4")
    os.environ.setdefault("STANDBY_TRIAL", "1")
    if "?" not in os.environ["REDIS_URL"]:
        os.environ["STANDBY_TESTS_REDIS"] = os.environ["REDIS_URL"]
        if worker_number():
            os.environ["REDIS_URL"] = redis_url(worker_number())
    os.environ["REDIS_PREFIX"] = f"standby-{worker()}"


def stack_number(taken: Collection[int]) -> int:
    """A Redis number for one more stack of this xdist worker, whose others have the `taken` ones.

    Two stacks with one number would take each other's tasks, with their own databases, and nobody would see why.
    """
    ours = range(STACK_NUMBERS + worker_number(), DATABASES, WORKERS)
    return next(number for number in ours if number not in taken)


def redis_url(number: int) -> str:
    """Address of one numbered database of the run's Redis."""
    return f"{os.environ['STANDBY_TESTS_REDIS']}?db={number}"


def new_home() -> Path:
    """A fresh folder for servers; an unprivileged PostgreSQL can pass through it."""
    home = Path(tempfile.mkdtemp(prefix=PREFIX))
    home.chmod(0o711)
    return home


def end(ours: embedded.Servers) -> None:
    """Stop servers and remove their home."""
    ours.stop()
    with contextlib.suppress(embedded.ServersFailed):
        embedded.reset(ours.home.folder)
    shutil.rmtree(ours.home.folder, ignore_errors=True)


def remove_left_behind() -> None:
    """Remove the homes of runs that were killed; their servers died with them, or are stopped here."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, embedded.ServersFailed):
            state = folder.stat()
            if state.st_uid == os.geteuid() and time.time() - state.st_mtime > LEFT_BEHIND:
                embedded.reset(folder)  # raises when they run
                shutil.rmtree(folder, ignore_errors=True)
    for folder in Path(tempfile.gettempdir()).glob(f"{STACK_PREFIX}*"):
        with contextlib.suppress(OSError):
            state = folder.stat()
            if state.st_uid == os.geteuid() and time.time() - state.st_mtime > DAY:
                shutil.rmtree(folder, ignore_errors=True)
