"""What runs saw is stored when there is time for it: at once, or by a matcher once a second."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

import pytest
from kombu.transport import redis

from config.celery import QoS
from dispatch import decisions, meanwhile, presence, seen, tasks
from dispatch.models import Run
from tests.cast import World

pytestmark = pytest.mark.django_db


class Loop:
    """Of a worker: what it is asked to do later."""

    def __init__(self) -> None:
        self.later: list[tuple[float, Any]] = []

    def call_later(self, seconds: float, act: Any) -> Any:
        self.later.append((seconds, act))
        return self.later[-1]


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr(meanwhile, "get_event_loop", lambda: loop)
    monkeypatch.setattr(meanwhile, "_storing", [])
    monkeypatch.setattr(meanwhile, "people_look_soon", lambda _pool: None)
    monkeypatch.setattr(meanwhile, "close_old_connections", lambda: None)  # would take the test's own
    return loop


def run(world: World, name: str) -> None:
    presence.go_online(agent_id=world.agent(name).pk)
    world.ticket()
    tasks.match(world.pool.pk)


def test_without_a_worker_it_is_stored_at_once(world: World) -> None:
    run(world, "Anna")
    assert decisions.replay(Run.objects.get()).verdict == "same"


def test_a_matcher_stores_once_a_second_what_all_its_runs_saw(
    world: World, loop: Loop, django_assert_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    run(world, "Anna")
    run(world, "Bernd")
    runs = list(Run.objects.all())
    assert [bytes(one.snapshot) for one in runs] == [b"", b""]
    assert "not there" in decisions.replay(runs[0]).detail
    assert [seconds for seconds, _act in loop.later] == [
        meanwhile.PACKED_SECONDS,
        meanwhile.SEEN_SECONDS,
        meanwhile.PACKED_SECONDS,
    ]
    pack, act = loop.later[0][1], loop.later[1][1]
    with django_assert_num_queries(0):
        pack()  # of the first; the second is not packed when it is stored, and its turn finds nothing left to do
    assert not Run.objects.exclude(snapshot=b"").exists()
    with django_assert_num_queries(1):
        act()
        pack()
    assert [decisions.replay(one).verdict for one in Run.objects.all()] == ["same", "same"]
    # and the next run asks anew
    run(world, "Clara")
    assert [seconds for seconds, _act in loop.later[3:]] == [meanwhile.PACKED_SECONDS, meanwhile.SEEN_SECONDS]
    assert seen.store() == 1


def test_a_busy_matcher_does_not_pile_it_up(
    world: World, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "MOST", 2)
    run(world, "Anna")
    assert not Run.objects.exclude(snapshot=b"").exists()
    run(world, "Bernd")
    assert Run.objects.exclude(snapshot=b"").count() == 2


def test_nothing_is_acknowledged_that_kombu_has_no_record_of(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(redis.QoS, "ack", lambda _self, tag: told.append(tag))
    assert redis.Channel.QoS is QoS
    qos = QoS(SimpleNamespace(do_restore=False))
    qos._delivered["kept"] = object()
    for tag in ("taken for good", "kept"):
        qos.ack(tag)
    assert told == ["kept"]
