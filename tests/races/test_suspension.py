"""Suspended while going online: whoever is suspended has no open shift, whichever comes first."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from agents.errors import NotAdmitted
from agents.models import Agent, Shift, User
from dispatch import presence
from dispatch.suspension import suspend
from tests.cast import World
from tests.races.conftest import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def suspended_while_going_online(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Anna goes online after the decision is written and before it is committed. Returns both outcomes."""
    anna = world.agent("Anna")
    boss = User.objects.create_superuser("boss@standby.example", "secret")
    written = threading.Event()
    force = presence.shift_force

    def force_late(*, agent_id: int) -> bool:
        ended = force(agent_id=agent_id)
        written.set()
        for _ in range(500):  # until the other one waits for us
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
                )
                if cursor.fetchone()[0]:
                    return ended
            time.sleep(0.01)
        raise AssertionError("nobody waits")

    def online() -> Shift:
        assert written.wait(10)
        return presence.go_online(agent_id=anna.pk)

    monkeypatch.setattr(presence, "shift_force", force_late)
    return together(lambda: suspend(agent_id=anna.pk, by=boss, reason="Looked into"), online)


def test_whoever_is_suspended_does_not_come_online(
    world: World, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    _decision, went = suspended_while_going_online(world, monkeypatch)
    assert isinstance(went, NotAdmitted)
    assert not Shift.objects.exists()
    invariants_hold()


def test_control_without_the_lock_they_do(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    _decision, went = suspended_while_going_online(world, monkeypatch)
    assert isinstance(went, Shift)
    assert Agent.objects.get().status == "suspended"
    assert Shift.objects.filter(ended_at=None).exists()
