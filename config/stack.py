"""Web, worker and beat as child processes: for the demo, for tests on real processes, and for measuring.

    with listen(0) as listener:
        stack = Stack(usual(listener, folder), environment=…, logs=folder, listener=listener)
        stack.start()
        stack.wait()          # until the web answers
        …
        stack.stop()          # in reverse order, bounded

All of them die with this process, whatever kills it.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config import env
from config.embedded.processes import spawn, stop

PROJECT = Path(__file__).resolve().parent.parent
HEALTHY = 30.0  # seconds; who lived that long and dies is started again at once
BROKEN = 3.0  # seconds
LONGEST_PAUSE = 30.0  # seconds between two attempts to start what keeps dying


class StackFailed(Exception):
    """A process of the stack ended or does not answer; the message says which and where its log is."""


class PortTaken(StackFailed):
    """Somebody listens on the port already."""


@dataclass(frozen=True)
class Program:
    """One process: its name (also its log's), how to start it, seconds it may take to end after SIGTERM."""

    name: str
    argv: Sequence[str]
    grace: float = 5.0
    listens: bool = False  # gets the listening socket


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback; port 0 takes any free one. Raises PortTaken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortTaken(f"Port {port} cannot be used ({error}): set PORT to a free one") from error
    listener.listen(2048)
    return listener


def web(listener: socket.socket, name: str = "web") -> Program:
    """One web process; several may share the listener."""
    return Program(
        name, [sys.executable, "-m", "config.web", str(listener.fileno())], grace=6.0, listens=True
    )


def matcher(name: str = "matcher") -> Program:
    """A Celery worker of the matching runs and the tick: one at a time, in the thread that hears of them. Several share the
    pools between them.

    Apart from the other tasks, so that no mail and no figure stands between a customer and an agent.
    """
    return _worker(name, "match", "-P", "solo")


def worker(threads: int = 2, name: str = "worker") -> Program:
    """The Celery worker of everything else. Several share its tasks."""
    return _worker(name, "default", "-P", "threads", "-c", str(threads))


def simulator() -> Program:
    """The Celery worker that plays simulations: minutes on one core, which nobody else shall wait for."""
    return _worker("simulator", "simulate", "-P", "solo")


def _worker(name: str, queue: str, *pool: str) -> Program:
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-n", f"{name}@%h", "-Q", queue]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"]
    return Program(name, [*command, *pool, *quiet], grace=8.0)


def beat(folder: Path) -> Program:
    """Celery beat; its schedule file lies in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "celery", "-A", "config", "beat", "-l", "WARNING"]
    return Program("beat", [*command, "--schedule", str(folder / "schedule")])


def manage(*words: str, name: str | None = None) -> Program:
    """A manage.py command as a process."""
    return Program(name or words[0], [sys.executable, str(PROJECT / "manage.py"), *words])


def usual(listener: socket.socket, folder: Path) -> list[Program]:
    """Web, workers and beat, in the order of their start."""
    webs = [web(listener, name) for name in names("web", env.number("WEB_PROCESSES", 2))]
    matchers = [matcher(name) for name in names("matcher", env.number("MATCHER_PROCESSES", 1))]
    return [*webs, *matchers, worker(), simulator(), beat(folder / "beat")]


def names(name: str, count: int) -> list[str]:
    """Of `count` processes of one kind: web, web2, web3."""
    return [name if place == 1 else f"{name}{place}" for place in range(1, count + 1)]


@dataclass(frozen=True)
class At:
    """A port of the loopback at which a program of the stack makes its own socket, in place of one that was made beforehand."""

    port: int

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def fileno(self) -> int:
        raise ValueError("there is no socket to pass on")


@dataclass
class Running:
    """One program's process and how often it failed lately."""

    program: Program
    child: subprocess.Popen[bytes] | None = None
    started: float = 0.0  # monotonic seconds
    failures: int = 0
    next_start: float = 0.0


@dataclass
class Stack:
    """Processes started together and stopped in reverse order. Use it in the main thread only (see processes.spawn)."""

    programs: Sequence[Program]
    environment: Mapping[str, str]  # added to our own
    logs: Path
    listener: socket.socket | At
    _running: list[Running] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of what lives, by program name."""
        return {
            one.program.name: one.child.pid for one in self._running if one.child and one.child.poll() is None
        }

    def start(self) -> None:
        """Start all; they may not be ready yet (see wait)."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for program in self.programs:
            one = Running(program)
            self._running.append(one)
            self._spawn(one)

    def wait(self, path: str = "/", seconds: float = 60.0) -> None:
        """Until the web answers a GET of `path`, with whatever status below 500. Raises StackFailed.

        A web that answers with an error for some seconds is broken, not slow, and is not waited for any longer.
        """
        deadline = time.monotonic() + seconds
        last = "no answer"
        while time.monotonic() < deadline:
            self._raise_if_dead()
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2.0)
            try:
                connection.request("GET", path)
                status = connection.getresponse().status
                if status < 500:
                    return
                last = f"status {status}"
                deadline = min(deadline, time.monotonic() + BROKEN)
            except OSError as error:
                last = str(error)
            finally:
                connection.close()
            time.sleep(0.05)
        raise StackFailed(f"the web does not answer well on {self.base_url} ({last}), {self._look_at('web')}")

    def watch(self) -> list[str]:
        """Start again what died, later and later when it keeps dying. Returns what there is to tell, a sentence each."""
        news = []
        now = time.monotonic()
        for one in self._running:
            if one.child is not None and one.child.poll() is not None:
                code = one.child.returncode
                one.failures = 0 if now - one.started > HEALTHY else one.failures + 1
                pause = min(2.0**one.failures - 1, LONGEST_PAUSE)
                one.child, one.next_start = None, now + pause
                how = f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
                again = f"in {pause:.0f} s" if pause else "now"
                news.append(
                    f"{one.program.name} ended ({how}); starting it again {again}, see {self._log(one.program.name)}"
                )
            if one.child is None and now >= one.next_start:
                self._spawn(one)
        return news

    def kill(self, name: str) -> None:
        """SIGKILL one process, for tests of faults; watch() starts it again."""
        for one in self._running:
            if one.program.name == name and one.child is not None:
                one.child.kill()
                one.child.wait()

    def restart(self, name: str) -> None:
        """Stop and start one process, or only start it when it is dead."""
        for one in self._running:
            if one.program.name == name:
                if one.child is not None:
                    stop(one.child, (signal.SIGTERM, one.program.grace))
                self._spawn(one)

    def stop(self) -> None:
        """Stop all in reverse order: each gets SIGTERM, its grace, then SIGKILL. A second call does nothing."""
        while self._running:
            one = self._running[-1]
            if one.child is not None:
                stop(one.child, (signal.SIGTERM, one.program.grace))
            self._running.pop()

    def _spawn(self, one: Running) -> None:
        one.started = time.monotonic()
        one.child = spawn(
            one.program.argv,
            log=self._log(one.program.name),
            environment=os.environ | self.environment | {"PYTHONUNBUFFERED": "1"},
            folder=PROJECT,
            pass_fds=[self.listener.fileno()] if one.program.listens else [],
        )

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _raise_if_dead(self) -> None:
        for one in self._running:
            if one.child is not None and one.child.poll() is not None:
                name = one.program.name
                raise StackFailed(f"{name} ended with code {one.child.returncode}, {self._look_at(name)}")

    def _look_at(self, name: str) -> str:
        log = self._log(name)
        end = "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""
        return f"see {log}:\n{end}"
