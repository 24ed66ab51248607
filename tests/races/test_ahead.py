"""What is asked for and rung before it is written is read after its commit: the next step is on its way meanwhile, and nobody
sees what might not stay. Each with a control that does not wait, and with a commit that fails."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import Any
from unittest.mock import ANY

import pytest
import redis
from django.db import Error, InternalError, OperationalError, connection

from agents.models import Shift
from dispatch import alone, consumers, feed, presence, routes, runs, sight, tasks
from dispatch.models import FeedEvent, Offer, OfferState, Run
from dispatch.sight import Coming
from tests.cast import World
from tests.races.conftest import together, waiting_for_locks
from tests.untouched import nothing_changed
from tests.waiting import until
from tickets import bell, writing
from tickets import redis as tickets_redis
from tickets.models import Ticket
from tickets.signals import queue_changing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race, pytest.mark.usefixtures("broker")]


@pytest.fixture
def work(world: World) -> World:
    """Anna is online."""
    presence.go_online(agent_id=world.agent("Anna").pk)
    return world


# --- A run that is asked for before the ticket is written ------------------------------------------------------------------

# Whether people were looked for ahead: then the run does all but its writing before it waits, and reads no ticket.
FORESEEN = pytest.mark.parametrize("foreseen", [True, False], ids=["foreseen", "read"])
Told = Callable[[Ticket, int], Coming | None]
ANOTHER = 5  # number of a transaction that is over


def look_ahead(work: World, *, foreseen: bool) -> None:
    sight._ahead.clear()
    stocked()
    if foreseen:
        sight.people_ahead(work.pool.pk, routes.routes())
        assert list(sight._ahead) == [work.pool.pk]


def stocked() -> None:
    """As a matcher's connection after its first run."""
    writing.keep(writing.take())


def run_before_the_commit(work: World, monkeypatch: pytest.MonkeyPatch, told: Told) -> list[int]:
    """Open a ticket; a matcher begins its run before it is written, which is done when that waits or is through. Its offers."""
    offers: list[int] = []

    def match(coming: Coming | None) -> None:
        try:
            stocked()
            offers.append(runs.match_pool(work.pool.pk, wait=False, coming=coming))
        finally:
            connection.close()

    @contextmanager
    def ask(pool_ids: Any, writer: int, ticket: Ticket) -> Iterator[None]:
        assert list(pool_ids) == [work.pool.pk]
        matcher = threading.Thread(target=match, args=(told(ticket, writer),))
        matcher.start()
        until(lambda: waiting_for_locks() or not matcher.is_alive(), "the matcher waits, or is through")
        yield
        matcher.join(10)

    monkeypatch.setattr(tasks, "run_ask_ahead", ask)
    work.ticket()
    return offers


@FORESEEN
def test_a_run_waits_for_the_ticket_that_asked_for_it(
    work: World, monkeypatch: pytest.MonkeyPatch, foreseen: bool
) -> None:
    monkeypatch.setattr(writing, "PATIENCE", "10s")
    look_ahead(work, foreseen=foreseen)
    assert run_before_the_commit(work, monkeypatch, Coming.of) == [1]
    offer = Offer.objects.get()
    assert (offer.agent, offer.ticket) == (work.agents["Anna"], Ticket.objects.get())
    nobody_waits()


@FORESEEN
def test_control_a_run_that_does_not_wait_finds_nothing(
    work: World, monkeypatch: pytest.MonkeyPatch, foreseen: bool
) -> None:
    """Not for this transaction, but for another one."""
    look_ahead(work, foreseen=foreseen)
    assert run_before_the_commit(work, monkeypatch, lambda ticket, _: Coming.of(ticket, ANOTHER)) == [0]
    assert Ticket.objects.get().state == "waiting"
    assert (Offer.objects.count(), Run.objects.count(), Shift.objects.get().units_taken) == (0, 0, 0)
    assert runs.match_pool(work.pool.pk, wait=False) == 1


@FORESEEN
def test_a_writer_that_hangs_is_not_waited_for_long(
    work: World, monkeypatch: pytest.MonkeyPatch, foreseen: bool
) -> None:
    monkeypatch.setattr(writing, "PATIENCE", "50ms")
    look_ahead(work, foreseen=foreseen)
    ticket = work.ticket()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT pg_advisory_xact_lock(%s, 17)", [writing.LOCK_CLASS])
            assert runs.match_pool(work.pool.pk, wait=False, coming=Coming.of(ticket, 17)) == 1
    finally:
        other.close()
    nobody_waits()


def locks(kind: int) -> int:
    """Advisory locks of this class that are held in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.classid = %s",
            [kind],
        )
        return int(cursor.fetchone()[0])


def told() -> int:
    """Transactions that somebody would wait for: locks of numbers that are not in this connection's stock."""
    return locks(writing.LOCK_CLASS) - len(writing._stock.get(connection.connection, {}))


def nobody_waits() -> None:
    """Locks of a thread's connection go a moment after it was closed."""
    until(lambda: (locks(alone.LOCK_CLASS), told()) == (0, 0), "no lock is left but those in stock")


def test_who_has_waited_holds_nothing_and_waits_as_ever(work: World) -> None:
    """The lock is given back at once, and the patience is that of the connection again."""
    [(patience,)] = writing.planned_after(ANOTHER, "SELECT current_setting('lock_timeout')", [])
    assert patience == "0"
    nobody_waits()


def test_a_table_that_is_locked_for_long_leaves_no_pool_behind(
    work: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration's lock, after the pool's was taken: it is waited for, and the pool is free afterwards."""
    monkeypatch.setattr(writing, "PATIENCE", "50ms")
    runs.match_pool(work.pool.pk)  # what it wants to know is prepared and kept
    coming = Coming.of(work.ticket(), ANOTHER)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE agents_lease IN ACCESS EXCLUSIVE MODE")
            ended = threading.Timer(0.3, lambda: cursor.execute("ROLLBACK"))
            ended.start()
            assert runs.match_pool(work.pool.pk, wait=False, coming=coming) == 1
            ended.join()
    finally:
        other.close()
    nobody_waits()


def failing(*_: Any) -> None:
    raise OperationalError("the disk is full")


def test_a_commit_that_fails_leaves_no_ticket(
    work: World, monkeypatch: pytest.MonkeyPatch, broker: redis.Redis
) -> None:
    monkeypatch.undo()  # the run is asked for as ever
    with monkeypatch.context() as broken:
        broken.setattr(writing, "commit", failing)
        with nothing_changed(), pytest.raises(OperationalError):
            work.ticket()
    nobody_waits()
    [letter] = broker.lrange("match", 0, -1)  # it was asked for, by a writer whose transaction is over
    look_ahead(work, foreseen=True)
    tasks.match(*json.loads(base64.b64decode(json.loads(letter)["body"]))[0])
    assert (Offer.objects.count(), Run.objects.count(), Shift.objects.get().units_taken) == (0, 0, 0)


@contextmanager
def unentered() -> Iterator[None]:
    raise ZeroDivisionError
    yield


@pytest.mark.parametrize("answer", [lambda: 1 / 0, unentered], ids=["when asked", "when entered"])
def test_a_listener_that_fails_takes_no_ticket_with_it(
    work: World, monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Any]
) -> None:
    """And the others are told again, after the commit."""
    told: list[list[int]] = []
    monkeypatch.setattr(tasks, "run_ask", lambda pools: told.append(list(pools)))

    def broken(**_: Any) -> Any:
        return answer()

    queue_changing.connect(broken)
    try:
        ticket = work.ticket()
    finally:
        queue_changing.disconnect(broken)
    assert Ticket.objects.get() == ticket
    assert told == [[work.pool.pk]]


def test_a_query_of_a_listener_that_fails_spoils_nothing(work: World) -> None:
    """It is told before the transaction begins."""

    @contextmanager
    def spoils() -> Iterator[None]:
        with suppress(Error), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        yield

    def listener(**_: Any) -> Any:
        return spoils()

    queue_changing.connect(listener)
    try:
        assert work.ticket().pk == Ticket.objects.get().pk
    finally:
        queue_changing.disconnect(listener)


def test_a_transaction_that_is_spoilt_is_no_success(work: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL answers its COMMIT with a rollback, and no error."""
    commit = writing.commit

    def spoilt(*given: Any) -> None:
        with suppress(Error), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        commit(*given)

    with monkeypatch.context() as broken:
        broken.setattr(writing, "commit", spoilt)
        with nothing_changed(), pytest.raises(InternalError):
            work.ticket()
    nobody_waits()
    assert work.ticket().pk == Ticket.objects.get().pk


def test_a_commit_that_takes_long_is_told_once_more(
    work: World, monkeypatch: pytest.MonkeyPatch, broker: redis.Redis
) -> None:
    """Whoever waited for it may have given up."""
    monkeypatch.undo()
    monkeypatch.setattr(tickets_redis, "SOON_SECONDS", 0.0)
    asked: list[list[int]] = []
    monkeypatch.setattr(tasks, "run_ask", lambda pools: asked.append(list(pools)))
    work.ticket()
    assert (broker.llen("match"), asked) == (1, [[work.pool.pk]])
    rung: list[str] = []
    monkeypatch.setattr(bell, "_publish", lambda messages: rung.extend(stream for stream, _ in messages))
    assert runs.match_pool(work.pool.pk) == 1
    assert rung.count(feed.stream_of(work.agents["Anna"].pk)) == 1


def test_a_redis_that_was_away_is_asked_after_the_commit(
    work: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nobody's locks are held while it is waited for."""
    told: list[list[int]] = []
    monkeypatch.setattr(tasks, "run_ask", lambda pools: told.append(list(pools)))
    monkeypatch.setattr(tickets_redis, "_ill_until", time.monotonic() + 60)
    monkeypatch.setattr(tasks, "run_ask_ahead", failing)
    work.ticket()
    assert told == [[work.pool.pk]]
    rung: list[str] = []
    monkeypatch.setattr(bell, "_publish", lambda messages: rung.extend(stream for stream, _ in messages))
    assert runs.match_pool(work.pool.pk) == 1
    assert rung[0] == feed.stream_of(work.agents["Anna"].pk)


def test_a_run_that_reads_nothing_does_not_need_the_pool(work: World) -> None:
    """What it writes is checked, so another matcher may have the pool meanwhile."""
    presence.go_online(agent_id=work.agent("Bernd").pk)
    look_ahead(work, foreseen=True)
    ticket = work.ticket()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [alone.LOCK_CLASS, work.pool.pk])
            assert runs.match_pool(work.pool.pk, wait=False, coming=Coming.of(ticket, ANOTHER)) == 2
            assert locks(alone.LOCK_CLASS) == 1  # theirs is not given back
    finally:
        other.close()
    nobody_waits()
    assert set(Offer.objects.values_list("agent", flat=True)) == {one.pk for one in work.agents.values()}


def test_runs_that_foresee_the_same_people_take_nobody_twice(
    work: World, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    for name in ("Bernd", "Clara"):
        presence.go_online(agent_id=work.agent(name).pk)
    look_ahead(work, foreseen=True)
    people = sight._ahead[work.pool.pk].people

    def foreseen(_pool: int, coming: Coming) -> sight.Seen:
        return sight.Seen([coming.row()], sight._later(people, 0.0, {coming.topic_id or 0}))

    def match(coming: Coming) -> int:
        stocked()
        return runs.match_pool(work.pool.pk, coming=coming)

    monkeypatch.setattr(sight, "foreseen", foreseen)
    comings = [Coming.of(work.ticket(), ANOTHER) for _ in range(3)]
    assert sorted(together(*[partial(match, one) for one in comings])) == [0, 0, 3]
    assert len(set(Offer.objects.values_list("agent_id", flat=True))) == Offer.objects.count() == 3
    nobody_waits()
    invariants_hold()


def test_who_comes_behind_a_ticket_that_is_foreseen_is_not_forgotten(
    work: World, monkeypatch: pytest.MonkeyPatch, broker: redis.Redis
) -> None:
    """Its run reads nothing, so its message makes no other one needless but those of further tickets, until they are there."""
    monkeypatch.undo()
    for name in ("Bernd", "Clara", "Dora"):
        presence.go_online(agent_id=work.agent(name).pk)
    broker.flushdb()
    look_ahead(work, foreseen=True)
    first, second = work.ticket(), work.ticket()
    letters = [json.loads(one)["body"] for one in reversed(broker.lrange("match", 0, -1))]
    bodies = [json.loads(base64.b64decode(one))[0] for one in letters]
    assert bodies == [[work.pool.pk, [ANY, first.pk, work.refund.pk, "en", 0]], [work.pool.pk]]
    for body in bodies:
        tasks.match(*body)
    offered = [offer.ticket for offer in Offer.objects.order_by("pk")]
    assert offered == [first] * 3 + [second]


# --- A bell that is rung before the offer is committed -------------------------------------------------------------------


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
    work: World,
    monkeypatch: pytest.MonkeyPatch,
    *,
    waits: bool = True,
    committed: bool = True,
    late: bool = False,
) -> list[Any]:
    """A run writes an offer when whoever was rung for waits, or has looked. The frames that they get in the end."""
    work.ticket()
    ear = Ear()

    def look(writer: int | None) -> None:
        try:
            consumers._look_all([listener(work, "Anna")[1]], ear, writer)  # type: ignore[arg-type]
        finally:
            connection.close()

    readers: list[threading.Thread] = []

    @contextmanager
    def ahead(streams: Any, writer: int) -> Iterator[tickets_redis.Around]:
        assert list(streams) == [feed.stream_of(work.agents["Anna"].pk)]
        readers.append(threading.Thread(target=look, args=(writer if waits else None,)))
        readers[0].start()
        waiting = waiting_for_locks if waits and not late else lambda: False
        until(lambda: waiting() or not readers[0].is_alive(), "the reader waits, or is through")
        yield tickets_redis.Around([1], late)

    monkeypatch.setattr(bell, "ahead", ahead)
    if not committed:
        monkeypatch.setattr(writing, "commit", failing)
    with nullcontext() if committed else pytest.raises(OperationalError):
        runs.match_pool(work.pool.pk)
    readers[0].join(10)
    return [[frame["type"] for frame in frames] for frames in ear.frames]


def test_who_hears_the_bell_before_the_commit_waits_for_it(
    work: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PATIENCE", "10s")
    assert looked_before_the_commit(work, monkeypatch) == [["offer.made"]]


def test_control_who_does_not_wait_finds_nothing(work: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_before_the_commit(work, monkeypatch, waits=False) == [[]]


def test_who_waits_for_offers_that_hang_looks_without_them(
    work: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is rung for again after the commit, since that was late."""
    rung: list[str] = []
    monkeypatch.setattr(bell, "_publish", lambda messages: rung.extend(stream for stream, _ in messages))
    monkeypatch.setattr(writing, "PATIENCE", "1ms")
    assert looked_before_the_commit(work, monkeypatch, late=True) == [[]]
    assert rung.count(feed.stream_of(work.agents["Anna"].pk)) == 1


@pytest.mark.parametrize(("hearers", "again"), [(0, 1), (1, 0)])
def test_who_was_not_there_to_hear_is_rung_for_after_the_commit(
    work: World, monkeypatch: pytest.MonkeyPatch, hearers: int, again: int
) -> None:
    """Their socket may be just coming back, and has seen how things were."""
    rung: list[str] = []
    monkeypatch.setattr(bell, "_publish", lambda messages: rung.extend(stream for stream, _ in messages))
    monkeypatch.setattr(bell, "ahead", lambda *_: nullcontext(tickets_redis.Around([hearers])))
    work.ticket()
    rung.clear()
    assert runs.match_pool(work.pool.pk) == 1
    assert rung.count(feed.stream_of(work.agents["Anna"].pk)) == again


def test_a_commit_that_fails_leaves_no_offer_and_the_pool_free(
    work: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PATIENCE", "10s")
    assert looked_before_the_commit(work, monkeypatch, committed=False) == [[]]
    assert (
        Offer.objects.count(),
        Run.objects.count(),
        FeedEvent.objects.filter(type="offer.made").count(),
    ) == (0, 0, 0)
    assert Shift.objects.get().units_taken == 0
    nobody_waits()
    monkeypatch.undo()
    assert together(lambda: runs.match_pool(work.pool.pk, wait=False)) == [1]


def test_a_bell_without_a_number_skips_none(work: World) -> None:
    """It rang for a commit that failed: the next event is sent with its own number."""
    consumer, wish = listener(work, "Anna")
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


def test_who_waits_for_offers_that_hang_holds_up_nobody(work: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """More matchers than there may be looks at the same time."""
    monkeypatch.setattr(writing, "PATIENCE", "10s")
    consumer, wish = listener(work, "Anna")
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


def test_the_first_choice_hears_first(work: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Bernd", "Clara"):
        presence.go_online(agent_id=work.agent(name).pk)
    rung: list[tuple[str, list[str], int]] = []

    @contextmanager
    def ahead(streams: Any, _writer: int) -> Iterator[tickets_redis.Around]:
        rung.append(("ahead", list(streams), committed()))
        yield tickets_redis.Around([1])

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
    ticket = work.ticket()
    rung.clear()
    assert runs.match_pool(work.pool.pk) == 3
    first, *others = Offer.objects.filter(state=OfferState.PENDING).order_by("pk")
    assert [one.why["round"] for one in (first, *others)] == [1, 2, 3]
    assert rung == [
        ("ahead", [feed.stream_of(first.agent_id)], 0),
        ("after", [*sorted(feed.stream_of(one.agent_id) for one in others), ticket.stream], 3),
    ]
