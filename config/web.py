"""The web process: Uvicorn on a listening socket that its supervisor made.

    python -m config.web DESCRIPTOR

Why not uvicorn's own command: with the socket made beforehand, a taken port is known before anything is started, several
processes share one port, and visitors wait instead of being refused while one of them is started again.

SIGTERM: it says at /healthz/web that it leaves and serves for WEB_DRAIN_SECONDS more, so that proxies take notice; each answer
says that its connection is not kept. Then nobody is let in any more, and who was is answered. Then it closes its sockets with
1012 (clients come back elsewhere, with jitter), lets open requests end, and ends. A second signal spares the waits.
"""

import asyncio
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
LAST_WORDS = 0.5  # seconds for the request of who was let in last
KEPT_OPEN = 75  # seconds for a connection without a request: longer than proxies keep theirs, so that they close it and not we


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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.leaves_at is not None and not self.should_exit:
            await self._let_nobody_in(sockets or [])
        await super().shutdown(sockets)

    async def _let_nobody_in(self, listeners: list[socket.socket]) -> None:
        """Close the door, and answer who was through it. Uvicorn closes connections whose request is still on its way, and the
        kernel resets those that nobody accepted: a proxy must not send a POST again for either, and its client would get 502.
        """
        waiting = [one for listener in listeners for one in _accepted(listener)]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for connection in waiting:
            await loop.connect_accepted_socket(self._protocol, connection)
        await asyncio.sleep(LAST_WORDS)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # as in uvicorn.Server.startup
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def _accepted(listener: socket.socket) -> list[socket.socket]:
    """Whoever has connected and was not accepted yet."""
    found: list[socket.socket] = []
    listener.setblocking(False)
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # nobody is left, or who was is gone
            return found
        connection.setblocking(False)
        found.append(connection)


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
        timeout_keep_alive=KEPT_OPEN,
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
