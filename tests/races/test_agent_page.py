"""The admin's page of an agent is saved while somebody suspends them: the suspension stands, and makes no member."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from agents.models import Agent, Pool, User
from dispatch import presence
from dispatch.backoffice.saving import Saving
from dispatch.suspension import suspend
from tests.cast import World
from tests.dispatch.backoffice.test_saving import agent_form
from tests.races.conftest import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def saved_while_suspended(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page is saved after the decision is written and before it is committed. Returns the page's answer."""
    anna = world.agent("Anna")
    second = Pool.objects.create(key="second", name_en="Second line", name_de="Zweite Reihe")
    boss = User.objects.create_superuser("boss@standby.example", "secret")
    client = Client()
    client.force_login(boss)
    form = agent_form(anna, units=50, pools=[world.pool.pk, second.pk])
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

    def save() -> Any:
        assert written.wait(10)
        return client.post(reverse("admin:agents_agent_change", args=[anna.pk]), form)

    monkeypatch.setattr(presence, "shift_force", force_late)
    decision, answer = together(lambda: suspend(agent_id=anna.pk, by=boss, reason="Looked into"), save)
    assert not isinstance(decision, Exception), decision
    assert not isinstance(answer, Exception), answer
    return answer


def stands() -> tuple[str, int, list[str]]:
    anna = Agent.objects.get(name="Anna")
    return anna.status, anna.units, sorted(anna.pools.values_list("key", flat=True))


def test_whoever_is_suspended_stays_so_and_joins_no_pool(
    world: World, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    answer = saved_while_suspended(world, monkeypatch)
    assert answer.status_code == 200
    assert "Who is not admitted can be in no pool." in answer.content.decode()
    assert stands() == ("suspended", 100, ["first"])
    invariants_hold()


def test_control_without_the_lock_they_join(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    assert saved_while_suspended(world, monkeypatch).status_code == 302
    assert stands() == ("suspended", 50, ["first", "second"])


def test_control_with_all_columns_saved_the_suspension_is_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    monkeypatch.setattr(Saving, "save_model", admin.ModelAdmin.save_model)
    assert saved_while_suspended(world, monkeypatch).status_code == 302
    assert stands()[0] == "admitted"
