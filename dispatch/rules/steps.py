"""The steps of a route: whom a ticket may go to after how long a wait.

A step widens and never takes away: from its moment on a further pool may take the ticket, or the same pool with lower levels.
Required skills stay required on every step, at the least at the level that the topic asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ASKED_FIRST_SECONDS = 60  # for so long a ticket waits for the colleague to whom it was passed on by name


@dataclass(frozen=True)
class Step:
    """From `after_seconds` of waiting on, the people of this pool may take the ticket."""

    after_seconds: int  # 0 is the first step's
    pool_id: int
    least_level: int = 1  # of every required skill, if the topic does not ask for more itself
    preferred: bool = True  # whether preferred skills still count


def at(steps: Sequence[Step], pool_id: int, waited: float) -> Step | None:
    """The last step of this pool that a wait of so many seconds has reached; None when it has reached none."""
    reached = [step for step in steps if step.pool_id == pool_id and step.after_seconds <= waited]
    return max(reached, key=lambda step: step.after_seconds, default=None)


def of_pool(pool_id: int) -> tuple[Step, ...]:
    """The steps of a ticket that was passed on to a pool: that pool and no other, from the first second on."""
    return (Step(0, pool_id),)


def after(steps: Sequence[Step], pool_id: int) -> int | None:
    """Seconds of waiting from which on this pool may take the ticket; None when it never may."""
    return min((step.after_seconds for step in steps if step.pool_id == pool_id), default=None)


def pools(steps: Sequence[Step], waited: float) -> list[int]:
    """The pools that may take a ticket that has waited so long, in the order in which they came."""
    reached = sorted(
        (step for step in steps if step.after_seconds <= waited), key=lambda step: step.after_seconds
    )
    return list(dict.fromkeys(step.pool_id for step in reached))


def ahead(steps: Sequence[Step], waited: float) -> bool:
    """Whether a later step will ask more people than are asked now."""
    return any(step.after_seconds > waited for step in steps)


def required(needs: Mapping[int, int], step: Step) -> dict[int, int]:
    """Skill → least level on this step, of what the topic requires."""
    return {skill: max(level, step.least_level) for skill, level in needs.items()}


def preferred(likes: Mapping[int, int], step: Step) -> Mapping[int, int]:
    """Skill → least level on this step, of what the topic prefers."""
    return likes if step.preferred else {}
