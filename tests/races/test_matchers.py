"""Several matchers share the pools: one that finds its pool busy does not stand and wait, and nothing is lost by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from django.db import connection

from dispatch import alone, asking, presence, runs, tasks
from dispatch.models import Offer
from tests.cast import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race, pytest.mark.usefixtures("broker")]


@contextmanager
def busy(pool_id: int) -> Iterator[None]:
    """Somebody else runs the pool."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [alone.LOCK_CLASS, pool_id])
            yield
            cursor.execute("SELECT pg_advisory_unlock_all()")  # now, and not when the server hears of the end
    finally:
        other.close()


@pytest.fixture
def work(world: World, broker: redis.Redis) -> World:
    """Anna is online and a ticket waits; nobody has asked for a run yet."""
    presence.go_online(agent_id=world.agent("Anna").pk)
    world.ticket()
    broker.flushdb()
    return world


def test_a_busy_pool_is_left_to_who_runs_it(work: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    monkeypatch.setattr(tasks, "run_ask", asked.append)
    with busy(work.pool.pk):
        tasks.match(work.pool.pk)
        assert Offer.objects.count() == 0
        assert asked == []
    # Who ran it hears of it when they are through, and asks once more.
    tasks.match(work.pool.pk)
    assert Offer.objects.count() == 1
    assert asked == [[work.pool.pk]]
    # It is heard once: where nobody left word, a run asks for nothing.
    tasks.match(work.pool.pk)
    assert asked == [[work.pool.pk]]


def test_nothing_else_is_kept_waiting_by_a_busy_pool(work: World) -> None:
    """The lock that was not there to be had is not given back either: it is somebody else's."""
    with busy(work.pool.pk):
        with pytest.raises(alone.PoolBusy):
            runs.match_pool(work.pool.pk, wait=False)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted AND l.objid = %s",
                [work.pool.pk],
            )
            assert cursor.fetchone() == (1,)
    assert runs.match_pool(work.pool.pk, wait=False) == 1


def test_word_is_left_before_the_second_try(work: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one ends, and looks for word, just before it is left: then the second try finds the pool free."""
    _ends_before_the_word(work, monkeypatch)
    tasks.match(work.pool.pk)
    assert Offer.objects.count() == 1


def test_control_with_one_try_the_ticket_waits_for_the_tick(
    work: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ends_before_the_word(work, monkeypatch)
    try:
        runs.match_pool(work.pool.pk, wait=False)
    except alone.PoolBusy:
        asking.again_say(work.pool.pk)
    assert Offer.objects.count() == 0  # and nobody runs who could hear it


def _ends_before_the_word(work: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool is busy until a matcher begins to leave word."""
    running = busy(work.pool.pk)
    running.__enter__()
    say = asking.again_say

    def late(pool_id: int) -> Any:
        running.__exit__(None, None, None)
        assert asking.again_heard(pool_id) is False
        return say(pool_id)

    monkeypatch.setattr(asking, "again_say", late)
