"""Servers for one manage.py command."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from config.embedded.home import ServersFailed
from config.embedded.servers import running

# Commands that look at code only. Everything else may ask the database.
WITHOUT_SERVERS = frozenset(
    {
        "help",
        "version",
        "collectstatic",
        "findstatic",
        "compilemessages",
        "makemessages",
        "diffsettings",
        "spectacular",
    }
)


def standby_home() -> Path:
    """STANDBY_HOME, or `.standby` beside manage.py."""
    named = os.environ.get("STANDBY_HOME")
    return Path(named) if named else Path(__file__).resolve().parents[2] / ".standby"


def given() -> bool:
    """True when DATABASE_URL and REDIS_URL are set (or their _FILE): then those are used and nothing is embedded.

    Raises ServersFailed when only one is: a half embedded product would mix somebody's real data with a trial.
    """
    names = ("DATABASE_URL", "REDIS_URL")
    there = [name for name in names if os.environ.get(name) or os.environ.get(f"{name}_FILE")]
    if len(there) == 1:
        missing = next(name for name in names if name not in there)
        raise ServersFailed(
            f"{there[0]} is set but {missing} is not: set both, or none for a trial with own servers"
        )
    return bool(there)


def harmless_environment() -> dict[str, str]:
    """Values with which settings import and nothing can be reached."""
    return {
        "DATABASE_URL": "postgres:///none?host=/nonexistent",
        "REDIS_URL": "unix:///nonexistent",
        "SECRET_KEY": "for commands that need no servers",
    }


def fill_environment(values: dict[str, str]) -> None:
    """Set what is not set already."""
    for name, value in values.items():
        if f"{name}_FILE" not in os.environ:
            os.environ.setdefault(name, value)


@contextlib.contextmanager
def servers_for_command(argv: Sequence[str]) -> Iterator[None]:
    """Have DATABASE_URL and its like in the environment while a manage.py command runs; say on stderr what is running.

    Ends the process with a sentence and exit code 1 when the servers cannot be had.
    """
    try:
        if given():
            yield
            return
        words = argv[1:]
        if not words or words[0] in WITHOUT_SERVERS or {"--help", "-h", "--version"} & set(words):
            fill_environment(harmless_environment())
            yield
            return
        with _terminated_like_interrupted(), running(standby_home()) as servers:
            fill_environment(servers.environment())
            print(f"standby: {servers.describe()}", file=sys.stderr)
            try:
                yield
            finally:
                with contextlib.suppress(KeyboardInterrupt):
                    servers.wait_for_attached()
    except ServersFailed as failure:
        sys.exit(f"standby: {failure}")


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM unwinds the command, so that the servers are stopped tidily; exit code 143 as the shell would give."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
