"""Many book the last seats at once, and one person books more than the cap at once: neither is ever exceeded."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from dispatch import hours
from dispatch.errors import HourRefused
from dispatch.hours import hour_book, hour_drop
from dispatch.models import Booking, NeededHour, Policy
from dispatch.rules.booking import No
from tests.cast import World
from tests.races.conftest import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def needed(world: World, after: int, seats: int) -> int:
    begins = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1, hours=after)
    hour = NeededHour.objects.create(pool=world.pool, begins_at=begins, seats=seats)
    NeededHour.objects.update(made_at=timezone.now() - timedelta(days=30))
    return hour.pk


def test_seats_are_never_exceeded(world: World) -> None:
    Policy.objects.create(pool=world.pool, version=1)
    people = [world.agent(f"Racer{number}").pk for number in range(8)]
    for turn in range(3):
        hour_id = needed(world, turn, seats=3)
        outcomes = together(*[partial(hour_book, agent_id=who, hour_id=hour_id) for who in people])
        won = [one for one in outcomes if isinstance(one, Booking)]
        lost = [one.no for one in outcomes if isinstance(one, HourRefused)]
        assert (len(won), lost) == (3, [No.FULL] * 5)
        assert NeededHour.objects.get(pk=hour_id).taken == 3
        # and dropping at once gives each seat back once
        together(*[partial(hour_drop, agent_id=one.agent_id, hour_id=hour_id) for one in won * 2])
        assert NeededHour.objects.get(pk=hour_id).taken == 0


def test_control_without_the_condition_they_would_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look before and a write after: all see a free seat. The check is taken away too, which would refuse it."""
    Policy.objects.create(pool=world.pool, version=1)
    people = [world.agent(f"Racer{number}").pk for number in range(4)]
    hour_id = needed(world, 0, seats=1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE dispatch_neededhour DROP CONSTRAINT needed_hour_seats_never_exceeded")
    update = QuerySet.filter

    def unconditional(self: QuerySet[NeededHour], *args: object, **more: object) -> QuerySet[NeededHour]:
        more.pop("taken__lt", None)
        return update(self, *args, **more)

    monkeypatch.setattr(QuerySet, "filter", unconditional)
    monkeypatch.setattr(hours, "refusal", lambda *_: None)  # as all saw it before anybody wrote
    try:
        together(*[partial(hour_book, agent_id=who, hour_id=hour_id) for who in people])
        assert NeededHour.objects.get(pk=hour_id).taken == 4
    finally:
        monkeypatch.undo()
        Booking.objects.all().delete()
        NeededHour.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE dispatch_neededhour ADD CONSTRAINT needed_hour_seats_never_exceeded CHECK (taken <= seats)"
            )


def booked_at_once(world: World) -> int:
    Policy.objects.create(pool=world.pool, version=1, booking_cap=1, booking_days=20)
    anna = world.agent("Anna").pk
    monday, _end = hours.week_of(timezone.now() + timedelta(days=7))
    listed = [
        NeededHour.objects.create(pool=world.pool, begins_at=monday + timedelta(hours=number), seats=5).pk
        for number in range(4)
    ]
    NeededHour.objects.update(made_at=timezone.now() - timedelta(days=30))
    together(*[partial(hour_book, agent_id=anna, hour_id=which) for which in listed])
    return Booking.objects.count()


def test_the_cap_is_never_exceeded(world: World) -> None:
    assert booked_at_once(world) == 1


def test_control_without_the_lock_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    judged, gate = hours._judged, threading.Barrier(4)

    def judged_together(*args: object) -> object:
        found = judged(*args)  # type: ignore[arg-type]
        gate.wait(10)
        return found

    monkeypatch.setattr(hours, "_judged", judged_together)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    assert booked_at_once(world) == 4
