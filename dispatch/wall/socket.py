"""A team lead's socket: the wallboard's stream. One look a process for all who watch it, at most once a second (ADR 32).

A bell says only that something has happened; the figures come from Postgres. Ages grow and leases run out without a bell, so
there is a look every few seconds besides.
"""

import asyncio
import contextlib
import logging
import time
from typing import Any

from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.db import Error as DatabaseError
from django.db.models.functions import Now
from redis.exceptions import RedisError

from agents.models import User
from agents.permissions import everywhere
from dispatch.leading import INTERVENE
from dispatch.wall import figures
from dispatch.wall.frames import STREAM, drawn, frame
from dispatch.wall.shapes import Board
from tickets.bell import ANY, ANY_SECONDS, group_of
from tickets.sockets import BELL_SECONDS, StreamConsumer, db

logger = logging.getLogger(__name__)

SEES = "dispatch.view_halfhour"  # the permission
SEES_TICKETS = "tickets.view_ticket"
CLOSE_NOT_A_LEAD = 4401
CLOSE_SIGNED_OUT = 4403
AFTER_SECONDS = (
    ANY_SECONDS + 0.1
)  # from a bell to the look: one that was not rung for that reason is over by then
TICK_SECONDS = 5.0  # a look without any bell
QUIET_SECONDS = 10.0  # without a beat, after which a socket is looked at whose it is; clients beat each 5


class LeadConsumer(StreamConsumer):
    """Stream: wall. Snapshots only, each with the parts of the page that have changed."""

    user: User
    acts = False
    opens = False
    session_key: str | None = None
    looked_at: float = 0.0  # time.monotonic() of the last look at whether they may be here still

    async def admit(self) -> bool:
        found = await db(self._user)
        if found is None:
            await self.accept()  # a close code reaches the browser only on an open socket
            await self.close(CLOSE_NOT_A_LEAD)
            return False
        self.user = found
        self.sent: dict[str, str] = {}
        self.looked_at = time.monotonic()
        return True

    def _user(self) -> User | None:
        """Who connects, if they may see it; and whether they may act."""
        user = get_user(_Scope(self.scope["session"])) if "session" in self.scope else None  # type: ignore[arg-type]
        if not isinstance(user, User) or not user.is_active or not everywhere(user, SEES):
            return None
        if not self.language_asked:
            self.language = user.language
        self.acts, self.opens = user.has_perm(INTERVENE), user.has_perm(SEES_TICKETS)
        self.session_key = self.scope["session"].session_key
        return user

    def _still(self) -> bool:
        """Whether they are still signed in, and may see it."""
        here = Session.objects.filter(session_key=self.session_key, expire_date__gt=Now()).exists()
        user = User.objects.filter(pk=self.user.pk, is_active=True).first() if here else None
        return user is not None and everywhere(user, SEES)

    async def resume(self, after: dict[str, int]) -> None:
        self.after[STREAM] = min(after.get(STREAM, 0), figures.MOST_SEQ)
        await _watch.add(self)
        board = await db(figures.board_kept)
        if after.get(STREAM, 0) > board.seq:  # a number that we never gave
            self.after[STREAM] = 0
        await self.show(board)

    async def beat(self, frame: dict[str, Any]) -> None:  # noqa: ARG002  a lead's beat carries nothing
        if not await self.stays():
            return
        await self.transmit(
            {"type": "heartbeat", "data": {"stream": STREAM, "seq": self.after.get(STREAM, 0)}}
        )

    async def stays(self) -> bool:
        """Close it if they are signed out, or the right was taken."""
        self.looked_at = time.monotonic()
        stays = await db(self._still)
        if not stays:
            await self.leave(CLOSE_SIGNED_OUT)
        return stays

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  Channels' signature
        self.admitted = False
        await _watch.remove(self)
        raise StopConsumer

    async def show(self, board: Board) -> None:
        """Send a board, once, in order, without the parts that this client has already."""
        if not self.admitted or board.seq <= self.after.get(STREAM, 0):
            return
        self.after[STREAM] = board.seq
        parts = None
        if self.fragments:
            whole = await db(_drawn, board, self.language, self.acts, self.opens)
            parts = {name: html for name, html in whole.items() if self.sent.get(name) != html}
            self.sent = dict(whole)
        await self.transmit(frame(board, parts))


def _drawn(board: Board, language: str, acts: bool, opens: bool) -> dict[str, str]:
    return dict(drawn(board, language, acts=acts, opens=opens))


class _Scope:
    """What get_user() wants of a request."""

    def __init__(self, session: Any) -> None:
        self.session = session


class _Watch:
    """Looks for all consumers of this process, as long as there is one."""

    def __init__(self) -> None:
        self.consumers: set[LeadConsumer] = set()
        self.rung: asyncio.Event | None = None
        self.tasks: list[asyncio.Task[None]] = []

    async def add(self, consumer: LeadConsumer) -> None:
        self.consumers.add(consumer)
        if not self.tasks or self.tasks[0].get_loop() is not asyncio.get_running_loop():
            self.rung = asyncio.Event()
            self.tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look())]

    async def remove(self, consumer: LeadConsumer) -> None:
        self.consumers.discard(consumer)
        if not self.consumers:
            for task in self.tasks:
                task.cancel()
            self.tasks = []

    async def _listen(self) -> None:
        """Hear the bell of everything, and join it again when Redis comes back."""
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                async with asyncio.timeout(BELL_SECONDS):
                    await layer.group_add(group_of(ANY), channel)
                while True:
                    await layer.receive(channel)
                    assert self.rung is not None
                    self.rung.set()
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(TICK_SECONDS)

    async def _look(self) -> None:
        while True:
            assert self.rung is not None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self.rung.wait()
            await asyncio.sleep(AFTER_SECONDS)
            self.rung.clear()
            begun = time.monotonic()
            try:
                board = await db(figures.board_kept)
                if (
                    board.looked < begun
                ):  # somebody else's, of before the bell: look once more when a second is over
                    self.rung.set()
                for consumer in list(self.consumers):
                    try:
                        # A client that never beats would read on.
                        if consumer.looked_at > begun - QUIET_SECONDS or await consumer.stays():
                            await consumer.show(board)
                    except OSError:  # the client has gone without a word; the others are waiting
                        self.consumers.discard(consumer)
            except DatabaseError as error:
                logger.warning("wallboard: no figures (%s); tried again", type(error).__name__)
            except Exception:
                logger.exception("wallboard: a look failed; tried again")
            await asyncio.sleep(max(figures.SECONDS + 0.05 - AFTER_SECONDS - (time.monotonic() - begun), 0.0))


_watch = _Watch()
