"""Runs of two pools that share an agent, and an agent who goes online while a run commits. Both were found by a replay."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from agents.models import Agent, Pool, Shift
from dispatch import presence, runs
from dispatch.models import Offer, Route, RouteStep, Run
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together, waiting_for_locks
from tests.waiting import until
from tickets.models import Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def second(world: World) -> Pool:
    """A second pool, for cards; Anna is in both, and a ticket waits in each."""
    pool = Pool.objects.create(key="second", name_en="Second line", name_de="Zweite Reihe")
    Route.objects.filter(topic=world.card).update(pool=pool)
    anna = world.agent("Anna")
    anna.pools.add(pool)
    presence.go_online(agent_id=anna.pk)
    world.ticket()
    world.ticket(topic=world.card)
    return pool


def meanwhile_once(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Let `act` happen, committed, between what the first run reads and what it writes."""
    solve = runs.solve
    left = [act]

    def solve_slowly(*args: Any, **kwargs: Any) -> Any:
        solution = solve(*args, **kwargs)
        if left:
            thread = threading.Thread(target=together, args=(left.pop(),))
            thread.start()
            thread.join(20)
        return solution

    monkeypatch.setattr(runs, "solve", solve_slowly)


def test_runs_of_two_pools_offer_one_thing_to_one_agent(
    world: World, second: Pool, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    meanwhile_once(monkeypatch, lambda: match_pool(second.pk))
    assert match_pool(world.pool.pk) == 0
    offer = Offer.objects.get()
    assert offer.ticket.topic == world.card
    assert Shift.objects.get().units_taken == offer.units
    assert Run.objects.count() == 1
    invariants_hold()


def test_control_without_the_second_look_the_constraint_has_to_stop_it(
    world: World, second: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "WRITE", runs.WRITE.replace(runs.STILL_FREE, "true"))
    meanwhile_once(monkeypatch, lambda: match_pool(second.pk))
    with pytest.raises(Exception, match="offer_one_pending_an_agent"):
        match_pool(world.pool.pk)


@pytest.fixture
def shared(world: World) -> Pool:
    """A second pool, with Zoe; a ticket waits that both pools may take. Anna is in the first."""
    pool = Pool.objects.create(key="second", name_en="Second line", name_de="Zweite Reihe")
    RouteStep.objects.create(route=Route.objects.get(topic=world.refund), after_seconds=1, pool=pool)
    for name, of in (("Anna", world.pool), ("Zoe", pool)):
        agent = world.agent(name)
        agent.pools.set([of])
        presence.go_online(agent_id=agent.pk)
    world.ticket()
    Ticket.objects.update(waiting_since=Now() - timedelta(seconds=5))
    return pool


def test_runs_of_two_pools_offer_a_ticket_once(
    world: World, shared: Pool, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    meanwhile_once(monkeypatch, lambda: match_pool(shared.pk))
    assert match_pool(world.pool.pk) == 0
    assert Offer.objects.get().agent.name == "Zoe"
    invariants_hold()


def test_control_without_the_second_look_at_the_ticket_both_offer_it(
    world: World, shared: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "WRITE", runs.WRITE.replace(runs.STILL_WAITING, "true"))
    meanwhile_once(monkeypatch, lambda: match_pool(shared.pk))
    assert match_pool(world.pool.pk) == 1
    assert Offer.objects.count() == 2


GATE = 7_302_119  # an advisory lock


def write_while(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> list[Any]:
    """Let `act` begin when a run has locked the shifts and not written yet; returns the list of its outcome.

    The run waits at a gate, within its own statement, until `act` waits for it.
    """
    locks, gate = runs._locks, (f"SELECT pg_advisory_xact_lock({GATE})", [])
    monkeypatch.setattr(runs, "_locks", lambda *which: [*locks(*which), gate])
    outcome: list[Any] = []
    shut = threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [GATE])
            shut.set()
            until(lambda: waiting_for_locks() >= 1, "the race: the run does not wait at the gate")
            acting = threading.Thread(target=lambda: outcome.extend(together(act)))
            acting.start()
            until(lambda: waiting_for_locks() >= 2, "the race: nobody waits for the run")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [GATE])
            acting.join(30)

    threading.Thread(target=together, args=(hold,)).start()
    assert shut.wait(10)
    return outcome


def _until(outcome: list[Any]) -> Any:
    until(lambda: outcome, "the race's outcome")
    return outcome[0]


def test_who_goes_online_while_a_run_writes_waits_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    world.ticket()
    outcome = write_while(monkeypatch, lambda: presence.go_online(agent_id=anna.pk))
    assert match_pool(world.pool.pk) == 1
    shift = _until(outcome)
    assert isinstance(shift, Shift)
    assert shift.units_taken == 30
    invariants_hold()


def test_control_with_a_full_lock_on_the_agent_both_wait_for_each_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    world.ticket()

    def go_online_with_full_lock() -> Shift:
        with transaction.atomic():
            agent = Agent.objects.select_for_update().get(pk=anna.pk)
            return Shift.objects.select_for_update().get(agent=agent)

    outcome = write_while(monkeypatch, go_online_with_full_lock)
    try:
        match_pool(world.pool.pk)
        ours: Any = None
    except OperationalError as error:
        ours = error
    assert "deadlock" in f"{ours} {_until(outcome)}"
