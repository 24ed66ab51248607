"""How an agent's socket begins: nothing falls between its number and its bell, and the desk is read once."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connection

from agents.models import Agent
from agents.tokens import account_token_make
from dispatch import cards, feed, presence
from dispatch.beats import beats
from dispatch.consumers import AgentConsumer
from tests.cast import World
from tickets import bell
from tickets.sockets import _threads, db

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = _threads.most
Frames = list[dict[str, Any]]


@pytest.fixture
def anna(world: World, monkeypatch: pytest.MonkeyPatch) -> Agent:
    monkeypatch.setattr(bell, "_silent_until", 0.0)
    return world.agent("Anna")


@pytest.fixture
async def told(anna: Agent) -> AsyncIterator[Callable[[dict[str, int]], Any]]:
    """A function that connects as Anna, resumes from these numbers, and gives what comes until nothing more does."""
    sockets: list[ApplicationCommunicator] = []
    token = await db(lambda: account_token_make(user=anna.user))
    scope = {
        "type": "websocket",
        "path": "/ws/agent/",
        "query_string": b"",
        "headers": [(b"authorization", f"Token {token}".encode())],
    }

    async def resumed(after: dict[str, int]) -> Frames:
        socket = ApplicationCommunicator(AgentConsumer.as_asgi(), scope)  # type: ignore[no-untyped-call]
        sockets.append(socket)
        await socket.send_input({"type": "websocket.connect"})
        assert (await socket.receive_output(30))["type"] == "websocket.accept"
        text = json.dumps({"type": "resume", "after": after})
        await socket.send_input({"type": "websocket.receive", "text": text})
        frames = []
        while not await socket.receive_nothing(1.0):
            frames.append(json.loads((await socket.receive_output(30))["text"]))
        return frames

    yield resumed
    for one in sockets:
        await one.send_input({"type": "websocket.disconnect", "code": 1000})
        await one.wait(30)
    if beats.watching is not None:
        beats.watching.cancel()
    all_here = threading.Barrier(THREADS)  # so that each thread closes its own
    await asyncio.gather(*(db(closes, all_here) for _ in range(THREADS)))


def closes(all_here: threading.Barrier) -> None:
    all_here.wait(30)
    connection.close()


def goes_online(anna: Agent) -> None:
    presence.go_online(agent_id=anna.pk)


async def test_what_comes_after_the_number_was_read_rings(
    told: Callable[..., Any], anna: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = AgentConsumer._own_seq

    def and_then(self: AgentConsumer) -> int:
        seq = read(self)
        goes_online(anna)
        return seq

    monkeypatch.setattr(AgentConsumer, "_own_seq", and_then)
    frames = await told({feed.stream_of(anna.pk): 0})
    assert [(one["type"], one["seq"]) for one in frames] == [("shift.changed", 1)]


async def test_control_who_joins_after_reading_misses_it(
    told: Callable[..., Any], anna: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    join, read = AgentConsumer.follow, AgentConsumer._own_seq
    seqs: list[int] = []

    async def late(self: AgentConsumer, name: str, after: int) -> None:
        seqs.append(await db(read, self))
        await db(goes_online, anna)
        await join(self, name, after)

    monkeypatch.setattr(AgentConsumer, "follow", late)
    monkeypatch.setattr(AgentConsumer, "_own_seq", lambda _self: seqs[0])
    assert await told({feed.stream_of(anna.pk): 0}) == []


@pytest.mark.parametrize("after", [{}, {"known": 1}], ids=["a snapshot", "events"])
async def test_the_desk_is_read_once(
    told: Callable[..., Any], anna: Agent, monkeypatch: pytest.MonkeyPatch, after: dict[str, int]
) -> None:
    read, times = cards.on_desk, []

    def counted(*args: Any) -> list[cards.OnDesk]:
        times.append(args)
        return read(*args)

    await db(goes_online, anna)
    monkeypatch.setattr(cards, "on_desk", counted)
    frames = await told({feed.stream_of(anna.pk): seq for seq in after.values()})
    assert [one["type"] for one in frames] == ([] if after else ["snapshot"])
    assert times == [(anna.pk,)]
