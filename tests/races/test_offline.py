"""Go-offline against a matching run: nobody who has left gets an offer. Two runs at once: no ticket twice."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F

from agents.models import Shift
from agents.shifts import lease_renew
from dispatch import presence, runs
from dispatch.models import Offer
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def interleave(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Any]) -> None:
    """Let `meanwhile` happen, committed, between what a run reads and what it writes."""
    solve = runs.solve

    def solve_slowly(*args: Any, **kwargs: Any) -> Any:
        solution = solve(*args, **kwargs)
        thread = threading.Thread(target=lambda: together(meanwhile))
        thread.start()
        thread.join(20)
        return solution

    monkeypatch.setattr(runs, "solve", solve_slowly)


def test_who_goes_offline_while_a_run_solves_gets_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    agent = world.agent("Anna")
    shift = presence.go_online(agent_id=agent.pk)
    world.ticket()
    interleave(monkeypatch, lambda: presence.go_offline(agent_id=agent.pk, epoch=shift.epoch))
    assert match_pool(world.pool.pk) == 0
    assert Offer.objects.count() == 0
    assert Shift.objects.get().state == "ended"
    invariants_hold()


def test_control_without_the_look_an_absent_agent_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = world.agent("Anna")
    shift = presence.go_online(agent_id=agent.pk)
    world.ticket()
    interleave(monkeypatch, lambda: presence.go_offline(agent_id=agent.pk, epoch=shift.epoch))
    monkeypatch.setattr(runs, "WRITE", runs.WRITE.replace(runs.STILL_FREE, "true"))
    assert match_pool(world.pool.pk) == 1
    assert Offer.objects.filter(state="pending", shift__state="ended").count() == 1


def test_offline_against_match_at_once(world: World, invariants_hold: Callable[[], None]) -> None:
    agent = world.agent("Anna")
    for _ in range(12):
        shift = presence.go_online(agent_id=agent.pk)
        world.ticket()
        together(
            lambda: match_pool(world.pool.pk),
            lambda shift=shift: presence.go_offline(agent_id=agent.pk, epoch=shift.epoch),
        )
        assert not Offer.objects.filter(state="pending").exists()
        invariants_hold()


def test_two_runs_at_once_offer_each_ticket_once(world: World, invariants_hold: Callable[[], None]) -> None:
    for name in ("Anna", "Bernd", "Cem", "Dana"):
        presence.go_online(agent_id=world.agent(name).pk)
    for _ in range(4):
        world.ticket()
    outcomes = together(*[lambda: match_pool(world.pool.pk)] * 3)
    assert sorted(outcomes) == [0, 0, 4]
    assert Offer.objects.filter(state="pending").values("ticket").distinct().count() == 4
    invariants_hold()


def test_a_beat_against_the_end_of_the_lease(world: World, invariants_hold: Callable[[], None]) -> None:
    agent = world.agent("Anna")
    shift = presence.go_online(agent_id=agent.pk)
    for _ in range(8):
        from agents.models import Lease

        Lease.objects.update(expires_at=F("beat_at"))
        together(presence.leases_end, lambda: lease_renew(shift_ids=[shift.pk]))
        presence.beats([shift.pk])  # the next beat sets right whichever came first
        fresh = Shift.objects.get(pk=shift.pk)
        assert (fresh.lost_at, fresh.state) == (None, "online")
        invariants_hold()
