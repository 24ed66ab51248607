"""An agent's socket: their own feed and the streams of the tickets they hold. Push only; beats keep the lease."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from channels.exceptions import StopConsumer
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser

from agents.models import Agent, AgentStatus, User
from agents.tokens import account_token_of
from dispatch import cards, feed, fragments, looks
from dispatch.beats import beats
from dispatch.looks import Look
from dispatch.models import Offer
from tickets import stream
from tickets.models import Ticket
from tickets.sockets import StreamConsumer, db
from tickets.threads import LastFreeFirst

logger = logging.getLogger(__name__)

CLOSE_NO_AGENT = 4401

_ENDS = {"offer.completed", "offer.released", "wrap_up.ended"}


class AgentConsumer(StreamConsumer):
    """Streams: agent:<id>, and ticket:<public id> for each ticket that they hold or wrap up."""

    agent: Agent
    session_key: str | None = None  # of the log-in that let us in, else
    token_id: int | None = None  # the token that did
    answering: asyncio.Task[None] | None = None  # to the last beat
    looked_at: float = 0.0  # time.monotonic() of the last look at whether they may be here still

    async def admit(self) -> bool:
        agent = await db(self._agent)
        if agent is None:
            await self.accept()  # a close code reaches the browser only on an open socket
            await self.close(CLOSE_NO_AGENT)
            return False
        self.agent = agent
        self.own = feed.stream_of(agent.pk)
        self.tickets: dict[str, int] = {}  # stream of a held ticket → its id
        self.asked: dict[str, int] = {}  # numbers of the last resume that were not looked at yet
        self.looked_at = time.monotonic()
        beats.watch(self)
        return True

    def _agent(self) -> Agent | None:
        """Who connects: by an API token in the header, else by the session."""
        headers = dict(self.scope["headers"])
        kind, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind == "Token":
            token = account_token_of(key.strip())
            user: User | AnonymousUser | None = token.user if token else None
            self.token_id = token.pk if token else None
        else:
            user = get_user(_Scope(self.scope["session"])) if "session" in self.scope else None  # type: ignore[arg-type]
            self.session_key = (
                self.scope["session"].session_key if user is not None and user.is_authenticated else None
            )
        if user is None or not user.is_authenticated or not user.is_active:
            return None
        if not self.language_asked:
            self.language = user.language
        found = Agent.objects.select_related("user").filter(user=user)
        return found.exclude(status=AgentStatus.SUSPENDED).first()

    async def resume(self, after: dict[str, int]) -> None:
        # Their own stream first: it says which tickets came and went, and on a page makes the places for them.
        self.asked = dict(after)
        known = self.asked.pop(self.own, None)
        if known is not None:
            # Before it is read where the stream is: what comes in between rings.
            await self.follow(self.own, known)
            seq = await db(self._own_seq)
            if known <= seq:
                await self.catch_up(self.own, seq)
                await self._take_all(await db(cards.on_desk, self.agent.pk))
                return
        await self.too_old(self.own)

    async def _take_all(self, desk: Sequence[cards.OnDesk]) -> None:
        for ticket in (one.ticket for one in desk):
            if ticket.stream not in self.tickets or ticket.stream in self.asked:
                await self._take(ticket)

    async def _take(self, ticket: Ticket) -> None:
        self.tickets[ticket.stream] = ticket.pk
        known = self.asked.pop(ticket.stream, None)
        if known is None or known > ticket.last_seq:
            await self.too_old(ticket.stream)
        else:
            await self.follow(ticket.stream, known)
            await self.catch_up(ticket.stream, ticket.last_seq)

    async def too_old(self, name: str) -> None:
        await self.join(name)
        if name == self.own:
            frame, desk = await db(self._own_snapshot)
            self.after[name] = frame["seq"]
            await self.transmit(frame)
            await self._drop_others({one.ticket.stream for one in desk})
            await self._take_all(desk)
        elif found := await db(self._ticket_snapshot, name):  # else it went to somebody else meanwhile
            self.after[name] = found["seq"]
            await self.transmit(found)

    async def _drop_others(self, held: set[str]) -> None:
        for name in set(self.tickets) - held:
            self.tickets.pop(name, None)
            await self.unfollow(name)

    async def push(self, frame: stream.Frame) -> None:
        if frame["seq"] <= self.after.get(frame["stream"], frame["seq"]):
            return
        await super().push(frame)
        if frame["stream"] == self.own and "ticket" in frame["data"]:
            name = f"ticket:{frame['data']['ticket']}"
            if frame["type"] in _ENDS and not frame["data"].get("wrap_up_until"):
                self.tickets.pop(name, None)
                await self.unfollow(name)
            elif name not in self.tickets and (ticket := await db(self._held_one, frame["data"]["ticket"])):
                await self._take(ticket)

    async def beat(self, frame: dict[str, Any]) -> None:
        epoch = frame.get("epoch")
        if epoch is not None and type(epoch) is not int:
            await self.error("bad_frame", "beat wants a whole number as epoch, or none when offline.")
            return
        await beats.add(self, epoch)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  Channels' signature
        self.admitted = False
        beats.here.discard(self)
        for name in list(self.joined):
            await self.unfollow(name)
        raise StopConsumer

    def _held_one(self, public_id: str) -> Ticket | None:
        return next((one.ticket for one in cards.on_desk(self.agent.pk, public_id)), None)

    def _own_seq(self) -> int:
        return feed.last_seq(self.agent)

    def _own_snapshot(self) -> tuple[stream.Frame, list[cards.OnDesk]]:
        look, desk = looks.look(self.agent.pk), cards.on_desk(self.agent.pk)
        frame = cards.agent_snapshot(self.agent, self.language, look, desk)
        return self.rendered(frame, partial(fragments.of, self.agent, look=look, desk=desk)), desk

    def _ticket_snapshot(self, name: str) -> stream.Frame | None:
        ticket = self._held_one(name.removeprefix("ticket:"))
        return (
            self.rendered(stream.snapshot(ticket, staff=True, reader_id=self.agent.user_id))
            if ticket
            else None
        )

    async def frames(self, name: str, after: int, writer: int | None = None) -> list[stream.Frame] | None:
        return await (_feeds.read(self, after, writer) if name == self.own else super().frames(name, after))

    def own_frames(self, look: Look) -> list[stream.Frame] | None:
        """The own stream's frames of a look; those whose fragment asks the database have it. Runs in a database thread."""
        frames = feed.frames_of(self.agent.pk, look, self.language)
        # Each of a page's events is drawn from the state of now: after many of them the state itself is cheaper.
        if frames is None or (self.fragments and len(frames) > fragments.REDRAW_LIMIT):
            return None
        return [
            frame if frame["type"] in fragments.OF_A_LOOK else self.drawn(frame, look) for frame in frames
        ]

    def read(self, name: str, after: int) -> list[stream.Frame] | None:
        # Between the bell and this look the ticket may have gone to somebody else: the holder is asked anew each time.
        ticket_id = self.tickets.get(name)
        if ticket_id is None:
            return []
        if not Offer.objects.filter(Offer.ON_DESK, agent=self.agent, ticket_id=ticket_id).exists():
            return []
        return stream.frames_after(ticket_id, name, after, staff=True, reader_id=self.agent.user_id)

    def drawn(self, frame: stream.Frame, look: Look) -> stream.Frame:
        """The frame with its fragment, if this client wants them; a look's event is drawn from that look alone."""
        return self.rendered(frame, partial(fragments.of, self.agent, look=look))

    def fragment(self, frame: stream.Frame) -> str:
        return fragments.of(self.agent, frame)


LOOKS = 2  # under way at the same time, and as many that may wait; a page that is slow to draw must not hold up all others
# Theirs, or writers that hang would take those of all sockets.
_patient = LastFreeFirst(LOOKS, "patient-db")


class _Feeds:
    """What is new on the feeds of all agents on this process: those whose bells ring together are looked at together.

    Nobody waits for company: the first goes at once, and who comes while a look is under way has the next one. Those whose bell
    rang ahead of a transaction wait for it together, and nobody else does.
    """

    def __init__(self) -> None:
        self.waiting: dict[int | None, list[_Wish]] = {}  # number of the transaction that they wait for
        self.looking: dict[int | None, set[asyncio.Task[None]]] = {}

    async def read(
        self, consumer: AgentConsumer, after: int, writer: int | None = None
    ) -> list[stream.Frame] | None:
        """The agent's frames above a number; None when a snapshot is better. `writer`: of catch_up()."""
        wish = _Wish(consumer, after, asyncio.get_running_loop().create_future())
        self.waiting.setdefault(writer, []).append(wish)
        looking = self.looking.setdefault(writer, set())
        if len(looking) < (LOOKS if writer is None else 1):
            # Begun by a task of its own, so that bells that the loop has heard together are all there.
            looking.add(asyncio.create_task(self._look(writer)))
        frames, look = await wish.answer
        if frames is None:
            return None
        # Drawn here and not in the thread: that would keep the interpreter busy with the next agent's card before this one is
        # on its way.
        return [
            consumer.drawn(frame, look) if frame["type"] in fragments.OF_A_LOOK else frame for frame in frames
        ]

    async def _look(self, writer: int | None) -> None:
        try:
            while batch := self.waiting.pop(writer, None):
                try:
                    look = partial(_look_all, batch, asyncio.get_running_loop(), writer)
                    await (db(look) if writer is None else db(look, threads=_patient))
                except Exception as error:  # noqa: BLE001  whoever asked is told
                    for wish in batch:
                        wish.fail(error)
        finally:
            # Here and not in a callback of the task, which comes later: who wishes in between would wait for nobody.
            task = asyncio.current_task()
            assert task is not None
            self.looking[writer].discard(task)
            if not self.looking[writer]:
                del self.looking[writer]


@dataclass(frozen=True)
class _Wish:
    consumer: AgentConsumer
    after: int
    answer: asyncio.Future[tuple[list[stream.Frame] | None, Look]]

    def grant(self, frames: list[stream.Frame] | None, look: Look) -> None:
        if not self.answer.done():  # who has gone meanwhile waits no longer
            self.answer.set_result((frames, look))

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


def _look_all(batch: Sequence[_Wish], loop: asyncio.AbstractEventLoop, writer: int | None = None) -> None:
    """One look for all; each gets theirs as soon as it is there."""
    after: dict[int, int] = {}
    for wish in batch:  # an agent with two tabs
        after[wish.consumer.agent.pk] = min(wish.after, after.get(wish.consumer.agent.pk, wish.after))
    found = looks.looks(after, writer)
    for wish in batch:
        try:
            look = found[wish.consumer.agent.pk]
            frames = wish.consumer.own_frames(look)
        except Exception as error:  # noqa: BLE001  theirs alone
            loop.call_soon_threadsafe(wish.fail, error)
        else:
            loop.call_soon_threadsafe(wish.grant, frames, look)


_feeds = _Feeds()


class _Scope:
    """What get_user wants of a request: its session."""

    def __init__(self, session: Any) -> None:
        self.session = session
