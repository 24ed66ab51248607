"""A run that is asked for before its ticket is written waits for it, whether it reads the ticket or foresees it: nobody sees
what might not stay. Each with a control that does not wait, and with a commit that fails."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from unittest.mock import ANY

import pytest
import redis
from django.db import Error, InternalError, OperationalError, connection

from agents.models import Shift
from dispatch import alone, feed, presence, runs, sight, tasks
from dispatch.models import Offer, Run
from dispatch.routes import Routes
from dispatch.sight import Coming
from tests.cast import World
from tests.races.ahead import ANOTHER, failing, locks, look_ahead, nobody_waits, stocked, told
from tests.races.conftest import together, waiting_for_locks
from tests.untouched import nothing_changed
from tests.waiting import until
from tickets import bell, writing
from tickets import redis as tickets_redis
from tickets.models import Ticket
from tickets.signals import queue_changing

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.race,
    pytest.mark.usefixtures("broker", "patient_foresight"),
]


# Whether people were looked for ahead: then the run does all but its writing before it waits, and reads no ticket.
FORESEEN = pytest.mark.parametrize("foreseen", [True, False], ids=["foreseen", "read"])
Told = Callable[[Ticket, int], Coming | None]


def run_before_the_commit(staffed: World, monkeypatch: pytest.MonkeyPatch, told: Told) -> list[int]:
    """Open a ticket; a matcher begins its run before it is written, which is done when that waits or is through. Its offers."""
    offers: list[int] = []

    def match(coming: Coming | None) -> None:
        try:
            stocked()
            offers.append(runs.match_pool(staffed.pool.pk, wait=False, coming=coming))
        finally:
            connection.close()

    @contextmanager
    def ask(pool_ids: Any, writer: int, ticket: Ticket) -> Iterator[None]:
        assert list(pool_ids) == [staffed.pool.pk]
        matcher = threading.Thread(target=match, args=(told(ticket, writer),))
        matcher.start()
        until(lambda: waiting_for_locks() or not matcher.is_alive(), "the matcher waits, or is through")
        yield
        matcher.join(10)

    monkeypatch.setattr(tasks, "run_ask_ahead", ask)
    staffed.ticket()
    return offers


@FORESEEN
def test_a_run_waits_for_the_ticket_that_asked_for_it(
    staffed: World, monkeypatch: pytest.MonkeyPatch, foreseen: bool
) -> None:
    monkeypatch.setattr(writing, "PATIENCE", "10s")
    look_ahead(staffed, foreseen=foreseen)
    assert run_before_the_commit(staffed, monkeypatch, Coming.of) == [1]
    offer = Offer.objects.get()
    assert (offer.agent, offer.ticket) == (staffed.agents["Anna"], Ticket.objects.get())
    nobody_waits()


@FORESEEN
def test_control_a_run_that_does_not_wait_finds_nothing(
    staffed: World, monkeypatch: pytest.MonkeyPatch, foreseen: bool
) -> None:
    """Not for this transaction, but for another one."""
    look_ahead(staffed, foreseen=foreseen)
    assert run_before_the_commit(staffed, monkeypatch, lambda ticket, _: Coming.of(ticket, ANOTHER)) == [0]
    assert Ticket.objects.get().state == "waiting"
    assert (Offer.objects.count(), Run.objects.count(), Shift.objects.get().units_taken) == (0, 0, 0)
    assert runs.match_pool(staffed.pool.pk, wait=False) == 1


@FORESEEN
def test_a_writer_that_hangs_is_not_waited_for_long(
    staffed: World, monkeypatch: pytest.MonkeyPatch, foreseen: bool
) -> None:
    monkeypatch.setattr(writing, "PATIENCE", "50ms")
    look_ahead(staffed, foreseen=foreseen)
    ticket = staffed.ticket()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT pg_advisory_xact_lock(%s, 17)", [writing.LOCK_CLASS])
            assert runs.match_pool(staffed.pool.pk, wait=False, coming=Coming.of(ticket, 17)) == 1
    finally:
        other.close()
    nobody_waits()


def test_who_has_waited_holds_nothing_and_waits_as_ever(staffed: World) -> None:
    """The lock is given back at once, and the patience is that of the connection again."""
    [(patience,)] = writing.planned_after(ANOTHER, "SELECT current_setting('lock_timeout')", [])
    assert patience == "0"
    nobody_waits()


def test_a_table_that_is_locked_for_long_leaves_no_pool_behind(
    staffed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration's lock, after the pool's was taken: it is waited for, and the pool is free afterwards."""
    monkeypatch.setattr(writing, "PATIENCE", "50ms")
    runs.match_pool(staffed.pool.pk)  # what it wants to know is prepared and kept
    coming = Coming.of(staffed.ticket(), ANOTHER)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE agents_lease IN ACCESS EXCLUSIVE MODE")
            ended = threading.Timer(0.3, lambda: cursor.execute("ROLLBACK"))
            ended.start()
            assert runs.match_pool(staffed.pool.pk, wait=False, coming=coming) == 1
            ended.join()
    finally:
        other.close()
    nobody_waits()


def test_a_commit_that_fails_leaves_no_ticket(
    staffed: World, monkeypatch: pytest.MonkeyPatch, broker: redis.Redis
) -> None:
    monkeypatch.undo()  # the run is asked for as ever
    with monkeypatch.context() as broken:
        broken.setattr(writing, "commit", failing)
        with nothing_changed(), pytest.raises(OperationalError):
            staffed.ticket()
    nobody_waits()
    [letter] = broker.lrange("match", 0, -1)  # it was asked for, by a writer whose transaction is over
    look_ahead(staffed, foreseen=True)
    tasks.match(*json.loads(base64.b64decode(json.loads(letter)["body"]))[0])
    assert (Offer.objects.count(), Run.objects.count(), Shift.objects.get().units_taken) == (0, 0, 0)


@contextmanager
def unentered() -> Iterator[None]:
    raise ZeroDivisionError
    yield


@pytest.mark.parametrize("answer", [lambda: 1 / 0, unentered], ids=["when asked", "when entered"])
def test_a_listener_that_fails_takes_no_ticket_with_it(
    staffed: World, monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Any]
) -> None:
    """And the others are told again, after the commit."""
    told: list[list[int]] = []
    monkeypatch.setattr(tasks, "run_ask", lambda pools: told.append(list(pools)))

    def broken(**_: Any) -> Any:
        return answer()

    queue_changing.connect(broken)
    try:
        ticket = staffed.ticket()
    finally:
        queue_changing.disconnect(broken)
    assert Ticket.objects.get() == ticket
    assert told == [[staffed.pool.pk]]


def test_a_query_of_a_listener_that_fails_spoils_nothing(staffed: World) -> None:
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
        assert staffed.ticket().pk == Ticket.objects.get().pk
    finally:
        queue_changing.disconnect(listener)


def test_a_transaction_that_is_spoilt_is_no_success(staffed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL answers its COMMIT with a rollback, and no error."""
    commit = writing.commit

    def spoilt(*given: Any) -> None:
        with suppress(Error), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        commit(*given)

    with monkeypatch.context() as broken:
        broken.setattr(writing, "commit", spoilt)
        with nothing_changed(), pytest.raises(InternalError):
            staffed.ticket()
    nobody_waits()
    assert staffed.ticket().pk == Ticket.objects.get().pk


def test_a_commit_that_takes_long_is_told_once_more(
    staffed: World, monkeypatch: pytest.MonkeyPatch, broker: redis.Redis
) -> None:
    """Whoever waited for it may have given up."""
    monkeypatch.undo()
    monkeypatch.setattr(tickets_redis, "SOON_SECONDS", 0.0)
    asked: list[list[int]] = []
    monkeypatch.setattr(tasks, "run_ask", lambda pools: asked.append(list(pools)))
    staffed.ticket()
    assert (broker.llen("match"), asked) == (1, [[staffed.pool.pk]])
    rung: list[str] = []
    monkeypatch.setattr(bell, "_publish", lambda messages: rung.extend(stream for stream, _ in messages))
    assert runs.match_pool(staffed.pool.pk) == 1
    assert rung.count(feed.stream_of(staffed.agents["Anna"].pk)) == 1


def test_a_redis_that_was_away_is_asked_after_the_commit(
    staffed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nobody's locks are held while it is waited for."""
    told: list[list[int]] = []
    monkeypatch.setattr(tasks, "run_ask", lambda pools: told.append(list(pools)))
    monkeypatch.setattr(tickets_redis, "_ill_until", time.monotonic() + 60)
    monkeypatch.setattr(tasks, "run_ask_ahead", failing)
    staffed.ticket()
    assert told == [[staffed.pool.pk]]
    rung: list[str] = []
    monkeypatch.setattr(bell, "_publish", lambda messages: rung.extend(stream for stream, _ in messages))
    assert runs.match_pool(staffed.pool.pk) == 1
    assert rung[0] == feed.stream_of(staffed.agents["Anna"].pk)


def test_a_run_that_reads_nothing_needs_the_pool_where_it_writes(staffed: World) -> None:
    """Another matcher has it: that one will hear that it is to look again."""
    runs.match_pool(staffed.pool.pk)  # which makes the pool's policy
    look_ahead(staffed, foreseen=True)
    ticket = staffed.ticket()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [alone.LOCK_CLASS, staffed.pool.pk])
            with nothing_changed(), pytest.raises(alone.PoolBusy):
                runs.match_pool(staffed.pool.pk, wait=False, coming=Coming.of(ticket, ANOTHER))
            assert (locks(alone.LOCK_CLASS), told()) == (1, 0)  # theirs is not given back
    finally:
        other.close()
    nobody_waits()
    assert runs.match_pool(staffed.pool.pk, wait=False) == 1


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "control"])
def test_a_run_that_foresees_and_takes_long_keeps_its_pool_and_no_other_matcher(
    staffed: World, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """It waits for Anna's row, which somebody has for long. Who else is asked for this pool is free for others."""
    if not kept:
        monkeypatch.setattr(
            alone, "_taken", lambda *_, **__: (f"SELECT set_config('{sight.ALONE}', 'true', false)", [])
        )
    look_ahead(staffed, foreseen=True)
    ticket = staffed.ticket()
    outcomes: list[Any] = []

    def match(coming: Coming | None) -> None:
        try:
            stocked()
            outcomes.append(runs.match_pool(staffed.pool.pk, wait=False, coming=coming))
        except alone.PoolBusy as busy:
            outcomes.append(busy)
        finally:
            connection.close()

    first = threading.Thread(target=match, args=(Coming.of(ticket, ANOTHER),))
    second = threading.Thread(target=match, args=(None,))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT 1 FROM agents_shift FOR UPDATE")
            first.start()
            until(lambda: waiting_for_locks() == 1, "the first run waits")
            second.start()
            if kept:
                second.join(30)
                assert [type(one) for one in outcomes] == [alone.PoolBusy]
            else:
                until(lambda: waiting_for_locks() == 2, "the second run waits too")
            cursor.execute("ROLLBACK")
    finally:
        other.close()
        first.join(30)
        second.join(30)
    assert sorted(one for one in outcomes if isinstance(one, int)) == ([1] if kept else [0, 1])
    nobody_waits()


def test_runs_that_foresee_the_same_people_take_nobody_twice(
    staffed: World, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    for name in ("Bernd", "Clara"):
        presence.go_online(agent_id=staffed.agent(name).pk)
    look_ahead(staffed, foreseen=True)
    people = sight._ahead[staffed.pool.pk].people

    def foreseen(_pool: int, _plan: Routes, coming: Coming) -> sight.Seen:
        return sight.Seen([coming.row()], sight._later(people, 0.0, {coming.topic_id or 0}))

    def match(coming: Coming) -> int:
        stocked()
        return runs.match_pool(staffed.pool.pk, coming=coming)

    monkeypatch.setattr(sight, "foreseen", foreseen)
    comings = [Coming.of(staffed.ticket(), ANOTHER) for _ in range(3)]
    assert sorted(together(*[partial(match, one) for one in comings])) == [0, 0, 3]
    assert len(set(Offer.objects.values_list("agent_id", flat=True))) == Offer.objects.count() == 3
    nobody_waits()
    invariants_hold()


def test_who_comes_behind_a_ticket_that_is_foreseen_is_not_forgotten(
    staffed: World, monkeypatch: pytest.MonkeyPatch, broker: redis.Redis
) -> None:
    """Its run reads nothing, so its message makes no other one needless but those of further tickets, until they are there."""
    monkeypatch.undo()
    for name in ("Bernd", "Clara", "Dora"):
        presence.go_online(agent_id=staffed.agent(name).pk)
    broker.flushdb()
    look_ahead(staffed, foreseen=True)
    first, second = staffed.ticket(), staffed.ticket()
    letters = [json.loads(one)["body"] for one in reversed(broker.lrange("match", 0, -1))]
    bodies = [json.loads(base64.b64decode(one))[0] for one in letters]
    assert bodies == [[staffed.pool.pk, [ANY, first.pk, staffed.refund.pk, "en", 0]], [staffed.pool.pk]]
    for body in bodies:
        tasks.match(*body)
    offered = [offer.ticket for offer in Offer.objects.order_by("pk")]
    assert offered == [first] * 3 + [second]
