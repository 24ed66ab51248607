"""Other processes that have servers, for the tests of this folder."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from config.stack import PROJECT

NOT_INHERITED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "PAYOUT_KEYS",
    "PUSH_KEY",
    "MEDIA_ROOT",
    "MAIL_FOLDER",
    "STANDBY_TRIAL",
    "DJANGO_SETTINGS_MODULE",
)


def gone(pid: int) -> bool:
    """Ended, also when nobody has collected it yet."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def outside_environment(home: Path) -> dict[str, str]:
    """The environment of somebody who calls a command on `home`, without the addresses of this test run."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return kept | {"STANDBY_HOME": str(home), "PYTHONUNBUFFERED": "1"}


class Other:
    """A Python process that runs `code`; its lines of output are read one by one."""

    def __init__(self, home: Path, code: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=PROJECT,
            env=outside_environment(home) | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def line(self) -> str:
        """Its next line; fails with what it wrote on stderr when it ended before."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise AssertionError(f"the process ended: {self.process.stderr.read()}")
        return line.strip()

    def close(self) -> None:
        """Close its standard input, for which it waits."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.stdin = None  # communicate() would flush it

    def let_go(self) -> tuple[str, str]:
        """Close its standard input, for which it waits; returns the rest of both outputs."""
        return self.process.communicate("", timeout=60)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send it a signal and wait for the end; returns its code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextlib.contextmanager
def other(home: Path, code: str, **environment: str) -> Iterator[Other]:
    started = Other(home, code, **environment)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
        started.process.communicate()
