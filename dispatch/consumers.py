"""An agent's socket: their own feed and the streams of the tickets they hold. Push only; beats keep the lease."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from channels.exceptions import StopConsumer
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.template.loader import render_to_string
from rest_framework.authtoken.models import Token

from agents.models import Agent, AgentStatus, Shift
from dispatch import cards, feed, presence
from dispatch.models import Feed, Offer, OfferState
from tickets import stream
from tickets.models import Ticket
from tickets.sockets import StreamConsumer, db

logger = logging.getLogger(__name__)

CLOSE_NO_AGENT = 4401
CLOSE_SIGNED_OUT = 4403
GATHER_SECONDS = 0.25  # beats of one process that come within this time are one statement

_ENDS = {"offer.completed", "offer.released"}


class AgentConsumer(StreamConsumer):
    """Streams: agent:<id>, and ticket:<public id> for each held ticket."""

    agent: Agent
    session_key: str | None = None

    async def admit(self) -> bool:
        agent = await db(self._agent)
        if agent is None:
            await self.accept()  # a close code reaches the browser only on an open socket
            await self.close(CLOSE_NO_AGENT)
            return False
        self.agent = agent
        self.own = feed.stream_of(agent.pk)
        self.tickets: dict[str, int] = {}  # stream of a held ticket → its id
        return True

    def _agent(self) -> Agent | None:
        """Who connects: by an API token in the header, else by the session."""
        headers = dict(self.scope["headers"])
        kind, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind == "Token":
            token = Token.objects.select_related("user").filter(key=key.strip()).first()
            user = token.user if token else None
        else:
            user = get_user(_Scope(self.scope["session"])) if "session" in self.scope else None  # type: ignore[arg-type]
            self.session_key = (
                self.scope["session"].session_key if user is not None and user.is_authenticated else None
            )
        if user is None or not user.is_authenticated or not user.is_active:
            return None
        self.language = user.language if self.language == "en" else self.language
        return Agent.objects.select_related("user").filter(user=user).first()

    async def resume(self, after: dict[str, int]) -> None:
        known = after.get(self.own)
        held = await db(self._held)
        if known is None:
            await self.too_old(self.own)
        else:
            await self.follow(self.own, known)
        for ticket in held:
            await self._take(ticket, after.get(ticket.stream))
        # What the agent held when the connection was lost, and no longer does, is told by their own stream's events.
        if known is not None:
            await self.catch_up(self.own, await db(self._own_seq))

    async def _take(self, ticket: Ticket, known: int | None) -> None:
        self.tickets[ticket.stream] = ticket.pk
        if known is None:
            await self.too_old(ticket.stream)
        else:
            await self.follow(ticket.stream, known)
            await self.catch_up(ticket.stream, ticket.last_seq)

    async def too_old(self, name: str) -> None:
        frame = await db(self._own_snapshot) if name == self.own else await db(self._ticket_snapshot, name)
        await self.follow(name, frame["seq"])
        await self.transmit(frame)

    async def push(self, frame: stream.Frame) -> None:
        await super().push(frame)
        if frame["stream"] == self.own and "ticket" in frame["data"]:
            name = f"ticket:{frame['data']['ticket']}"
            if frame["type"] in _ENDS:
                await self.unfollow(name)
                self.tickets.pop(name, None)
            elif name not in self.tickets and (ticket := await db(self._held_one, frame["data"]["ticket"])):
                await self._take(ticket, None)

    async def beat(self, frame: dict[str, Any]) -> None:
        epoch = frame.get("epoch")
        if epoch is not None and type(epoch) is not int:
            await self.error("bad_frame", "beat wants a whole number as epoch, or none when offline.")
            return
        await _beats.add(self, epoch)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  Channels' signature
        for name in list(self.after):
            await self.unfollow(name)
        raise StopConsumer

    def _held(self) -> list[Ticket]:
        return cards.held_tickets(self.agent.pk)

    def _held_one(self, public_id: str) -> Ticket | None:
        return next(
            (ticket for ticket in cards.held_tickets(self.agent.pk) if ticket.public_id == public_id), None
        )

    def _own_seq(self) -> int:
        return feed.last_seq(self.agent)

    def _own_snapshot(self) -> stream.Frame:
        return self.rendered(cards.agent_snapshot(self.agent, self.language))

    def _ticket_snapshot(self, name: str) -> stream.Frame:
        ticket = Ticket.objects.select_related("topic", "customer").get(pk=self.tickets[name])
        return self.rendered(stream.snapshot(ticket, staff=True))

    def read(self, name: str, after: int) -> list[stream.Frame] | None:
        if name == self.own:
            return feed.frames_after(self.agent.pk, after, self.language)
        # Between the bell and this look the ticket may have gone to somebody else: the holder is asked anew each time.
        ticket_id = self.tickets.get(name)
        if ticket_id is None:
            return []
        if not Offer.objects.filter(
            agent=self.agent, ticket_id=ticket_id, state=OfferState.ACCEPTED
        ).exists():
            return []
        return stream.frames_after(ticket_id, name, after, staff=True)

    def fragment(self, frame: stream.Frame) -> str:
        context: dict[str, Any] = {"frame": frame, "agent": self.agent, "socket": True}
        if frame["stream"] != self.own:
            context["ticket"] = Ticket.objects.select_related("topic", "customer").get(
                pk=self.tickets[frame["stream"]]
            )
            context["epoch"] = self._epoch()
            return render_to_string("dispatch/fragments/ticket_event.html", context)
        if frame["type"] in ("shift.changed", "snapshot", "offer.made"):
            context["shift"] = cards.open_shift(self.agent.pk)
        if frame["type"] in ("snapshot", "ledger.credited"):
            context["earnings"] = cards.earnings(self.agent.pk)
        return render_to_string("dispatch/fragments/agent_event.html", context)

    def _epoch(self) -> int:
        shift = cards.open_shift(self.agent.pk)
        return shift.epoch if shift else 0


class _Scope:
    """What get_user wants of a request: its session."""

    def __init__(self, session: Any) -> None:
        self.session = session


class _Beats:
    """Beats of all agents on this process, gathered: one statement renews their leases, one reads their numbers.

    The numbers find what a lost bell did not tell; and who has signed out, was disabled or suspended, is closed here.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[AgentConsumer, int | None]] = []
        self.flushing: asyncio.Task[None] | None = None

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
                seen = await db(
                    _look,
                    [(one.agent.pk, epoch) for one, epoch in batch],
                    [one.session_key for one, _ in batch],
                )
            except Exception:
                logger.exception("beats: the database does not answer")
                continue
            for consumer, epoch in batch:
                await _answer(consumer, epoch, seen)


@dataclass(frozen=True)
class _Seen:
    seqs: dict[int, int]  # agent → number of the last event of their feed
    live: set[tuple[int, int]]  # (agent, epoch) whose lease was renewed
    welcome: set[int]  # agents who may be here
    sessions: set[str]  # that exist


async def _answer(consumer: AgentConsumer, epoch: int | None, seen: _Seen) -> None:
    agent_id = consumer.agent.pk
    signed_out = consumer.session_key is not None and consumer.session_key not in seen.sessions
    try:
        if agent_id not in seen.welcome or signed_out:
            await consumer.close(CLOSE_SIGNED_OUT)
            return
        alive = epoch is not None and (agent_id, epoch) in seen.live
        seq = seen.seqs.get(agent_id, 0)
        await consumer.transmit(
            {"type": "heartbeat", "data": {"stream": consumer.own, "seq": seq, "shift": alive}}
        )
        if consumer.resumed:
            await consumer.catch_up(consumer.own, seq)
            for name, told in list((await db(_ticket_seqs, list(consumer.tickets.values()))).items()):
                await consumer.catch_up(name, told)
    except Exception:
        logger.debug("beats: agent %s is gone", agent_id, exc_info=True)


def _look(beats: list[tuple[int, int | None]], session_keys: Iterable[str | None]) -> _Seen:
    """What the database says of those who beat. Five queries."""
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
    seqs = dict(Feed.objects.filter(agent_id__in=agents).values_list("agent_id", "last_seq"))
    welcome = set(
        Agent.objects.filter(pk__in=agents, user__is_active=True)
        .exclude(status=AgentStatus.SUSPENDED)
        .values_list("pk", flat=True)
    )
    keys = {key for key in session_keys if key is not None}
    sessions = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=Now()).values_list(
            "session_key", flat=True
        )
    )
    return _Seen(seqs, live, welcome, sessions)


def _ticket_seqs(ticket_ids: list[int]) -> dict[str, int]:
    if not ticket_ids:
        return {}
    rows = Ticket.objects.filter(pk__in=ticket_ids).values_list("public_id", "last_seq")
    return {f"ticket:{public_id}": seq for public_id, seq in rows}


_beats = _Beats()
