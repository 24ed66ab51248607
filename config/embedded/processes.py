"""Child processes that never outlive their parent, and finding them again when they did."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PR_SET_PDEATHSIG = 1  # linux/prctl.h
START_TOLERANCE = 2.0  # seconds; a start time is reckoned from the clock, which may be set meanwhile

# Loaded here and not in the child: between fork and exec, another thread's lock may be held for ever.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(death_signal: signal.Signals, parent: int) -> None:
    """Ask the kernel to send `death_signal` to this process when its parent, process `parent`, ends for any reason.

    Linux only; elsewhere it does nothing. The wish is lost on a change of user and bound to the parent's *thread*.
    """
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
    folder: Path,
    death_signal: signal.Signals = signal.SIGKILL,
    user: tuple[int, int] | None = None,
    pass_fds: Sequence[int] = (),
    output: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `argv` in `folder`, both outputs appended to `log` (or standard output to the descriptor `output`).

    The child leads a session of its own, so that Ctrl-C in the terminal reaches only the supervisor, who then stops
    everything in order. It gets `death_signal` when we end without having stopped it. `user` is (uid, gid) to drop to.

    Must be called in the main thread, or the child would die with the thread. Raises OSError when it cannot start.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("spawn() outside the main thread: the child would die with this thread")
    parent = os.getpid()
    drop: dict[str, Any] = {}
    if user is not None:
        drop = {"user": user[0], "group": user[1], "extra_groups": []}

    def before_exec() -> None:  # runs after the change of user, which would have dropped the wish
        die_with_parent(death_signal, parent)

    with log.open("ab") as sink:
        return subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=sink if output is None else output,
            stderr=sink,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
            pass_fds=tuple(pass_fds),
            preexec_fn=before_exec,  # noqa: PLW1509  it only makes two system calls
            **drop,
        )


@dataclass(frozen=True)
class Identity:
    """A process by id and start time (seconds since the epoch): ids are given out again, the pair is not."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Identity":
        """Raises psutil.NoSuchProcess when it has ended."""
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The living process, or None when it ended (a zombie counts as ended)."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < START_TOLERANCE
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None

    @property
    def alive(self) -> bool:
        return self.process() is not None


def stop(child: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """End our own child: send each signal in turn, wait its seconds, at last SIGKILL. Bounded; returns when it is gone."""
    _escalate(child.send_signal, child.wait, steps)


def stop_stray(identity: Identity, *steps: tuple[signal.Signals, float]) -> bool:
    """The same for a process that is not our child. True when there was one to stop."""
    process = identity.process()
    if process is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        _escalate(process.send_signal, process.wait, steps)
    return True


def _escalate(
    send: Callable[[int], None],
    wait: Callable[[float], object],
    steps: Sequence[tuple[signal.Signals, float]],
) -> None:
    for number, seconds in (*steps, (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            send(number)
        with contextlib.suppress(subprocess.TimeoutExpired, psutil.TimeoutExpired):
            wait(seconds)
            return
