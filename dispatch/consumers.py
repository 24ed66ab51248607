"""An agent's socket: their own feed and the streams of the tickets they hold. Push only; beats keep the lease."""

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from channels.exceptions import StopConsumer
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db.models.functions import Now

from agents.models import Agent, AgentStatus, Shift, User
from agents.tokens import account_token_of, account_tokens_alive
from dispatch import cards, feed, fragments, looks, presence
from dispatch.looks import Look
from dispatch.models import Feed, Offer
from tickets import stream
from tickets.models import Ticket
from tickets.sockets import StreamConsumer, db

logger = logging.getLogger(__name__)

CLOSE_NO_AGENT = 4401
CLOSE_SIGNED_OUT = 4403
GATHER_SECONDS = 0.25  # beats of one process that come within this time are one statement
QUIET_SECONDS = 10.0  # without a beat, after which a socket is looked at whose it is; clients beat each 5

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
        _beats.watch(self)
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
        seq = await db(self._own_seq)
        if known is None or known > seq:
            await self.too_old(self.own)
        else:
            await self.follow(self.own, known)
            await self.catch_up(self.own, seq)
        await self._take_held()

    async def _take_held(self) -> None:
        for ticket in await db(self._held):
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
        frame = await db(self._own_snapshot) if name == self.own else await db(self._ticket_snapshot, name)
        if frame is None:  # it went to somebody else meanwhile
            return
        self.after[name] = frame["seq"]
        await self.transmit(frame)
        if name == self.own:
            wrapping = [one["ticket"] for one in frame["data"]["wrap_ups"]]
            await self._drop_others({f"ticket:{name}" for name in (*frame["data"]["tickets"], *wrapping)})
            await self._take_held()

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
        await _beats.add(self, epoch)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  Channels' signature
        self.admitted = False
        _beats.here.discard(self)
        for name in list(self.joined):
            await self.unfollow(name)
        raise StopConsumer

    def _held(self) -> list[Ticket]:
        return [one.ticket for one in cards.on_desk(self.agent.pk)]

    def _held_one(self, public_id: str) -> Ticket | None:
        return next((one.ticket for one in cards.on_desk(self.agent.pk, public_id)), None)

    def _own_seq(self) -> int:
        return feed.last_seq(self.agent)

    def _own_snapshot(self) -> stream.Frame:
        look = looks.look(self.agent.pk)
        return self.drawn(cards.agent_snapshot(self.agent, self.language, look), look)

    def _ticket_snapshot(self, name: str) -> stream.Frame | None:
        ticket = self._held_one(name.removeprefix("ticket:"))
        return (
            self.rendered(stream.snapshot(ticket, staff=True, reader_id=self.agent.user_id))
            if ticket
            else None
        )

    async def frames(self, name: str, after: int) -> list[stream.Frame] | None:
        return await (_feeds.read(self, after) if name == self.own else super().frames(name, after))

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


class _Feeds:
    """What is new on the feeds of all agents on this process: those whose bells ring together are looked at together.

    Nobody waits for company: the first goes at once, and who comes while a look is under way has the next one.
    """

    def __init__(self) -> None:
        self.waiting: list[_Wish] = []
        self.looking: set[asyncio.Task[None]] = set()

    async def read(self, consumer: AgentConsumer, after: int) -> list[stream.Frame] | None:
        """The agent's frames above a number; None when a snapshot is better."""
        wish = _Wish(consumer, after, asyncio.get_running_loop().create_future())
        self.waiting.append(wish)
        if len(self.looking) < LOOKS:
            # Begun by a task of its own, so that bells that the loop has heard together are all there.
            task = asyncio.create_task(self._look())
            self.looking.add(task)
        frames, look = await wish.answer
        if frames is None:
            return None
        # Drawn here and not in the thread: that would keep the interpreter busy with the next agent's card before this one is
        # on its way.
        return [
            consumer.drawn(frame, look) if frame["type"] in fragments.OF_A_LOOK else frame for frame in frames
        ]

    async def _look(self) -> None:
        try:
            while self.waiting:
                batch, self.waiting = self.waiting, []
                try:
                    await db(_look_all, batch, asyncio.get_running_loop())
                except Exception as error:  # noqa: BLE001  whoever asked is told
                    for wish in batch:
                        wish.fail(error)
        finally:
            # Here and not in a callback of the task, which comes later: who wishes in between would wait for nobody.
            task = asyncio.current_task()
            assert task is not None
            self.looking.discard(task)


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


def _look_all(batch: Sequence[_Wish], loop: asyncio.AbstractEventLoop) -> None:
    """One look for all; each gets theirs as soon as it is there."""
    after: dict[int, int] = {}
    for wish in batch:  # an agent with two tabs
        after[wish.consumer.agent.pk] = min(wish.after, after.get(wish.consumer.agent.pk, wish.after))
    found = looks.looks(after)
    for wish in batch:
        try:
            look = found[wish.consumer.agent.pk]
            frames = wish.consumer.own_frames(look)
        except Exception as error:  # noqa: BLE001  theirs alone
            loop.call_soon_threadsafe(wish.fail, error)
        else:
            loop.call_soon_threadsafe(wish.grant, frames, look)


_feeds = _Feeds()
LOOKS = 2  # under way at the same time; a page that is slow to draw must not hold up all others


# Leases live by the beats, so these do not queue behind what all the sockets have to read.
_beat_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="beats")


class _Scope:
    """What get_user wants of a request: its session."""

    def __init__(self, session: Any) -> None:
        self.session = session


class _Beats:
    """Beats of all agents on this process, gathered: one statement renews their leases, one reads their numbers.

    The numbers find what a lost bell did not tell; and who has signed out, was disabled or suspended, is closed here. A client
    that never beats would read on, so who is quiet is looked at besides.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[AgentConsumer, int | None]] = []
        self.flushing: asyncio.Task[None] | None = None
        self.here: set[AgentConsumer] = set()
        self.watching: asyncio.Task[None] | None = None

    def watch(self, consumer: AgentConsumer) -> None:
        """Look at it from time to time, until it is here no more."""
        self.here.add(consumer)
        task, loop = self.watching, asyncio.get_running_loop()
        if task is None or task.done() or task.get_loop() is not loop:
            self.watching = loop.create_task(self._watch())

    async def _watch(self) -> None:
        while self.here:
            await asyncio.sleep(QUIET_SECONDS / 2)
            late = time.monotonic() - QUIET_SECONDS
            quiet = [one for one in self.here if one.looked_at < late]
            if not quiet:
                continue
            try:
                seen = await db(_look, [(consumer, None) for consumer in quiet])
            except Exception:
                logger.exception("quiet sockets: the database does not answer")
                continue
            for consumer in quiet:
                if _may_stay(consumer, seen):
                    continue
                try:
                    await consumer.leave(CLOSE_SIGNED_OUT)
                except OSError:  # gone without a word
                    self.here.discard(consumer)

    async def add(self, consumer: AgentConsumer, epoch: int | None) -> None:
        self.waiting.append((consumer, epoch))
        if self.flushing is None or self.flushing.done():
            self.flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(GATHER_SECONDS)
            batch, self.waiting = self.waiting, []
            if not batch:
                return
            try:
                seen = await db(_look, batch, threads=_beat_thread)
            except Exception:
                logger.exception("beats: the database does not answer")
                continue
            for consumer, epoch in batch:
                # Not one after the other: the leases of the next batch must not wait for what one reader has to catch up.
                if consumer.answering is None or consumer.answering.done():
                    consumer.answering = asyncio.create_task(_answer(consumer, epoch, seen))


@dataclass(frozen=True)
class _Seen:
    seqs: dict[int, int]  # agent → number of the last event of their feed
    live: set[tuple[int, int]]  # (agent, epoch) whose lease was renewed
    welcome: set[int]  # agents who may be here
    sessions: set[str]  # that exist
    tokens: set[int]  # that exist
    tickets: dict[int, int]  # held ticket → number of its last event


async def _answer(consumer: AgentConsumer, epoch: int | None, seen: _Seen) -> None:
    agent_id = consumer.agent.pk
    try:
        if not _may_stay(consumer, seen):
            await consumer.leave(CLOSE_SIGNED_OUT)
            return
        if not consumer.admitted:
            return
        alive = epoch is not None and (agent_id, epoch) in seen.live
        seq = seen.seqs.get(agent_id, 0)
        await consumer.transmit(
            {"type": "heartbeat", "data": {"stream": consumer.own, "seq": seq, "shift": alive}}
        )
        await consumer.listen_again()
        if consumer.resumed:
            await consumer.catch_up(consumer.own, seq)
            for name, ticket_id in list(consumer.tickets.items()):
                await consumer.catch_up(name, seen.tickets.get(ticket_id, 0))
    except Exception:
        logger.debug("beats: agent %s is gone", agent_id, exc_info=True)


def _may_stay(consumer: AgentConsumer, seen: _Seen) -> bool:
    """Whether they are signed in still, by what they came with, and neither disabled nor suspended."""
    consumer.looked_at = time.monotonic()
    if consumer.agent.pk not in seen.welcome:
        return False
    if consumer.token_id is not None:
        return consumer.token_id in seen.tokens
    return consumer.session_key in seen.sessions


def _look(batch: list[tuple[AgentConsumer, int | None]]) -> _Seen:
    """What the database says of those who beat. Four queries; one more each for renewals, tokens and held tickets."""
    beats = [(consumer.agent.pk, epoch) for consumer, epoch in batch]
    agents = {agent_id for agent_id, _epoch in beats}
    wanted = {(agent_id, epoch) for agent_id, epoch in beats if epoch is not None}
    shifts = {
        (agent_id, epoch): pk
        for pk, agent_id, epoch in Shift.objects.filter(
            agent_id__in=agents, ended_at__isnull=True
        ).values_list("pk", "agent_id", "epoch")
        if (agent_id, epoch) in wanted
    }
    renewed = presence.beats(shifts.values()) if shifts else set()
    live = {who for who, pk in shifts.items() if pk in renewed}
    welcome = set(
        Agent.objects.filter(pk__in=agents, user__is_active=True)
        .exclude(status=AgentStatus.SUSPENDED)
        .values_list("pk", flat=True)
    )
    keys = {consumer.session_key for consumer, _ in batch if consumer.session_key is not None}
    sessions = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=Now()).values_list(
            "session_key", flat=True
        )
    )
    shown = {consumer.token_id for consumer, _ in batch if consumer.token_id is not None}
    tokens = account_tokens_alive(shown) if shown else set()
    # The numbers last: whatever the renewals above have written is in them.
    seqs = dict(Feed.objects.filter(agent_id__in=agents).values_list("agent_id", "last_seq"))
    held = {ticket_id for consumer, _ in batch for ticket_id in list(consumer.tickets.values())}
    rows = Ticket.objects.filter(pk__in=held).values_list("pk", "last_seq") if held else []
    return _Seen(seqs, live, welcome, sessions, tokens, dict(rows))


_beats = _Beats()
