"""Random walks through offers and shifts (offer_machine.py), and what they find when a guard is taken away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import agents.errors
import agents.shifts
from agents.models import Shift
from dispatch import desk, offers, presence, runs
from dispatch.models import Offer, Policy, Route
from dispatch.rules import offers as rules
from tests.cast import World
from tests.dispatch.offer_machine import UNITS, OffersAndShifts
from tests.dispatch.offer_model import AGAIN, ANSWER, GRACE, LEASE, TICKET_UNITS

pytestmark = pytest.mark.django_db


QUICK = settings(
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    phases=(Phase.generate,),  # each step is a journey to the database: shrinking would take minutes
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def machine(world: World, monkeypatch: pytest.MonkeyPatch) -> type[OffersAndShifts]:
    monkeypatch.setattr(agents.shifts, "LEASE", timedelta(seconds=LEASE))
    for room in (rules, runs):
        monkeypatch.setattr(room, "AGAIN_SECONDS", AGAIN)
    for name, units in UNITS.items():
        world.agent(name, units=units)
    Route.objects.update(units=TICKET_UNITS, offer_seconds=ANSWER, known_seconds=0)
    Policy.objects.create(pool=world.pool, version=1, grace_seconds=GRACE)
    return type("Given", (OffersAndShifts,), {"world": world})


def test_offers_and_shifts_do_what_the_model_does(machine: type[OffersAndShifts]) -> None:
    run_state_machine_as_test(machine, settings=settings(QUICK, max_examples=30, stateful_step_count=30))


def any_shift(*, agent_id: int, epoch: int) -> Shift:
    shift = Shift.objects.filter(agent_id=agent_id, ended_at__isnull=True).first()
    if shift is None:
        raise agents.errors.ShiftEnded
    return shift


REMOVED: dict[str, list[tuple[Any, str, Any]]] = {
    "the deadline": [(offers, "_already_answered", lambda offer_id, *_: Offer.objects.get(pk=offer_id))],
    "the epoch": [(room, "shift_locked", any_shift) for room in (presence, offers, desk)],
    "that a pause takes offers back": [(presence, "pending_revoke", lambda *_: None)],
    "that an end gives units back": [(offers, "units_free", lambda *_, **__: None)],
}


@pytest.mark.parametrize("guard", REMOVED)
def test_control_without_a_guard_it_fails(
    machine: type[OffersAndShifts], monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    for room, name, instead in REMOVED[guard]:
        assert hasattr(room, name)
        monkeypatch.setattr(room, name, instead)
    with pytest.raises((AssertionError, IntegrityError)):
        run_state_machine_as_test(machine, settings=settings(QUICK, max_examples=50, stateful_step_count=30))


def test_control_without_the_look_for_a_holder_of_before_it_fails(
    machine: type[OffersAndShifts], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too rare to wait for: a held ticket is closed while nobody listens, opened again, and accepted by somebody else."""

    def walk() -> None:
        one = machine()
        try:
            one.begin()
            one.answer(number=0, kind="this", stranger=None, yes=True, run=False)
            for does in ("closes", "reopens"):
                one.customer(number=0, heard=False, does=does, run=False)
            one.match(dies=False)
            one.answer(number=0, kind="this", stranger=None, yes=True, run=False)
            one.as_modelled()
        finally:
            one.teardown()

    walk()
    monkeypatch.setattr(offers, "_end_left_over", lambda *_: None)
    with pytest.raises((AssertionError, IntegrityError)):
        walk()
