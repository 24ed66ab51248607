"""Races run in real threads on real PostgreSQL, each thread with a connection of its own."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from dispatch import presence, sight
from tests.cast import World

Outcome = Any  # what the function returned, or the exception that it raised


def together(*functions: Callable[[], Any]) -> list[Outcome]:
    """Run all at the same moment, each in a thread; returns results or exceptions in the order of the functions."""
    outcomes: list[Outcome] = [None] * len(functions)
    start = threading.Barrier(len(functions))

    def run(place: int) -> None:
        start.wait(10)
        try:
            outcomes[place] = functions[place]()
        except Exception as error:  # noqa: BLE001  the outcome is what the test looks at
            outcomes[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a racer hangs: a deadlock, or a lock that nobody gives back"
    return outcomes


def waiting_for_locks() -> int:
    """How many sessions of this database wait for a lock; also within a transaction, which sees them as they first were."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture
def racers(world: World) -> World:
    """The small world, for threads."""
    return world


@pytest.fixture
def staffed(world: World) -> World:
    """The small world with Anna online."""
    presence.go_online(agent_id=world.agent("Anna").pk)
    return world


@pytest.fixture
def patient_foresight() -> Iterator[None]:
    """A test on a busy machine may take longer than what was looked for ahead is good for."""
    with pytest.MonkeyPatch.context() as patch:  # of its own, since tests undo theirs
        patch.setattr(sight, "AHEAD_SECONDS", 60.0)
        yield
