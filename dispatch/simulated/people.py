"""What simulated people have in common: time to think, chance, and a tally of what happened."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from dispatch.simulated.api import Refused, Unreachable

logger = logging.getLogger(__name__)


class Pace:
    """Chance and time of one run: all times of people are divided by `speed`."""

    def __init__(self, speed: float = 1.0, seed: int | None = None) -> None:
        self.speed = speed
        self.chance = random.Random(seed)  # noqa: S311  nothing is to be kept secret

    async def think(self, least: float, most: float) -> None:
        """Take so many seconds."""
        await asyncio.sleep(self.seconds(least, most))

    def seconds(self, least: float, most: float) -> float:
        """Real seconds of a time of people."""
        return self.chance.uniform(least, most) / self.speed

    def happens(self, share: float) -> bool:
        return self.chance.random() < share


class Tally(Counter[str]):
    """What happened so far, by name; `scores` are ratings."""

    scores: list[int]

    def __init__(self) -> None:
        super().__init__()
        self.scores = []


class Errands:
    """Tasks of one person, all ended with them. An errand that a refusal ends is ordinary life, not a fault."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        return len(self._tasks)

    def start(self, errand: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._run(errand))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before its first step never reaches the errand, which would complain of that at the end.
        task.add_done_callback(lambda _task: errand.close())
        return task

    async def _run(self, errand: Coroutine[Any, Any, None]) -> None:
        try:
            await errand
        except Refused as refusal:
            self.tally["refused"] += 1
            if refusal.status >= 500:
                self.tally["faults"] += 1
                logger.warning("the server failed: %s", refusal)
            elif refusal.status not in (403, 404, 409, 410):
                self.tally["faults"] += 1
                logger.warning("unexpected refusal: %s", refusal)
        except Unreachable as error:
            self.tally["unreachable"] += 1
            logger.info("given up: %s", error)
        except Exception:
            self.tally["faults"] += 1
            logger.exception("a simulated person stumbled")

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
