"""Who is free is looked for before a ticket comes; whoever has come or left since is found all the same."""

import time
from typing import Any

import pytest

from agents.models import Pool
from dispatch import meanwhile, presence, routes, runs, sight, tasks
from dispatch.alone import alone
from dispatch.models import Offer, Route, RouteStep
from dispatch.sight import Coming, people_ahead
from tests.cast import World
from tickets import intake, kept, lifecycle, writing
from tickets.models import Channel, Ticket, Topic

pytestmark = pytest.mark.django_db(transaction=True)  # within one nobody is waited for


@pytest.fixture(autouse=True)
def nobody_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "_ahead", {})
    monkeypatch.setattr(sight, "AHEAD_SECONDS", 60.0)  # on a busy machine a test may take long
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


def look(world: World) -> None:
    """As a matcher does after a run."""
    writing.keep(writing.take())
    people_ahead(world.pool.pk, routes.routes())


def run(world: World, ticket: Ticket | None = None) -> list[str]:
    """The run of a ticket that comes, or another one; to whom offers are made, by name."""
    coming = None if ticket is None else Coming.of(ticket, 5)
    made = runs.match_pool(world.pool.pk, wait=False, coming=coming)
    names = list(Offer.objects.order_by("pk").values_list("agent__name", flat=True))
    return names[len(names) - made :]


def test_a_tickets_run_takes_those_who_were_free_a_moment_ago(world: World, looks: list[int]) -> None:
    online(world, "Anna")
    look(world)
    assert looks == [world.pool.pk]
    assert run(world, world.ticket()) == ["Anna"]
    assert looks == [world.pool.pk]
    assert runs.calm == {world.pool.pk}
    # Once: they have an offer now.
    assert run(world, world.ticket()) == []
    assert looks == [world.pool.pk] * 2
    assert runs.calm == set()


@pytest.mark.parametrize(("topic", "priority"), [("refund", 0), ("refund", 3), ("", 0)])
def test_a_ticket_that_comes_is_seen_as_it_will_be(world: World, topic: str, priority: int) -> None:
    """Before it is written, as after it."""
    online(world, "Anna")
    Topic.objects.filter(key=topic).update(priority=priority)
    kept.forget()
    text = "Guten Tag, ich habe eine Frage zu meiner Rechnung."
    ticket = intake.ticket_open(text=text, topic_key=topic, channel=Channel.FORM).ticket
    plan, pool_id = routes.routes(), world.pool.pk
    with alone(pool_id, wait=True) as hold:
        seen = sight.see(pool_id, plan, hold.lock)
    assert seen is not None
    [read] = seen.tickets
    coming = Coming.of(ticket, 1)
    assert coming[1:] == (ticket.pk, world.refund.pk if topic else None, "de", priority)
    assert coming.row()._replace(waited=read.waited) == read


def test_they_are_as_old_as_they_are(world: World) -> None:
    online(world, "Anna")
    look(world)
    before = sight._ahead[world.pool.pk].people
    later = sight._later(before, 2.5, {0})
    assert (later.idle - before.idle).tolist() == [2.5]
    assert later.seen_at == before.seen_at + 2.5
    assert later.id.tolist() == before.id.tolist() == [world.agents["Anna"].pk]


def test_who_has_left_meanwhile_gets_nothing_and_the_ticket_somebody_else(
    world: World, looks: list[int]
) -> None:
    online(world, "Anna")
    look(world)
    presence.go_offline(agent_id=world.agents["Anna"].pk, epoch=1)
    online(world, "Bernd")  # of whom no run has heard yet
    assert run(world, world.ticket()) == ["Bernd"]
    assert looks == [world.pool.pk] * 2


def test_who_cannot_take_it_does_not_hide_who_has_come(world: World) -> None:
    presence.go_online(agent_id=world.agent("Anna", payments=0).pk)
    look(world)
    online(world, "Bernd")
    ticket = world.ticket()
    assert run(world, ticket) == ["Bernd"]
    ticket.refresh_from_db()
    assert ticket.flagged_at is None


def test_whatever_else_asks_for_a_run_has_it_look_anew(world: World, looks: list[int]) -> None:
    online(world, "Anna")
    look(world)
    online(world, "Bernd")
    world.ticket()
    assert sorted(run(world)) == ["Anna", "Bernd"]
    assert looks == [world.pool.pk] * 2
    assert sight._ahead == {}


def test_who_was_seen_too_long_ago_is_looked_for_anew(
    world: World, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    online(world, "Anna")
    look(world)
    now = time.monotonic()
    monkeypatch.setattr(sight.time, "monotonic", lambda: now + 60.1)
    assert run(world, world.ticket()) == ["Anna"]
    assert looks == [world.pool.pk] * 2


def test_where_nobody_is_free_nothing_is_kept(world: World) -> None:
    online(world, "Anna")
    look(world)
    assert list(sight._ahead) == [world.pool.pk]
    presence.go_offline(agent_id=world.agents["Anna"].pk, epoch=1)
    look(world)
    assert sight._ahead == {}


def test_where_a_ticket_waits_no_other_is_taken_for_the_only_one(world: World) -> None:
    """The older one goes first."""
    older = world.ticket()
    online(world, "Anna")
    look(world)
    assert sight._ahead == {}
    assert run(world, world.ticket()) == ["Anna"]
    assert Offer.objects.get().ticket == older


def test_a_ticket_that_is_gone_gets_nothing(world: World) -> None:
    online(world, "Anna")
    look(world)
    ticket = world.ticket()
    lifecycle.ticket_close(ticket=ticket)
    assert run(world, ticket) == []
    assert runs.calm == {
        world.pool.pk
    }  # as after each accept, whose rivals are free again: a matcher looks for them


@pytest.mark.parametrize("later", [False, True], ids=["not its pool", "not yet its pool"])
def test_a_ticket_that_the_pool_does_not_take_as_far_as_is_known_is_not_foreseen(
    world: World, later: bool
) -> None:
    """Its route has just been changed, and another process knows it already: the run reads, and the queue says whose it is."""
    online(world, "Anna")
    ticket = world.ticket()
    coming = Coming.of(ticket, 5)
    Ticket.objects.update(state="closed", closed_at="2026-01-01T00:00Z")
    look(world)
    ahead = dict(sight._ahead)
    assert sight.foreseen(world.pool.pk, routes.routes(), coming) is not None
    second = Pool.objects.create(key="second", name_en="Second", name_de="Zweite")
    route = Route.objects.get(topic=world.refund)
    if later:
        RouteStep.objects.create(route=route, pool=world.pool, after_seconds=60)
    Route.objects.filter(topic=world.refund).update(pool=second)
    kept.forget()
    sight._ahead.update(ahead)
    assert sight.foreseen(world.pool.pk, routes.routes(), coming) is None


def test_behind_a_pooler_nothing_is_foreseen(world: World, looks: list[int], settings: Any) -> None:
    """There a run is a transaction from its begin, and waits for nobody else's."""
    settings.DATABASE_PREPARE = False
    online(world, "Anna")
    look(world)
    assert run(world, world.ticket()) == ["Anna"]
    assert looks == [world.pool.pk] * 2


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
    tasks.match(world.pool.pk)
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
        tasks.match(world.pool.pk)
    assert [timer.cancelled for timer in timers] == [True, False]


def test_it_does_not_look_where_nothing_could_be_foreseen(
    world: World, timers: list[Timer], settings: Any
) -> None:
    settings.DATABASE_PREPARE = False
    online(world, "Anna")
    world.ticket()
    tasks.match(world.pool.pk)
    assert Offer.objects.count() == 1
    assert timers == []


def test_it_does_not_look_where_tickets_wait_in_vain(world: World, timers: list[Timer]) -> None:
    world.ticket()
    tasks.match(world.pool.pk)
    assert timers == []


def test_a_look_that_fails_is_the_last_one(
    world: World, timers: list[Timer], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from django.db import OperationalError

    def broken(*_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(meanwhile, "people_ahead", broken)
    online(world, "Anna")
    world.ticket()
    tasks.match(world.pool.pk)
    timers[0].act()
    assert len(timers) == 1
    assert caplog.messages[-1].startswith("nobody was looked for in pool")
