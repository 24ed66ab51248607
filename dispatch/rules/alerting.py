"""When an alert is worth one, unless an admin has set it otherwise. Imports no Django."""

from typing import NamedTuple


class Rule(NamedTuple):
    """`threshold`: its unit is the kind's own (models.AlertRule)."""

    active: bool
    threshold: int
    repeat_minutes: int  # 0: told once


DEFAULTS = {
    "nobody_left": Rule(True, 0, 60),
    "skill_away": Rule(True, 60, 60),  # seconds that a ticket has waited
    "target_risk": Rule(True, 75, 60),  # percent of the target
    "silent": Rule(True, 60, 30),  # seconds
    "outbox": Rule(True, 10, 60),  # minutes that the oldest mail has waited
}
WAITING = Rule(True, 0, 240)  # what waits for a person of the team, each kind of it


def at_risk(waited: float, target: float, percent: int) -> bool:
    """Whether a ticket's open seconds of waiting have come close to its target, or beyond it."""
    return waited * 100 >= target * percent
