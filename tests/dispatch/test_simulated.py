"""Simulated people: what they start ends with them."""

import asyncio
import inspect

from dispatch.simulated.people import Errands, Tally


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
