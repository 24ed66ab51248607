"""The promise of a person, measured from timelines: how long customers waited each time they wanted one.

A wait begins when a ticket begins to wait for a person: when it is opened (unless the assistant tries first), when the customer
asks for a person, when the assistant hands over, when a ticket is reopened, and when its agent has given it up. It ends when
an agent accepts. Imports no Django.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

BEGINS = frozenset(
    {
        "ticket.opened",
        "ticket.human_requested",
        "ticket.handed_over",
        "ticket.reopened",
        "ticket.released",
        "ticket.restored",
        "ticket.woke",
    }
)
CAME = "ticket.held"
LEFT = frozenset({"ticket.closed", "ticket.erased", "ticket.resolved", "ticket.ended", "ticket.merged"})
GAVE_UP = frozenset({"ticket.closed", "ticket.erased"})  # what customers do, of LEFT
LEFT_ASLEEP = "ticket.left_asleep"  # its agent has gone while it was put aside: nobody's, but it waits from its waking on only
PLACED = "ticket.placed"
TYPES = BEGINS | LEFT | {CAME, PLACED, LEFT_ASLEEP}

STEP = math.log(1.05)  # of the classes of waits: what is said of them is at most 2.5 percent off


class Happened(NamedTuple):
    """An event of a timeline. `at`: epoch seconds."""

    type: str
    at: float
    expected_seconds: float | None = None  # of ticket.placed
    assisted: bool = False  # of ticket.opened: the assistant tries first


@dataclass(frozen=True)
class Wait:
    """One time that somebody wanted a person; moments as epoch seconds, None: not yet, or never."""

    began: float
    came: float | None = None
    left: float | None = None
    told_at: float | None = None  # when they were first told how long it may take
    told: float | None = None  # seconds from then
    abandoned: bool = False  # the customer closed the ticket before anybody came

    @property
    def error(self) -> float | None:
        """Seconds that it took longer than they were told, negative: less. None when nothing was told, or nobody came."""
        if self.came is None or self.told_at is None or self.told is None:
            return None
        return self.came - self.told_at - self.told


def waits_of(timeline: Iterable[Happened]) -> list[Wait]:
    """The waits of one ticket, in order. Events of other types than TYPES are passed over."""
    found: list[Wait] = []
    began: float | None = None
    told: tuple[float, float] | None = None
    held = False
    for event in timeline:
        if event.type in BEGINS:
            # Who asks again while they wait, or while somebody is with them, begins no new wait; nor does waking there.
            again = held and event.type in {"ticket.human_requested", "ticket.woke"}
            if began is None and not again and not event.assisted:
                began, told, held = event.at, None, False
        elif event.type == LEFT_ASLEEP:
            held = False
        elif event.type == PLACED:
            if began is not None and told is None and event.expected_seconds is not None:
                told = (event.at, event.expected_seconds)
        elif event.type == CAME or event.type in LEFT:
            held = event.type == CAME
            if began is not None:
                at, expected = told or (None, None)
                came, left = (event.at, None) if held else (None, event.at)
                found.append(Wait(began, came, left, at, expected, abandoned=event.type in GAVE_UP))
                began = None
    if began is not None:
        at, expected = told or (None, None)
        found.append(Wait(began, told_at=at, told=expected))
    return found


@dataclass
class Tally:
    """Many waits, counted. Two are added by `+=`, and no order matters."""

    asked: int = 0
    kept: int = 0  # a person came within the promised time
    missed: int = 0  # it passed without one, whether one came later or not
    left: int = 0  # needed none any more before it had passed
    pending: int = 0  # still waiting, and it has not passed
    longest: float = 0.0  # seconds, of those to whom a person came
    longest_left: float = 0.0  # seconds, of those who were gone before anybody came
    longest_waiting: float = 0.0  # seconds so far, of those who still wait
    waits: Counter[int] = field(default_factory=Counter)  # class → how many, of those to whom a person came
    estimates: int = 0
    early: float = 0.0  # sum of seconds that it took longer than told; less counts against it
    off: float = 0.0  # sum of seconds between told and true
    abandoned: int = 0  # the customer closed the ticket before anybody came, in time or not

    def count(self, wait: Wait, *, seconds: float, promised: float) -> None:
        """Count one. `seconds`: its open seconds so far, or until it ended; `promised`: those within which a person comes."""
        self.asked += 1
        if seconds > promised:
            self.missed += 1
        elif wait.came is not None:
            self.kept += 1
        elif wait.left is not None:
            self.left += 1
        else:
            self.pending += 1
        if wait.came is not None:
            self.waits[class_of(seconds)] += 1
            self.longest = max(self.longest, seconds)
        elif wait.left is not None:
            self.longest_left = max(self.longest_left, seconds)
        else:
            self.longest_waiting = max(self.longest_waiting, seconds)
        self.abandoned += wait.abandoned
        if (error := wait.error) is not None:
            self.estimates += 1
            self.early += error
            self.off += abs(error)

    def __iadd__(self, other: Tally) -> Tally:
        for name in ("asked", "kept", "missed", "left", "pending", "estimates", "early", "off", "abandoned"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("longest", "longest_left", "longest_waiting"):
            setattr(self, name, max(getattr(self, name), getattr(other, name)))
        self.waits.update(other.waits)
        return self

    @property
    def share(self) -> float | None:
        """Of those waits of which it is known, how many kept the promise, 0 to 1. None while none is known."""
        known = self.kept + self.missed
        return self.kept / known if known else None

    @property
    def longest_of_all(self) -> float | None:
        """Seconds of the longest wait, whether somebody came, was too late, or is awaited still. None while nobody has asked.

        Only those who were served would be the lucky ones: one who waits in vain would make no figure worse.
        """
        return max(self.longest, self.longest_left, self.longest_waiting) if self.asked else None

    @property
    def lasts(self) -> bool:
        """Whether the longest wait of all is not over yet."""
        return 0.0 < self.longest_waiting >= max(self.longest, self.longest_left)

    @property
    def median(self) -> float | None:
        return self.within(0.5)

    @property
    def p90(self) -> float | None:
        return self.within(0.9)

    @property
    def early_mean(self) -> float | None:
        """Seconds that it took longer than told, on average; negative: less. None without an estimate."""
        return self.early / self.estimates if self.estimates else None

    @property
    def off_mean(self) -> float | None:
        """Seconds between told and true, on average. None without an estimate."""
        return self.off / self.estimates if self.estimates else None

    def within(self, share: float) -> float | None:
        """Seconds within which a person came to this share (0 to 1) of those to whom one came; None if to nobody."""
        total = sum(self.waits.values())
        if not total:
            return None
        wanted, passed = max(math.ceil(share * total), 1), 0
        for number in sorted(self.waits):
            passed += self.waits[number]
            if passed >= wanted:
                return min(middle(number), self.longest)
        raise AssertionError("unreachable: the classes hold all")


def class_of(seconds: float) -> int:
    """Number of the class of a wait: 0 below a second, and each following one reaches 5 percent further."""
    return 0 if seconds < 1.0 else 1 + math.floor(math.log(seconds) / STEP)


def middle(number: int) -> float:
    """Seconds that stand for a class: the geometric mean of its ends, half a second for the first."""
    return 0.5 if number == 0 else math.exp((number - 0.5) * STEP)
