"""The client of docs/protocol.md, as static/js/live.js is for browsers: resume by number, beats, jittered reconnect."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

Frame = dict[str, Any]

BEAT_SECONDS = 5.0
DEAF_SECONDS = 12.0  # no frame for so long: the connection is dead, whatever the system says
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds
FOR_GOOD = {4401, 4403, 4404}  # signed out or no such ticket: coming back would not help


class Gone(Exception):
    """The server closed for good; `code` says why."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(str(code))


class Live:
    """One socket. `on_frame` gets each event above the known number once, in order, and snapshots and heartbeats."""

    def __init__(
        self,
        base_url: str,
        path: str,
        auth: str,
        on_frame: Callable[[Frame], None],
        *,
        beat: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self.base_url, self.path, self.auth = base_url, path, auth
        self.on_frame, self.beat = on_frame, beat
        self.after: dict[str, int] = {}  # stream → number of its last event
        self.connected = asyncio.Event()
        self.connections = 0
        self._heard = 0.0
        self._pause = FIRST_PAUSE

    async def run(self) -> None:
        """Stay connected until cancelled. Raises Gone."""
        while True:
            code = await self._once()
            self.connected.clear()
            if code in FOR_GOOD:
                raise Gone(code)
            await asyncio.sleep(self._pause * (0.5 + random.random()))  # noqa: S311  jitter
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    async def _once(self) -> int:
        """One connection, to its end; returns its close code, 0 without any."""
        code = 0
        with contextlib.suppress(OSError, TimeoutError, WebSocketException, EOFError):
            async with dial(self.base_url, self.path, self.auth) as socket:
                self._heard = time.monotonic()
                self.connections += 1
                await socket.send(json.dumps({"type": "resume", "after": self.after}))
                beating = asyncio.create_task(self._beating(socket))
                try:
                    async for message in socket:
                        self._receive(json.loads(message))
                finally:
                    code = socket.close_code or 0
                    beating.cancel()
                    await asyncio.gather(beating, return_exceptions=True)
        return code

    async def _beating(self, socket: ClientConnection) -> None:
        with contextlib.suppress(WebSocketException):
            while time.monotonic() - self._heard < DEAF_SECONDS:
                await socket.send(json.dumps({"type": "beat", **self.beat()}))
                await asyncio.sleep(BEAT_SECONDS)
            await socket.close()

    def _receive(self, frame: Frame) -> None:
        self._heard = time.monotonic()
        self._pause = FIRST_PAUSE
        self.connected.set()
        name = frame.get("stream")
        if name is not None and "seq" in frame:  # a sign has no number
            known = self.after.get(name, -1)
            if frame["seq"] < known or (frame["seq"] == known and frame["type"] != "snapshot"):
                return
            self.after[name] = frame["seq"]
        self.on_frame(frame)

    def forget(self, name: str) -> None:
        """This stream is no longer ours."""
        self.after.pop(name, None)


def dial(base_url: str, path: str, auth: str) -> connect:
    """A connection to be opened; frames are JSON without fragments."""
    return connect(
        base_url.replace("http", "ws", 1) + path,
        origin=Origin(base_url),
        additional_headers={"Authorization": auth},
        ping_interval=None,  # beats are ours
        close_timeout=2,
        compression=None,
        proxy=None,
    )
