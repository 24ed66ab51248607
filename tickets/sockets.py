"""Sockets push, and only push: the bell says "stream X is at N", the consumer reads what is new from Postgres and sends it.

docs/protocol.md is the contract. Client frames: resume, beat. Everything that changes something goes by HTTP.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import close_old_connections
from django.db.models.functions import Now
from django.http.cookie import parse_cookie
from django.template.loader import render_to_string
from django.utils import translation
from redis.exceptions import RedisError

from tickets import events, signs, stream
from tickets.access import ticket_by_token
from tickets.bell import group_of
from tickets.errors import TicketNotFound
from tickets.models import Ticket
from tickets.threads import LastFreeFirst

logger = logging.getLogger(__name__)

T = TypeVar("T")

# A fixed number of threads, hence of database connections, for all sockets of the process.
_threads = LastFreeFirst(4, "socket-db")

MAX_FRAME = 64 * 1024  # bytes
FRAMES_A_SECOND = 10  # of a client, on average over BURST_SECONDS
BURST_SECONDS = 10
CLOSE_BAD_TICKET = 4404
CLOSE_FLOOD = 4429
CLOSE_TOO_BIG = 1009
BELL_SECONDS = 2.0  # to join a bell; a Redis that hangs must not keep a page waiting for its state


async def db(function: Callable[..., T], *args: Any, threads: Executor = _threads) -> T:
    """Run a function that uses the database in one of the sockets' threads, or in others of a fixed number."""
    return await asyncio.get_running_loop().run_in_executor(threads, _on_good_connection, function, args)


def _on_good_connection(function: Callable[..., T], args: Sequence[Any]) -> T:
    close_old_connections()  # that failed, or were closed by the server; the others stay with their thread
    return function(*args)


class StreamConsumer(AsyncWebsocketConsumer):
    """What customer and agent sockets share: client frames, resume, catching up by number, fragments, flood limit.

    A subclass says who may connect (`admit`), what a resume sends (`resume`) and how a stream is read (`read`).
    """

    fragments: bool = False  # the client asked for rendered HTML beside the data
    language: str = "en"
    language_asked: bool = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.after: dict[str, int] = {}  # stream → number of the last event sent
        self.sending: dict[str, asyncio.Lock] = {}
        self.joined: set[str] = set()  # streams whose bell we hear; the others are caught up with by beats
        self.admitted = False
        self.resumed = False
        self.budget = float(FRAMES_A_SECOND * BURST_SECONDS)
        self.budget_at = time.monotonic()

    # To be given by subclasses

    async def admit(self) -> bool:
        """Whether this client may connect; may close the socket itself with a reason."""
        raise NotImplementedError

    async def resume(self, after: dict[str, int]) -> None:
        """Send what the client does not have: events above its numbers, or snapshots."""
        raise NotImplementedError

    def read(self, name: str, after: int) -> list[stream.Frame] | None:
        """Frames of a stream above a number; None when too many. Runs in a database thread."""
        raise NotImplementedError

    async def too_old(self, name: str) -> None:
        """The client is too far behind on this stream: send a snapshot."""
        raise NotImplementedError

    async def beat(self, frame: dict[str, Any]) -> None:
        """The client says that it is there."""
        raise NotImplementedError

    # Shared

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels' own first goes to a thread and closes old database connections there, for every frame and bell. Ours are
        # in the threads of db(), which looks after them.
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"no handler for messages of type {message['type']}")
        await handler(message)

    async def connect(self) -> None:
        query = dict(
            part.partition("=")[::2] for part in self.scope["query_string"].decode("latin-1").split("&")
        )
        self.fragments = query.get("fragments") == "1"
        self.language_asked = query.get("lang") in {"de", "en"}
        if self.language_asked:
            self.language = query["lang"]
        self.admitted = await self.admit()
        if self.admitted:
            await self.accept()

    async def leave(self, code: int) -> None:
        """Close for a reason; frames that were on their way to us are not answered any more."""
        if self.admitted:
            self.admitted = False
            await self.close(code)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.admitted:
            return
        if not self._within_budget():
            await self.leave(CLOSE_FLOOD)
            return
        if bytes_data is not None or text_data is None:
            await self.error("bad_frame", "Frames are JSON text.")
            return
        if len(text_data) > MAX_FRAME:
            await self.leave(CLOSE_TOO_BIG)
            return
        try:
            frame = json.loads(text_data)
        except (ValueError, RecursionError):
            await self.error("bad_frame", "This frame is no JSON.")
            return
        if not isinstance(frame, dict):
            await self.error("bad_frame", "A frame is a JSON object.")
        elif frame.get("type") == "resume":
            after = frame.get("after", {})
            if not isinstance(after, dict) or not all(
                type(seq) is int and seq >= 0 for seq in after.values()
            ):
                await self.error("bad_frame", 'resume wants {"after": {stream: number}}.')
                return
            await self.resume(after)
            self.resumed = True
        elif frame.get("type") == "beat":
            await self.beat(frame)
        else:
            await self.error("unknown_frame", "The types are resume and beat. Commands go by HTTP.")

    def _within_budget(self) -> bool:
        now = time.monotonic()
        self.budget = min(
            self.budget + (now - self.budget_at) * FRAMES_A_SECOND, float(FRAMES_A_SECOND * BURST_SECONDS)
        )
        self.budget_at = now
        self.budget -= 1
        return self.budget >= 0

    async def error(self, code: str, detail: str) -> None:
        await self.transmit({"type": "error", "data": {"code": code, "detail": detail}})

    async def join(self, name: str) -> None:
        """Hear a stream's bell. To be called before its state is read, so that nothing falls in between."""
        if name in self.joined:
            return
        with contextlib.suppress(
            OSError, TimeoutError, RedisError
        ):  # Redis is away: beats catch up meanwhile
            async with asyncio.timeout(BELL_SECONDS):
                await self.channel_layer.group_add(group_of(name), self.channel_name)
            self.joined.add(name)

    async def follow(self, name: str, after: int) -> None:
        """Listen to a stream's bell, from this number on."""
        await self.join(name)
        self.after[name] = after

    async def unfollow(self, name: str) -> None:
        self.after.pop(name, None)
        if name in self.joined:
            self.joined.discard(name)
            with contextlib.suppress(OSError, TimeoutError, RedisError):
                async with asyncio.timeout(BELL_SECONDS):
                    await self.channel_layer.group_discard(group_of(name), self.channel_name)

    async def listen_again(self) -> None:
        """With each beat: join the bells that Redis did not let us join before."""
        for name in [name for name in self.after if name not in self.joined]:
            await self.join(name)

    async def bell(self, message: dict[str, Any]) -> None:
        """Channels calls this for a bell's message."""
        await self.catch_up(message["stream"], message["seq"], message.get("writer"))

    async def sign(self, message: dict[str, Any]) -> None:
        """Channels calls this for a sign's message, which is sent on as it is: it has no number, and may get lost."""
        if self.admitted and message["stream"] in self.after:
            await self.transmit({"type": "sign", "stream": message["stream"], "data": message["data"]})

    async def catch_up(self, name: str, seq: int, writer: int | None = None) -> None:
        """Send what is new on this stream, once, in order, whoever asks how often. `writer`: when the transaction of this
        number is over (bell.ahead), whatever the stream's own number is then."""
        if name not in self.after or (writer is None and seq <= self.after[name]):
            return
        async with self.sending.setdefault(name, asyncio.Lock()):
            if name not in self.after or (writer is None and seq <= self.after[name]):
                return
            frames = await self.frames(name, self.after[name], writer)
            if frames is None:
                await self.too_old(name)
                return
            for frame in frames:
                await self.push(frame)
            if name in self.after:
                # Events that are not for this reader leave no frame, and must not be looked for again.
                self.after[name] = max(self.after[name], seq)

    async def push(self, frame: stream.Frame) -> None:
        """Send one event, unless its stream was left meanwhile or has it already."""
        name = frame["stream"]
        if name not in self.after or frame["seq"] <= self.after[name]:
            return
        self.after[name] = frame["seq"]
        await self.transmit(frame)

    async def transmit(self, frame: stream.Frame) -> None:
        await self.send(text_data=json.dumps(frame, ensure_ascii=False))

    async def frames(self, name: str, after: int, writer: int | None = None) -> list[stream.Frame] | None:  # noqa: ARG002
        """read(), with fragments. `writer`: of catch_up(), for a subclass whose streams are rung for ahead."""
        return await db(self._read_rendered, name, after)

    def _read_rendered(self, name: str, after: int) -> list[stream.Frame] | None:
        frames = self.read(name, after)
        return None if frames is None else [self.rendered(frame) for frame in frames]

    def rendered(
        self, frame: stream.Frame, draw: Callable[[stream.Frame], str] | None = None
    ) -> stream.Frame:
        """The frame with its HTML fragment, if this client wants them and the event has one. `draw`: else fragment()."""
        if not self.fragments:
            return frame
        with translation.override(self.language):
            html = (draw or self.fragment)(frame)
        return {**frame, "html": html} if html else frame

    def fragment(self, frame: stream.Frame) -> str:
        """HTML for the page, with htmx out-of-band attributes; empty when the event shows nothing."""
        raise NotImplementedError


class TicketConsumer(StreamConsumer):
    """A customer's socket: one ticket, public events only. The private link's token comes in the cookie or a header."""

    ticket: Ticket

    async def admit(self) -> bool:
        public_id = self.scope["url_route"]["kwargs"]["public_id"]
        try:
            self.ticket = await db(ticket_by_token, public_id, self._token(public_id))
        except TicketNotFound:
            await self.accept()  # a close code reaches the browser only on an open socket
            await self.close(CLOSE_BAD_TICKET)
            return False
        await db(signs.here, self.ticket.public_id)
        return True

    def _token(self, public_id: str) -> str:
        headers = dict(self.scope["headers"])
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind == "Ticket":
            return str(token)
        # Django's parser: the standard library's drops all cookies when one of them is odd.
        return str(parse_cookie(headers.get(b"cookie", b"").decode("latin-1")).get(f"t-{public_id}", ""))

    async def resume(self, after: dict[str, int]) -> None:
        name = self.ticket.stream
        known = after.get(name)
        if known is None:
            await self.too_old(name)
            return
        await self.follow(name, known)
        seq = await db(self._last_seq)
        if (
            seq is not None and known > seq
        ):  # a number that we never gave: say what is, instead of waiting for it
            await self.too_old(name)
            return
        await self.catch_up(name, seq or 0)

    async def too_old(self, name: str) -> None:
        await self.join(name)
        if await db(self._last_seq) is None:
            await self.leave(CLOSE_BAD_TICKET)
            return
        frame = await db(self._snapshot)
        self.after[name] = frame["seq"]
        await self.transmit(frame)

    async def push(self, frame: stream.Frame) -> None:
        # Who never beats must not read on with a key that has ended.
        if frame["type"] == events.LINK_RENEWED.name and await db(self._last_seq) is None:
            await self.unfollow(frame["stream"])
            await self.leave(CLOSE_BAD_TICKET)
            return
        await super().push(frame)

    async def beat(self, frame: dict[str, Any]) -> None:  # noqa: ARG002  a customer's beat carries nothing
        seq = await db(self._last_seq_beaten)
        if seq is None:  # the link was withdrawn or has expired
            await self.leave(CLOSE_BAD_TICKET)
            return
        await self.transmit({"type": "heartbeat", "data": {"stream": self.ticket.stream, "seq": seq}})
        await self.listen_again()
        if self.resumed:
            await self.catch_up(self.ticket.stream, seq)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  Channels' signature
        for name in list(self.after):
            await self.unfollow(name)
        raise StopConsumer

    def _last_seq_beaten(self) -> int | None:
        signs.here(self.ticket.public_id)
        return self._last_seq()

    def _last_seq(self) -> int | None:
        """Number of the last event; None when the link that let us in opens nothing any more."""
        return (
            Ticket.objects.filter(
                pk=self.ticket.pk,
                access_version=self.ticket.access_version,
                access_expires_at__gt=Now(),
            )
            .values_list("last_seq", flat=True)
            .first()
        )

    def _refreshed(self) -> Ticket:
        # All but the link's version, which stays the one that this client was admitted with.
        version = self.ticket.access_version
        self.ticket.refresh_from_db()
        self.ticket.access_version = version
        return self.ticket

    def _snapshot(self) -> stream.Frame:
        return self.rendered(stream.snapshot(self._refreshed(), staff=False))

    def read(self, name: str, after: int) -> list[stream.Frame] | None:
        return stream.frames_after(self.ticket.pk, name, after, staff=False)

    def fragment(self, frame: stream.Frame) -> str:
        if frame["type"] != "snapshot":
            self._refreshed()
        # There is no request here, so nothing comes from the context processors.
        context = {"frame": frame, "ticket": self.ticket, "socket": True, "brand": settings.BRAND}
        return render_to_string("tickets/fragments/event.html", context)
