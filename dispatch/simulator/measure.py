"""What a played world comes to: the figures of docs/adr/0013-what-rules-the-wait.md, and their intervals over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite

import numpy as np

from dispatch.matching.problem import F64
from dispatch.simulator.loop import Play

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Figures:
    """One policy in one world. Of the tickets that came, and of the work that was done, after the warm-up. Seconds and shares.

    A wait ends when somebody accepts and begins; a next-up ends the wrap-up of the ticket before.
    """

    tickets: float  # a count
    wait_mean: float
    wait_p50: float
    wait_p95: float
    within_target: float
    abandoned: float  # of all, those included for whom nobody was there; they have no wait
    fit: float  # level over 5, of what the tickets required
    offers: float  # a ticket
    rescinded: float  # of the offers
    expired: float  # of the offers
    gini: float  # of work per online hour
    utilisation: float
    solve_ms: float  # a run of the solver; nan without; the only figure that differs from time to time


FIGURES = tuple(Figures.__dataclass_fields__)


def figures_of(play: Play) -> Figures:
    """Raises ValueError when nothing came after the warm-up."""
    world = play.world
    case = world.case
    at = np.array(world.at)
    came = np.flatnonzero((at >= case.warm_up) & (at < case.horizon))
    if not len(came):
        raise ValueError("no ticket came after the warm-up")
    served = came[np.array(play.holder)[came] >= 0]
    wait = np.array(play.accepted_at)[served] - at[served]
    target = np.array([case.kinds[world.kind[ticket]].target_seconds for ticket in served])
    offered = int(np.array(play.offered)[came].sum())
    there = play.presence.measured(play.busy + play.away)
    per_hour = (play.busy / np.maximum(there - play.away, 1.0))[there > 0]

    def within(waits: F64) -> float:
        """Of all that came: who left was not served in time."""
        return float((waits <= target).sum() / len(came))

    return Figures(
        tickets=float(len(came)),
        wait_mean=_mean(wait),
        wait_p50=_percentile(wait, 50),
        wait_p95=_percentile(wait, 95),
        within_target=within(wait),
        abandoned=1 - len(served) / len(came),
        fit=_mean(np.array([world.fit(ticket, play.holder[ticket]) for ticket in served.tolist()])),
        offers=offered / len(came),
        rescinded=float(np.array(play.rescinded)[came].sum()) / max(offered, 1),
        expired=float(np.array(play.expired)[came].sum()) / max(offered, 1),
        gini=gini(per_hour),
        # Everybody counts by their time; where all have the same, it is the mean.
        utilisation=float(
            per_hour.mean() if case.presence is None else play.busy.sum() / max(there.sum(), 1.0)
        ),
        solve_ms=1000 * play.solve_seconds / play.solves if play.solves else float("nan"),
    )


def _mean(values: F64) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _percentile(values: F64, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else float("nan")


def gini(values: F64) -> float:
    """0: all have the same, towards 1: one has all. Σ (2i − n − 1) xᵢ ÷ (n Σ x) over ascending x; 0 when there is nothing."""
    ascending = np.sort(values)
    n, total = len(ascending), float(ascending.sum())
    if total <= 0:
        return 0.0
    return float(((2 * np.arange(1, n + 1) - n - 1) * ascending).sum() / (n * total))


@dataclass(frozen=True)
class Interval:
    """A mean over seeds, and where the true one lies with CONFIDENCE, by Student's t. nan for one seed."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        """Of one value a seed; the seeds are independent."""
        n = len(values)
        mean = float(np.mean(values))
        if n < 2 or not isfinite(mean):
            return cls(mean, float("nan"), float("nan"))
        # The quantile of scipy.stats.t, without the second that importing that takes.
        from scipy.special import stdtrit  # noqa: PLC0415  a tenth of each process's start, for who simulates

        half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2) * np.std(values, ddof=1) / np.sqrt(n))
        return cls(mean, mean - half, mean + half)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def summary(runs: Sequence[Figures]) -> dict[str, Interval]:
    """Each figure over the seeds."""
    rows = [asdict(run) for run in runs]
    return {name: Interval.of([row[name] for row in rows]) for name in FIGURES}


def less(ours: Sequence[Figures], theirs: Sequence[Figures], name: str) -> Interval:
    """By what share of theirs our figure is lower, paired by seed: (Σ theirs − ours) ÷ Σ theirs.

    The interval is of the paired differences, over the mean of theirs.
    """
    a, b = ([float(getattr(run, name)) for run in runs] for runs in (ours, theirs))
    scale = float(np.mean(b))
    difference = Interval.of([y - x for x, y in zip(a, b, strict=True)])
    if scale == 0:
        return Interval(0.0, 0.0, 0.0)
    return Interval(difference.mean / scale, difference.low / scale, difference.high / scale)
