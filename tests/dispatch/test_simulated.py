"""Simulated people: what they start ends with them."""

import asyncio
import inspect
from typing import Any

import pytest

from dispatch.demo.people import OTHERS
from dispatch.simulated import town
from dispatch.simulated.api import Refused
from dispatch.simulated.people import Errands, Pace, Tally


async def test_an_errand_that_is_stopped_before_its_first_step_is_closed() -> None:
    begun = []

    async def errand() -> None:
        begun.append(True)

    errands, waiting = Errands(Tally()), errand()
    errands.start(waiting)
    await errands.stop()
    assert inspect.getcoroutinestate(waiting) == inspect.CORO_CLOSED
    assert begun == []
    assert errands.running == 0


async def test_an_errand_under_way_is_ended_where_it_stands() -> None:
    left = []

    async def errand() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            left.append(True)

    errands = Errands(Tally())
    errands.start(errand())
    await asyncio.sleep(0)
    await errands.stop()
    assert left == [True]
    assert errands.tally["faults"] == 0


async def test_who_was_away_for_too_long_comes_back_and_other_refusals_are_faults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusals = [Refused(409, "shift_ended"), Refused(403, "not_admitted")]
    over = asyncio.Event()

    class Away:
        def __init__(self, *_: Any) -> None: ...

        async def stretch(self) -> None:
            if refusals:
                raise refusals.pop(0)
            over.set()
            await asyncio.Event().wait()

        async def leave(self) -> None: ...

    monkeypatch.setattr(town, "SimulatedAgent", Away)
    tally = Tally()
    staff = town.Staff(None, Pace(speed=1e6), tally, OTHERS[:1])  # type: ignore[arg-type]  asked nothing here
    places = Errands(tally)
    places.start(staff.place(0))
    await over.wait()
    await places.stop()
    assert tally["faults"] == 1
