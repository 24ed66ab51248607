"""The load: one thin asyncio process, the same for floor and ours, so that what it costs is in both.

Plain HTTP/1.1 with keep-alive over asyncio streams, websockets with the library that the tests use. It offers compression
as browsers do. Times are time.monotonic(), which all processes of a Linux machine share.
"""

import asyncio
import contextlib
import gc
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

T = TypeVar("T")
OPENING = 40  # sockets that are opened at the same time
BEAT_SECONDS = 5.0
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW1"


def run(main: Coroutine[Any, Any, T]) -> T:
    """asyncio.run on the loop that Uvicorn uses, and without the garbage collector's pauses."""
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main)
    finally:
        gc.enable()


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


class Poster:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Answer:
        return await self.request("GET", path)

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        if self.streams is not None and self.streams[0].at_eof():
            self.close()  # Uvicorn closes what was idle for 5 s
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        found = [
            (name.lower(), value.strip())
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        ]
        answer = Answer(int(head[0].split()[1]), found, b"")
        if answer.header("transfer-encoding") == "chunked":
            while size := int((await reader.readline()).strip() or b"0", 16):
                answer.body += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readexactly(2)
        else:
            answer.body = await reader.readexactly(int(answer.header("content-length") or 0))
        if answer.header("connection").lower() == "close":
            self.close()
        for name, value in found:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


class Door:
    """One visitor of a form: connection, cookies, CSRF token."""

    def __init__(self, poster: Poster, token: str) -> None:
        self.poster = poster
        self.token = token
        self.headers = {"Origin": f"http://127.0.0.1:{poster.port}", "Accept-Language": "en"}

    @classmethod
    async def opened(cls, port: int, path: str = "/") -> "Door":
        poster = Poster(port)
        page = await poster.get(path)
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.body)
        return cls(poster, token[1].decode() if token else "")

    async def send(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send the form as a browser does that could have files with it: multipart."""
        parts = {"csrfmiddlewaretoken": self.token, **fields} if self.token else fields
        body = "".join(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in parts.items()
        )
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return await self.poster.request(
            "POST", path, f"{body}--{BOUNDARY}--\r\n".encode(), self.headers | kind
        )

    def come_anew(self) -> None:
        """Forget all cookies but the CSRF one: those of tickets opened before would grow with every post."""
        self.poster.cookies = {
            name: value for name, value in self.poster.cookies.items() if name == "csrftoken"
        }


@dataclass
class Seat:
    """One agent's socket: its address, headers, and what each beat says."""

    url: str
    headers: Mapping[str, str]
    beat: str


@dataclass
class Crowd:
    """Agents on their sockets, beating. `heard(place, text, at)` gets every frame after the snapshot."""

    seats: Sequence[Seat]
    origin: str
    heard: Callable[[int, str, float], None]
    sockets: list[ClientConnection] = field(default_factory=list)
    lost: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def arrive(self, first: int = 0, last: int | None = None) -> None:
        """Open the sockets of seats[first:last] and wait for their snapshots."""
        gate = asyncio.Semaphore(OPENING)

        async def sit(seat: Seat) -> ClientConnection:
            async with gate:
                socket = await connect(
                    seat.url, additional_headers=seat.headers, origin=self.origin, ping_interval=None,
                    open_timeout=60, close_timeout=1, max_queue=None, proxy=None,
                )  # fmt: skip
                await socket.send('{"type": "resume", "after": {}}')
                await socket.recv()
                return socket

        here = await asyncio.gather(*[sit(seat) for seat in self.seats[first:last]])
        for place, socket in enumerate(here, start=len(self.sockets)):
            self.tasks.append(asyncio.create_task(self._listen(place, socket)))
        self.sockets += here

    def beat(self) -> None:
        """Begin to beat: everybody each 5 s, evenly spread."""
        self.tasks.append(asyncio.create_task(self._beat()))

    async def _listen(self, place: int, socket: ClientConnection) -> None:
        try:
            while True:
                text = await socket.recv()
                self.heard(place, text, time.monotonic())
        except ConnectionClosed:
            self.lost += 1

    async def _beat(self) -> None:
        begun, count = time.monotonic(), len(self.sockets)
        number = 0
        while True:
            await asyncio.sleep(max(begun + number * BEAT_SECONDS / count - time.monotonic(), 0))
            with contextlib.suppress(ConnectionClosed):
                await self.sockets[number % count].send(self.seats[number % count].beat)
            number += 1

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        for start in range(0, len(self.sockets), 200):
            await asyncio.gather(*[socket.close() for socket in self.sockets[start : start + 200]])


@contextlib.asynccontextmanager
async def crowd(
    seats: Sequence[Seat], port: int, heard: Callable[[int, str, float], None]
) -> AsyncIterator[Crowd]:
    """All seats taken, beating, settled."""
    people = Crowd(seats, f"http://127.0.0.1:{port}", heard)
    try:
        await people.arrive()
        people.beat()
        await asyncio.sleep(1.0)
        yield people
    finally:
        await people.leave()
    if people.lost:
        raise RuntimeError(f"{people.lost} of {len(seats)} sockets were closed by the server")


async def paced(rate: float, count: int, act: Callable[[int], Coroutine[Any, Any, None]]) -> float:
    """Start `act(number)` `count` times, `rate` a second, whether the ones before have ended or not (open loop).

    Waits for all. Returns by how many seconds the worst start was late.
    """
    begun = time.monotonic()
    late = 0.0
    tasks = []
    for number in range(count):
        due = begun + number / rate
        await asyncio.sleep(max(due - time.monotonic(), 0))
        late = max(late, time.monotonic() - due)
        tasks.append(asyncio.create_task(act(number)))
    await asyncio.gather(*tasks)
    return late
