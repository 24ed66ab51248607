"""Who is free is looked for before a ticket comes; whoever has come or left since is found all the same."""

import time
from typing import Any

import pytest

from dispatch import meanwhile, presence, runs, sight, tasks
from dispatch.models import Offer
from dispatch.sight import AHEAD_SECONDS, people_ahead
from tests.cast import World
from tickets import lifecycle, writing

pytestmark = pytest.mark.django_db(transaction=True)  # within one nobody is waited for


@pytest.fixture(autouse=True)
def nobody_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "_ahead", {})
    monkeypatch.setattr(runs, "calm", set())


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pools whose people were read, in the order of the looks."""
    found: list[int] = []
    read = sight._people

    def noted(pool_id: int, *more: Any) -> Any:
        found.append(pool_id)
        return read(pool_id, *more)

    monkeypatch.setattr(sight, "_people", noted)
    return found


def online(world: World, *names: str) -> None:
    for name in names:
        presence.go_online(agent_id=world.agent(name).pk)


def run(world: World, *, written: bool = True) -> list[str]:
    """A ticket's run, or another one; to whom offers are made, by name."""
    made = runs.match_pool(world.pool.pk, wait=False, writer=writing.process() if written else None)
    names = list(Offer.objects.order_by("pk").values_list("agent__name", flat=True))
    return names[len(names) - made :]


def test_a_tickets_run_takes_those_who_were_free_a_moment_ago(world: World, looks: list[int]) -> None:
    online(world, "Anna")
    people_ahead(world.pool.pk)
    assert looks == [world.pool.pk]
    world.ticket()
    assert run(world) == ["Anna"]
    assert looks == [world.pool.pk]
    assert runs.calm == {world.pool.pk}
    # Once: they have an offer now.
    world.ticket()
    assert run(world) == []
    assert looks == [world.pool.pk] * 2
    assert runs.calm == set()


def test_they_are_as_old_as_they_are(world: World) -> None:
    online(world, "Anna")
    people_ahead(world.pool.pk)
    before = sight._ahead[world.pool.pk].people
    later = sight._later(before, before.seen_at + 2.5, {0})
    assert (later.idle - before.idle).tolist() == [2.5]
    assert later.seen_at == before.seen_at + 2.5
    assert later.id.tolist() == before.id.tolist() == [world.agents["Anna"].pk]


def test_who_has_left_meanwhile_gets_nothing_and_the_ticket_somebody_else(
    world: World, looks: list[int]
) -> None:
    online(world, "Anna")
    people_ahead(world.pool.pk)
    presence.go_offline(agent_id=world.agents["Anna"].pk, epoch=1)
    online(world, "Bernd")  # of whom no run has heard yet
    world.ticket()
    assert run(world) == ["Bernd"]
    assert looks == [world.pool.pk] * 2


def test_who_cannot_take_it_does_not_hide_who_has_come(world: World) -> None:
    presence.go_online(agent_id=world.agent("Anna", payments=0).pk)
    people_ahead(world.pool.pk)
    online(world, "Bernd")
    ticket = world.ticket()
    assert run(world) == ["Bernd"]
    ticket.refresh_from_db()
    assert ticket.flagged_at is None


def test_whatever_else_asks_for_a_run_has_it_look_anew(world: World, looks: list[int]) -> None:
    online(world, "Anna")
    people_ahead(world.pool.pk)
    online(world, "Bernd")
    world.ticket()
    assert sorted(run(world, written=False)) == ["Anna", "Bernd"]
    assert looks == [world.pool.pk] * 2
    assert sight._ahead == {}


def test_who_was_seen_too_long_ago_is_looked_for_anew(
    world: World, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    online(world, "Anna")
    people_ahead(world.pool.pk)
    now = time.monotonic()
    monkeypatch.setattr(sight.time, "monotonic", lambda: now + AHEAD_SECONDS + 0.1)
    world.ticket()
    assert run(world) == ["Anna"]
    assert looks == [world.pool.pk] * 2


def test_where_nobody_is_free_nothing_is_kept(world: World) -> None:
    online(world, "Anna")
    people_ahead(world.pool.pk)
    assert list(sight._ahead) == [world.pool.pk]
    presence.go_offline(agent_id=world.agents["Anna"].pk, epoch=1)
    people_ahead(world.pool.pk)
    assert sight._ahead == {}


def test_a_ticket_that_is_gone_gets_nothing(world: World) -> None:
    online(world, "Anna")
    people_ahead(world.pool.pk)
    lifecycle.ticket_close(ticket=world.ticket())
    assert run(world) == []
    assert runs.calm == {
        world.pool.pk
    }  # as after each accept, whose rivals are free again: a matcher looks for them


# --- When a matcher looks ------------------------------------------------------------------------------------------------


class Timer:
    def __init__(self, seconds: float, act: Any) -> None:
        self.seconds, self.act, self.cancelled = seconds, act, False

    def cancel(self) -> None:
        self.cancelled = True


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[Timer]:
    """What a matcher's loop is to do later."""
    found: list[Timer] = []

    class Loop:
        def call_later(self, seconds: float, act: Any) -> Timer:
            found.append(Timer(seconds, act))
            return found[-1]

    monkeypatch.setattr(meanwhile, "get_event_loop", Loop)
    monkeypatch.setattr(meanwhile, "_looking", {})
    monkeypatch.setattr(meanwhile, "seen_store_soon", lambda: None)
    monkeypatch.setattr(meanwhile, "close_old_connections", lambda: None)  # would take the test's own
    return found


def test_it_looks_for_two_seconds_after_a_run(world: World, timers: list[Timer]) -> None:
    online(world, "Anna")
    world.ticket()
    tasks.match(world.pool.pk, 1)
    assert Offer.objects.count() == 1
    for timer in timers:  # each look asks for the next one
        timer.act()
    assert [timer.seconds for timer in timers] == [
        meanwhile.LOOK_SECONDS,
        *[meanwhile.LOOK_AGAIN_SECONDS] * 7,
    ]
    assert sum(timer.seconds for timer in timers) == pytest.approx(1.765)
    assert meanwhile._looking == {}


def test_it_does_not_look_while_runs_follow_each_other(world: World, timers: list[Timer]) -> None:
    online(world, "Anna", "Bernd", "Clara", "Dora")
    runs.match_pool(world.pool.pk)
    for _ in range(2):
        world.ticket()
        Offer.objects.update(state="declined", answered_at="2026-01-01T00:00Z", ended_at="2026-01-01T00:00Z")
        tasks.match(world.pool.pk, 1)
    assert [timer.cancelled for timer in timers] == [True, False]


def test_it_does_not_look_where_tickets_wait_in_vain(world: World, timers: list[Timer]) -> None:
    world.ticket()
    tasks.match(world.pool.pk, 1)
    assert timers == []


def test_a_look_that_fails_is_the_last_one(
    world: World, timers: list[Timer], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from django.db import OperationalError

    def broken(_pool: int) -> None:
        raise OperationalError

    monkeypatch.setattr(meanwhile, "people_ahead", broken)
    online(world, "Anna")
    world.ticket()
    tasks.match(world.pool.pk, 1)
    timers[0].act()
    assert len(timers) == 1
    assert caplog.messages[-1].startswith("nobody was looked for in pool")
