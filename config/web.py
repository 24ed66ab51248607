"""The web process: Uvicorn on a listening socket that its supervisor made.

    python -m config.web DESCRIPTOR

Why not uvicorn's own command: with the socket made beforehand, a taken port is known before anything is started, several
processes share one port, and visitors wait instead of being refused while one of them is started again.

SIGTERM: it says at /healthz/web that it leaves, serves for WEB_DRAIN_SECONDS more, so that proxies take notice, then closes its
sockets with 1012 (clients come back elsewhere, with jitter), lets open requests end, and ends. A second one spares the first
wait.
"""

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import uvicorn

from config import env

GRACE = 3  # seconds for open requests at the end; sockets are closed at once and come back elsewhere


class Server(uvicorn.Server):
    """Uvicorn that says beforehand that it leaves."""

    def __init__(self, config: uvicorn.Config, drain_seconds: float) -> None:
        super().__init__(config)
        self.drain_seconds = drain_seconds
        self.leaves_at: float | None = None  # monotonic seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        from config import health  # noqa: PLC0415  with the application: it wants Django to stand

        health.leaving = True
        if sig == signal.SIGTERM and self.drain_seconds and self.leaves_at is None:
            self.leaves_at = time.monotonic() + self.drain_seconds
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        is_over = self.leaves_at is not None and time.monotonic() >= self.leaves_at
        return await super().on_tick(counter) or is_over


def serve(listener: Callable[[], socket.socket]) -> None:
    """Serve on a socket until SIGTERM or SIGINT. In the main thread. The socket is asked for when the application stands: who
    connects to one that is made sooner would wait for that, where a proxy could have gone elsewhere.
    """
    config = uvicorn.Config(
        "config.asgi:application",
        ws="websockets-sansio",
        lifespan="off",
        ws_per_message_deflate=False,  # frames are small; compressing each cost more than sending it, and 100 KB a socket
        ws_ping_interval=60,  # seconds; clients beat every 5, so pings only find those that went without a word
        access_log=False,
        log_config=None,  # settings.LOGGING knows
        proxy_headers=False,  # the client's address is a matter of settings.NUM_PROXIES, and of nobody who only says so
        timeout_graceful_shutdown=GRACE,
    )
    config.load()
    # What was imported lives as long as the process: the collector need not walk through it while customers wait.
    gc.collect()
    gc.freeze()
    # A full collection walks through all that thousands of open sockets hold, while everybody waits: seldom, then.
    gc.set_threshold(50_000, 20, 20)
    Server(config, env.number("WEB_DRAIN_SECONDS", 0)).run(sockets=[listener()])


def main() -> None:
    # The family is read from the descriptor, so TCP_NODELAY is set.
    serve(lambda: socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
