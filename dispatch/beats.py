"""Beats of agents' sockets, and whether those who are connected may stay: for all sockets of this process together."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.sessions.models import Session
from django.db.models.functions import Now

from agents.models import Agent, AgentStatus, Shift
from agents.tokens import account_tokens_alive
from dispatch import presence
from dispatch.models import Feed
from tickets.models import Ticket
from tickets.sockets import db

if TYPE_CHECKING:
    from dispatch.consumers import AgentConsumer

logger = logging.getLogger(__name__)

CLOSE_SIGNED_OUT = 4403
GATHER_SECONDS = 0.25  # beats of one process that come within this time are one statement
QUIET_SECONDS = 10.0  # without a beat, after which a socket is looked at whose it is; clients beat each 5

# Leases live by the beats, so these do not queue behind what all the sockets have to read.
_beat_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="beats")


class Beats:
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
                except Exception:  # whoever has gone must not end the look at all others
                    logger.debug("beats: agent %s is gone", consumer.agent.pk, exc_info=True)

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


beats = Beats()
