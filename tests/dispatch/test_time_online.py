"""What counts as an hour online: being there for offers. No pause, not finishing, not while the connection is lost."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from agents.models import Agent, EntryKind, Lease, Shift
from agents.pay import credit
from dispatch import presence, queue
from dispatch.models import FeedEvent, Standing
from tests.cast import World
from tests.forcing import force_offline
from tests.invariants import broken
from tests.practising import begin, make_applicant, make_script, resolve

pytestmark = pytest.mark.django_db
MOMENTS = ("started_at", "online_since", "lost_at")


def passes(minutes: int, agent: Agent | None = None) -> None:
    """So much time, for their shift or all."""
    shifts = Shift.objects.filter(agent=agent) if agent else Shift.objects.all()
    shifts.update(**{name: F(name) - timedelta(minutes=minutes) for name in MOMENTS})


def online() -> tuple[int, bool]:
    """(whole minutes of the only shift that were counted, whether it counts on)."""
    shift = Shift.objects.get()
    return round(shift.online_seconds / 60), shift.online_since is not None


def hours() -> dict[str, float]:
    queue.standings_refresh()
    return dict(Standing.objects.values_list("agent__name", "hours"))


@pytest.fixture
def anna(world: World) -> Agent:
    agent = world.agent("Anna")
    presence.go_online(agent_id=agent.pk)
    return agent


@pytest.mark.parametrize("leave", [presence.pause, presence.finish])
def test_neither_a_pause_nor_finishing_counts(anna: Agent, leave) -> None:  # type: ignore[no-untyped-def]
    assert online() == (0, True)
    passes(30)
    leave(agent_id=anna.pk, epoch=1)
    assert online() == (30, False)
    passes(180)
    assert hours() == pytest.approx({"Anna": 0.5}, rel=0.01)
    presence.go_online(agent_id=anna.pk)
    presence.go_online(agent_id=anna.pk)  # a second tab
    assert online() == (30, True)
    passes(60)
    assert hours() == pytest.approx({"Anna": 1.5}, rel=0.01)
    presence.go_offline(agent_id=anna.pk, epoch=1)
    assert online() == (90, False)
    assert not broken(_rows)


def test_another_reason_of_a_pause_is_the_same_pause(anna: Agent) -> None:
    passes(10)
    for reason in ("", "lunch", "telephone"):
        presence.pause(agent_id=anna.pk, epoch=1, reason=reason)
        passes(10)
    assert online() == (10, False)


def lose(minutes_of_lease: int = 0) -> None:
    Lease.objects.update(expires_at=Now() - timedelta(minutes=minutes_of_lease))
    assert presence.leases_end() == 1


def test_a_lost_connection_does_not_count(world: World, anna: Agent) -> None:
    passes(20)
    lose()
    assert online() == (20, False)
    passes(5)
    presence.beat(agent_id=anna.pk, epoch=1)
    assert online() == (20, True)
    passes(10)
    lose()
    passes(1)
    assert presence.graces_end() == 1  # who holds nothing needs no grace
    assert online() == (30, False)
    assert not broken(_rows)


def test_who_was_lost_in_a_pause_counts_again_when_online(anna: Agent) -> None:
    passes(20)
    presence.pause(agent_id=anna.pk, epoch=1)
    lose()
    passes(20)
    presence.beat(agent_id=anna.pk, epoch=1)
    assert online() == (20, False)  # found, and paused as before
    lose()
    presence.go_online(agent_id=anna.pk)
    passes(5)
    presence.pause(agent_id=anna.pk, epoch=1)
    assert online() == (25, False)
    assert not broken(_rows)


def test_nothing_is_counted_of_who_is_offline_or_practises(world: World, anna: Agent) -> None:
    make_script(world.refund)
    passes(60)
    force_offline(shift_id=Shift.objects.get().pk)
    assert online() == (60, False)
    passes(60)
    one = begin(make_applicant(world))
    passes(60)
    resolve(one)
    assert [(round(shift.online_seconds), shift.online_since) for shift in Shift.objects.order_by("pk")] == [
        (3600, None),
        (0, None),
    ]
    assert not broken(_rows)


def test_who_paused_is_not_taken_for_under_paid(world: World) -> None:
    """Both were online for an hour and earned the same; one then paused for three."""
    for name in ("Anna", "Bernd"):
        agent = world.agent(name)
        presence.go_online(agent_id=agent.pk)
        credit(
            agent_id=agent.pk,
            kind=EntryKind.TICKET,
            amount_cents=400,
            currency="EUR",
            reference=name,
            memo="",
        )
    passes(60)
    presence.pause(agent_id=world.agents["Anna"].pk, epoch=1)
    presence.go_offline(agent_id=world.agents["Bernd"].pk, epoch=1)
    presence.go_online(agent_id=world.agents["Bernd"].pk)
    passes(180, world.agents["Anna"])
    assert hours() == pytest.approx({"Anna": 1.0, "Bernd": 1.0}, rel=0.01)
    share = dict(Standing.objects.values_list("agent__name", "share"))
    assert share == pytest.approx({"Anna": 1.0, "Bernd": 1.0}, rel=0.01)


def test_of_a_long_shift_no_more_counts_than_lies_in_the_window(anna: Agent) -> None:
    passes(24 * 60 * 10)
    assert hours() == pytest.approx({"Anna": 7 * 24.0}, rel=0.001)


def test_shifts_of_before_get_what_their_events_say(world: World, anna: Agent) -> None:
    """The UPDATEs of the two migrations: all of the time, then what was told of it."""
    bernd = world.agent("Bernd")
    presence.go_online(agent_id=bernd.pk)
    presence.go_offline(agent_id=bernd.pk, epoch=1)
    presence.pause(agent_id=anna.pk, epoch=1)
    presence.go_online(agent_id=anna.pk)
    Shift.objects.update(started_at=Now() - timedelta(minutes=100), online_seconds=0, online_since=None)
    Shift.objects.filter(agent=bernd).update(ended_at=Now() - timedelta(minutes=40))
    with connection.cursor() as cursor:
        cursor.execute(import_module("agents.migrations.0020_time_online").FORWARD)
    found = {shift.agent.name: shift for shift in Shift.objects.select_related("agent")}
    assert [round(found[name].online_seconds / 60) for name in ("Anna", "Bernd")] == [100, 60]
    assert [found[name].online_since is not None for name in ("Anna", "Bernd")] == [True, False]

    told = FeedEvent.objects.filter(agent=anna, type="shift.changed")
    for seq, minutes in ((1, 100), (2, 70), (3, 30)):
        told.filter(seq=seq).update(created_at=Now() - timedelta(minutes=minutes))
    with connection.cursor() as cursor:
        cursor.execute(import_module("dispatch.migrations.0044_time_online_of_before").FORWARD)
    shift = Shift.objects.get(agent=anna)
    assert (round(shift.online_seconds / 60), shift.online_since) == (30, told.get(seq=3).created_at)
    assert hours() == pytest.approx({"Anna": 1.0}, rel=0.01)
    assert not broken(_rows)


def _rows(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
