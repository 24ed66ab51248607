"""A bell that rings before its offers are written is heard meanwhile, and whoever heard it waits for them: nobody sees what
might not stay. With a control that does not wait, and with a commit that fails."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from django.db import OperationalError, connection

from agents.models import Shift
from dispatch import consumers, feed, presence, runs
from dispatch.models import FeedEvent, Offer, OfferState, Run
from tests.cast import World
from tests.races.ahead import failing, nobody_waits
from tests.races.conftest import together, waiting_for_locks
from tests.waiting import until
from tickets import bell, writing
from tickets import redis as tickets_redis

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race, pytest.mark.usefixtures("broker")]


class Ear:
    """The loop of _look_all(): what is granted."""

    def __init__(self) -> None:
        self.frames: list[Any] = []

    def call_soon_threadsafe(self, function: Callable[..., None], *given: Any) -> None:
        self.frames.append(given[0])


def listener(world: World, name: str) -> tuple[consumers.AgentConsumer, Any]:
    agent = world.agents[name]
    consumer = consumers.AgentConsumer()
    consumer.agent, consumer.own = agent, feed.stream_of(agent.pk)
    after = feed.last_seq(agent)
    return consumer, consumers._Wish(consumer, after, asyncio.Future(loop=asyncio.new_event_loop()))


def looked_before_the_commit(
    staffed: World,
    monkeypatch: pytest.MonkeyPatch,
    *,
    waits: bool = True,
    committed: bool = True,
    heard: bool = True,
) -> list[Any]:
    """A run writes an offer when whoever was rung for waits, or has looked. The frames that they get in the end."""
    staffed.ticket()
    ear = Ear()

    def look(writer: int | None) -> None:
        try:
            consumers._look_all([listener(staffed, "Anna")[1]], ear, writer)  # type: ignore[arg-type]
        finally:
            connection.close()

    readers: list[threading.Thread] = []

    @contextmanager
    def ahead(streams: Any, writer: int) -> Iterator[set[str]]:
        assert list(streams) == [feed.stream_of(staffed.agents["Anna"].pk)]
        readers.append(threading.Thread(target=look, args=(writer if waits else None,)))
        readers[0].start()
        waiting = waiting_for_locks if waits and heard else lambda: False
        until(lambda: waiting() or not readers[0].is_alive(), "the reader waits, or is through")
        yield set(streams) if heard else set()

    monkeypatch.setattr(bell, "ahead", ahead)
    if not committed:
        monkeypatch.setattr(writing, "commit", failing)
    with nullcontext() if committed else pytest.raises(OperationalError):
        runs.match_pool(staffed.pool.pk)
    readers[0].join(10)
    return [[frame["type"] for frame in frames] for frames in ear.frames]


def test_who_hears_the_bell_before_the_commit_waits_for_it(
    staffed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PATIENCE", "10s")
    assert looked_before_the_commit(staffed, monkeypatch) == [["offer.made"]]


def test_control_who_does_not_wait_finds_nothing(staffed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_before_the_commit(staffed, monkeypatch, waits=False) == [[]]


def test_who_waits_for_offers_that_hang_looks_without_them(
    staffed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is rung for again after the commit, since that was late."""
    rung: list[str] = []
    monkeypatch.setattr(bell, "_publish", lambda messages: rung.extend(stream for stream, _ in messages))
    monkeypatch.setattr(writing, "PATIENCE", "1ms")
    assert looked_before_the_commit(staffed, monkeypatch, heard=False) == [[]]
    assert rung.count(feed.stream_of(staffed.agents["Anna"].pk)) == 1


@pytest.mark.parametrize(
    ("answers", "late", "again"), [([1], False, 0), ([0], False, 1), ([1], True, 1), (None, False, 1)]
)
def test_who_did_not_hear_in_time_is_rung_for_after_the_commit(
    staffed: World, monkeypatch: pytest.MonkeyPatch, answers: list[int] | None, late: bool, again: int
) -> None:
    """No process listened for them: their socket may be just coming back, and has seen how things were. Or the commit took
    longer than they wait, or Redis does not answer."""
    rung: list[str] = []
    monkeypatch.setattr(bell, "_publish", lambda messages: rung.extend(stream for stream, _ in messages))
    monkeypatch.setattr(bell, "around", lambda _: nullcontext(tickets_redis.Around(answers, late)))
    staffed.ticket()
    rung.clear()
    assert runs.match_pool(staffed.pool.pk) == 1
    assert rung.count(feed.stream_of(staffed.agents["Anna"].pk)) == again


def test_a_commit_that_fails_leaves_no_offer_and_the_pool_free(
    staffed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PATIENCE", "10s")
    assert looked_before_the_commit(staffed, monkeypatch, committed=False) == [[]]
    assert (
        Offer.objects.count(),
        Run.objects.count(),
        FeedEvent.objects.filter(type="offer.made").count(),
    ) == (0, 0, 0)
    assert Shift.objects.get().units_taken == 0
    nobody_waits()
    monkeypatch.undo()
    assert together(lambda: runs.match_pool(staffed.pool.pk, wait=False)) == [1]


def test_a_bell_without_a_number_skips_none(staffed: World) -> None:
    """It rang for a commit that failed: the next event is sent with its own number."""
    consumer, wish = listener(staffed, "Anna")
    asked: list[tuple[int, int | None]] = []

    async def frames(_name: str, after: int, writer: int | None = None) -> list[Any]:
        asked.append((after, writer))
        return []

    async def hear() -> None:
        for writer in (5, None):
            message = {"type": "bell", "stream": consumer.own, "seq": bell.UNKNOWN}
            await consumer.bell(message if writer is None else message | {"writer": writer})

    consumer.frames = frames  # type: ignore[method-assign]
    consumer.after[consumer.own] = wish.after
    asyncio.run(hear())
    # Who does not know of writers, a process before an upgrade, hears nothing in it.
    assert asked == [(wish.after, 5)]
    assert consumer.after == {consumer.own: wish.after}


def test_who_waits_for_offers_that_hang_holds_up_nobody(
    staffed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More matchers than there may be looks at the same time."""
    monkeypatch.setattr(writing, "PATIENCE", "10s")
    consumer, wish = listener(staffed, "Anna")
    other = connection.copy()

    async def db(function: Callable[..., Any], *given: Any, threads: Any = None) -> Any:
        assert (threads is not None) == (function.args[2] is not None)  # type: ignore[attr-defined]

        def act() -> Any:
            try:
                return function(*given)
            finally:
                connection.close()

        return await asyncio.to_thread(act)

    monkeypatch.setattr(consumers, "db", db)

    async def read() -> list[Any]:
        feeds = consumers._Feeds()
        waiting = [asyncio.create_task(feeds.read(consumer, 0, writer)) for writer in (17, 18, 19)]
        await asyncio.sleep(0)
        quick = await feeds.read(consumer, 0)
        assert feeds.looking.keys() >= {17, 18, 19}
        assert not any(one.done() for one in waiting)
        other.connection.rollback()  # the driver itself: Django wants no database within a loop
        others = [await one for one in waiting]
        await asyncio.gather(*[task for tasks in feeds.looking.values() for task in tasks])
        assert feeds.looking == {}
        return [quick, *others]

    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            for writer in (17, 18, 19):
                cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [writing.LOCK_CLASS, writer])
            found = asyncio.run(read())
    finally:
        other.close()
    assert [[frame["seq"] for frame in frames] for frames in found] == [list(range(1, wish.after + 1))] * 4


def test_the_first_choice_hears_first(staffed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Bernd", "Clara"):
        presence.go_online(agent_id=staffed.agent(name).pk)
    rung: list[tuple[str, list[str], int]] = []

    @contextmanager
    def ahead(streams: Any, _writer: int) -> Iterator[set[str]]:
        rung.append(("ahead", list(streams), committed()))
        yield set(streams)

    def committed() -> int:
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM dispatch_offer")
                return int(cursor.fetchone()[0])
        finally:
            other.close()

    monkeypatch.setattr(bell, "ahead", ahead)
    monkeypatch.setattr(
        bell, "_ring_now", lambda bells: rung.append(("after", [one for one, _ in bells], committed()))
    )
    ticket = staffed.ticket()
    rung.clear()
    assert runs.match_pool(staffed.pool.pk) == 3
    first, *others = Offer.objects.filter(state=OfferState.PENDING).order_by("pk")
    assert [one.why["round"] for one in (first, *others)] == [1, 2, 3]
    assert rung == [
        ("ahead", [feed.stream_of(first.agent_id)], 0),
        ("after", [*sorted(feed.stream_of(one.agent_id) for one in others), ticket.stream], 3),
    ]
