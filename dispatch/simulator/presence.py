"""When the agents of a case are there: always, or from time to time, as a log says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dispatch.matching.problem import F64
from dispatch.simulator.case import Case


class Presence:
    """Who is there at the moment of a play, and for how long they were. Times in seconds from its beginning."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.always = case.presence is None
        self.there = [self.always] * case.agents
        self._since = [0.0] * case.agents  # there, or not
        self._before = [0.0] * case.agents  # seconds there until then

    def changes(self) -> Iterator[tuple[float, int, bool]]:
        """(when, agent, whether they come or leave), by agent."""
        for agent, times in enumerate(self.case.presence or ()):
            for begin, end in times:
                if end > max(begin, 0.0):
                    yield max(begin, 0.0), agent, True
                    yield end, agent, False

    def change(self, agent: int, now: float, *, comes: bool) -> None:
        self._before[agent] = self.seconds(agent, now)
        self.there[agent], self._since[agent] = comes, now

    def seconds(self, agent: int, now: float) -> float:
        """For how long they were there until now."""
        return self._before[agent] + (now - self._since[agent] if self.there[agent] else 0.0)

    def all_seconds(self, now: float) -> F64 | float:
        """The same of everybody, (agents,); one figure where all are there always."""
        return (
            now if self.always else np.array([self.seconds(agent, now) for agent in range(len(self.there))])
        )

    def mean_seconds(self, now: float) -> float:
        return now if self.always else float(np.mean(self.all_seconds(now)))

    def measured(self, worked: F64) -> F64:
        """(agents,) seconds there of what is measured. Who ends their last tickets after they have left was there for as long
        as they `worked`.
        """
        case = self.case
        if case.presence is None:
            return np.full(case.agents, case.measured)
        seconds = [
            sum(max(min(end, case.horizon) - max(begin, case.warm_up), 0.0) for begin, end in times)
            for times in case.presence
        ]
        there: F64 = np.maximum(np.array(seconds), worked)
        return there
