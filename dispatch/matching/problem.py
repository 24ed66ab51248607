"""What a matching run sees: tickets that wait, people who are online, and the weights of the policy.

Everything is a column (one numpy array a field), because a run touches every pair and rows of objects would
cost more than the solving. ``rows.build`` makes the columns from rows for callers that count in dozens.

Anything else that must keep a person away from a ticket (a pool of another route step, a channel limit) is an
``excluded`` pair; a certificate is a column of its own (``certified``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum, isfinite
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from dispatch.matching.checks import (
    ABOVE_ZERO,
    InvalidProblem,
    all_within,
    columns,
    same_length,
    unique,
    within,
)
from dispatch.matching.weights import Weights

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]
Bool = NDArray[np.bool_]
Index = NDArray[np.intp]

Part = TypeVar("Part")

TOP_LEVEL = 5  # skill levels are 1–5, 0 is "does not have it"
ANY_LANGUAGE = -1
LOWEST_PRIORITY = -1.0  # bounded below, so that what counts from it is never below zero
HIGHEST_PRIORITY = 10.0
LANGUAGES = 62  # bits of the mask; the sign bit stays out of it


def certified(skill: int) -> int:
    """The id of the column "this skill, with a valid certificate" (and of such a column, the skill's).

    Its levels are the skill's while the certificate is valid, else 0, so that asking for both leaves the fit as it is.
    """
    return -skill


@dataclass(frozen=True)
class Needs:
    """Skills that tickets ask for, r rows in any order; of a pair named twice the higher level counts."""

    ticket: I32 = field(default_factory=lambda: np.empty(0, np.int32))  # (r,) position in Tickets, not an id
    skill: I32 = field(default_factory=lambda: np.empty(0, np.int32))  # (r,) column of Agents.levels
    level: I8 = field(default_factory=lambda: np.empty(0, np.int8))  # (r,) least level, 1–5

    def __post_init__(self) -> None:
        columns(self, ticket=np.int32, skill=np.int32, level=np.int8)
        same_length(self, "ticket", "skill", "level")
        if self.level.size and (self.level.min() < 1 or self.level.max() > TOP_LEVEL):
            raise InvalidProblem(f"needs.level must be 1–{TOP_LEVEL}")

    @classmethod
    def of(cls, rows: Sequence[Mapping[int, int]], column: Mapping[int, int]) -> Needs:
        """Of {skill id: least level} a ticket, in the tickets' order; `column`: skill id → column of Agents.levels."""
        flat = [
            (place, column[skill], level) for place, row in enumerate(rows) for skill, level in row.items()
        ]
        ticket, skill, level = zip(*flat, strict=True) if flat else ((), (), ())
        if not all(1 <= one <= TOP_LEVEL for one in level):
            raise InvalidProblem(f"needs.level must be 1–{TOP_LEVEL}")
        # What is left to check is right as it is made here.
        return _unchecked(
            cls,
            {
                "ticket": np.array(ticket, np.int32),
                "skill": np.array(skill, np.int32),
                "level": np.array(level, np.int8),
            },
        )

    def matrix(self, tickets: int, skills: int) -> I8:
        """Least level by ticket and skill, (tickets, skills); 0 where nothing is asked."""
        levels = np.zeros((tickets, skills), np.int8)
        if self.level.size:
            np.maximum.at(levels, (self.ticket, self.skill), self.level)
        return levels


@dataclass(frozen=True)
class Pairs:
    """(ticket, agent) by id, q rows. Ids that this run does not know are no error: people come and go."""

    ticket_id: I64 = field(default_factory=lambda: np.empty(0, np.int64))  # (q,)
    agent_id: I64 = field(default_factory=lambda: np.empty(0, np.int64))  # (q,)

    def __post_init__(self) -> None:
        columns(self, ticket_id=np.int64, agent_id=np.int64)
        same_length(self, "ticket_id", "agent_id")

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int]]) -> Pairs:
        listed = list(rows)
        if not listed:
            return _NO_PAIRS
        return cls(
            np.array([ticket for ticket, _ in listed], np.int64),
            np.array([agent for _, agent in listed], np.int64),
        )


_NO_PAIRS = Pairs()


@dataclass(frozen=True)
class Tickets:
    """n waiting tickets, a column a field."""

    id: I64  # (n,) unique
    waited_seconds: F64  # (n,) since waiting_since, ≥ 0; a ticket that came back keeps its age
    target_seconds: F64  # (n,) promised time to a human, > 0
    max_wait_seconds: F64  # (n,) from here on it goes before every younger one; may be inf
    priority: F64  # (n,) 0 is normal, −1–10
    units: I32  # (n,) attention it costs, ≥ 1
    language: I8  # (n,) bit number in Agents.languages, or ANY_LANGUAGE
    required: Needs = field(default_factory=Needs)  # never relaxed
    preferred: Needs = field(default_factory=Needs)  # count for fit only; the caller drops them step by step
    known: Pairs = field(default_factory=Pairs)  # people who helped this customer before
    excluded: Pairs = field(default_factory=Pairs)  # declined before, or ruled out by the caller
    newcomers_first: Bool = field(default_factory=lambda: np.empty(0, np.bool_))  # (n,) default: none
    reserved: Bool = field(
        default_factory=lambda: np.empty(0, np.bool_)
    )  # (n,) so young that only who is worth Weights.reserve is asked; default: none
    accept_row: I32 = field(
        default_factory=lambda: np.empty(0, np.int32)
    )  # (n,) row of Agents.accept, where that has several; default: one each

    def __post_init__(self) -> None:
        if np.size(self.accept_row) == 0:
            object.__setattr__(self, "accept_row", np.arange(np.shape(self.id)[0]))
        for name in ("newcomers_first", "reserved"):
            if np.size(getattr(self, name)) == 0:
                object.__setattr__(self, name, np.zeros(np.shape(self.id)[0], np.bool_))
        columns(
            self,
            id=np.int64,
            waited_seconds=np.float64,
            target_seconds=np.float64,
            max_wait_seconds=np.float64,
            priority=np.float64,
            units=np.int32,
            language=np.int8,
            newcomers_first=np.bool_,
            reserved=np.bool_,
            accept_row=np.int32,
        )
        same_length(
            self,
            "id",
            "waited_seconds",
            "target_seconds",
            "max_wait_seconds",
            "priority",
            "units",
            "language",
            "newcomers_first",
            "reserved",
            "accept_row",
        )
        unique(self.id, "tickets.id")
        all_within(
            [
                ("tickets.waited_seconds", self.waited_seconds, 0.0, None),
                ("tickets.target_seconds", self.target_seconds, ABOVE_ZERO, None),
                ("tickets.priority", self.priority, LOWEST_PRIORITY, HIGHEST_PRIORITY),
            ]
        )
        within(self.units, "tickets.units", 1, None)
        within(self.language, "tickets.language", ANY_LANGUAGE, LANGUAGES - 1)
        if not (self.max_wait_seconds > 0).all():  # also catches nan; inf is allowed
            raise InvalidProblem("tickets.max_wait_seconds must be above 0")
        self._reserve()

    def _reserve(self) -> None:
        # What is overdue waits for nobody any more; and newcomers, to whom a ticket goes first, are not known to suit.
        object.__setattr__(self, "reserved", self.reserved & ~(self.overdue | self.newcomers_first))

    @classmethod
    def trusted(cls, **columns: Any) -> Self:
        """Of columns that are right by construction: all of them, of their types, of one length, within their bounds. None is
        looked at.

        For a run, whose columns come from a database with constraints of its own (tests/dispatch/test_sight.py builds them anew
        with all checks). Everybody else calls the class.
        """
        tickets = _unchecked(cls, columns)
        tickets._reserve()
        return tickets

    def __len__(self) -> int:
        return len(self.id)

    @property
    def overdue(self) -> Bool:
        """(n,) waited for max_wait or longer."""
        return self.waited_seconds >= self.max_wait_seconds


@dataclass(frozen=True)
class Agents:
    """m people online, a column a field; those without free units may be there, so that absence can be
    explained.

    Measured figures are float32: they are not known better than that, and what a snapshot stores in half the
    room is then exactly what was computed with.
    """

    id: I64  # (m,) unique
    free_units: I32  # (m,) capacity less held and pending units, ≥ 0
    capacity_units: I32  # (m,) ≥ 0
    load: F32  # (m,) held units over capacity, 0–1
    idle_seconds: F32  # (m,) since their last ticket ended, ≥ 0
    share: F32  # (m,) earnings per online hour in the window, any unit, ≥ 0
    languages: I64  # (m,) bit b set: speaks language b
    levels: I8  # (m, s) skill levels, 0 is "does not have it"
    skill_id: I64  # (s,) what the columns of levels are
    accept: F32 = field(
        default_factory=lambda: np.empty(0, np.float32)
    )  # (m,) probability, or (a, m) by Tickets.accept_row; default 1
    max_pending: I8 = field(
        default_factory=lambda: np.empty(0, np.int8)
    )  # (m,) offers they may still get; default 1
    new: Bool = field(
        default_factory=lambda: np.empty(0, np.bool_)
    )  # (m,) has answered few offers; default: nobody
    quality: F32 = field(
        default_factory=lambda: np.empty(0, np.float32)
    )  # (m,) ratings and reviews against the usual, −1–1; default 0
    booked: Bool = field(default_factory=lambda: np.empty(0, np.bool_))  # (m,) this hour; default: nobody

    def __post_init__(self) -> None:
        m = np.shape(self.id)[0]
        if np.size(self.accept) == 0:
            object.__setattr__(self, "accept", np.ones(m, np.float32))
        if np.size(self.max_pending) == 0:
            # One card at a time: nobody should have to answer two countdowns at once.
            object.__setattr__(self, "max_pending", np.ones(m, np.int8))
        if np.size(self.new) == 0:
            object.__setattr__(self, "new", np.zeros(m, np.bool_))
        if np.size(self.quality) == 0:
            object.__setattr__(self, "quality", np.zeros(m, np.float32))
        if np.size(self.booked) == 0:
            object.__setattr__(self, "booked", np.zeros(m, np.bool_))
        columns(
            self,
            id=np.int64,
            free_units=np.int32,
            capacity_units=np.int32,
            load=np.float32,
            idle_seconds=np.float32,
            share=np.float32,
            languages=np.int64,
            skill_id=np.int64,
            max_pending=np.int8,
            new=np.bool_,
            quality=np.float32,
            booked=np.bool_,
        )
        same_length(
            self,
            "id",
            "free_units",
            "capacity_units",
            "load",
            "idle_seconds",
            "share",
            "languages",
            "max_pending",
            "new",
            "quality",
            "booked",
        )
        object.__setattr__(self, "accept", np.ascontiguousarray(self.accept, np.float32))
        object.__setattr__(self, "levels", np.ascontiguousarray(self.levels, np.int8))
        if self.levels.shape != (m, len(self.skill_id)):
            raise InvalidProblem(
                f"agents.levels has shape {self.levels.shape}, not {(m, len(self.skill_id))}"
            )
        unique(self.id, "agents.id")
        unique(self.skill_id, "agents.skill_id")
        within(self.free_units, "agents.free_units", 0, None)
        within(self.capacity_units, "agents.capacity_units", 0, None)
        all_within(
            [
                ("agents.load", self.load, 0.0, 1.0),
                ("agents.idle_seconds", self.idle_seconds, 0.0, None),
                ("agents.share", self.share, 0.0, None),
                ("agents.quality", self.quality, -1.0, 1.0),
            ]
        )
        within(self.languages, "agents.languages", 0, None)
        within(self.levels, "agents.levels", 0, TOP_LEVEL)
        within(self.accept, "agents.accept", 0.0, 1.0)
        within(self.max_pending, "agents.max_pending", 0, None)

    @classmethod
    def trusted(cls, **columns: Any) -> Self:
        """As Tickets.trusted; `levels` lie row by row in memory."""
        return _unchecked(cls, columns)

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True)
class Problem:
    """One run's input. Raises InvalidProblem where the parts do not fit each other.

    fair_share: what a person earns per online hour on average, in the unit of Agents.share; better given by
    the caller, who knows the busy ones too. Default: mean of the people here.
    skill_demand: (s,) tickets still to come that will need each skill, as a count; default 1 each, so that
    the only expert is kept free for expert matters even when nothing else waits.
    """

    tickets: Tickets
    agents: Agents
    weights: Weights = field(default_factory=Weights)
    fair_share: float = -1.0
    skill_demand: F64 = field(default_factory=lambda: np.empty(0, np.float64))

    def __post_init__(self) -> None:
        n, m, s = len(self.tickets), len(self.agents), len(self.agents.skill_id)
        if np.size(self.skill_demand) == 0:
            object.__setattr__(self, "skill_demand", np.ones(s))
        columns(self, skill_demand=np.float64)
        within(self.skill_demand, "skill_demand", 0.0, None)
        if self.skill_demand.shape != (s,):
            raise InvalidProblem(f"skill_demand has shape {self.skill_demand.shape}, not {(s,)}")
        if self.fair_share < 0:
            # fsum rounds once, so that the order of the people does not change the last bit
            object.__setattr__(self, "fair_share", fsum(self.agents.share.tolist()) / m if m else 0.0)
        if not isfinite(self.fair_share):
            raise InvalidProblem("fair_share must be finite")
        accept = self.agents.accept
        if accept.shape != (m,) and (accept.ndim != 2 or accept.shape[1] != m):
            raise InvalidProblem(f"agents.accept has shape {accept.shape}, not {(m,)} or (rows, {m})")
        if accept.ndim == 2:
            within(self.tickets.accept_row, "tickets.accept_row", 0, len(accept) - 1)
        for name, needs in (("required", self.tickets.required), ("preferred", self.tickets.preferred)):
            within(needs.ticket, f"tickets.{name}.ticket", 0, n - 1)
            within(needs.skill, f"tickets.{name}.skill", 0, s - 1)

    @classmethod
    def trusted(cls, **parts: Any) -> Self:
        """As Tickets.trusted, of parts that fit each other; all of them."""
        return _unchecked(cls, parts)

    @property
    def accept_row(self) -> I32:
        """(n,) each ticket's row of Agents.accept seen as a table; 0 where it is by person alone."""
        return (
            self.tickets.accept_row if self.agents.accept.ndim == 2 else np.zeros(len(self.tickets), np.int32)
        )

    def positions(self, pairs: Pairs) -> tuple[Index, Index]:
        """Ticket and agent positions of those pairs whose two ids are in this run."""
        if not pairs.ticket_id.size:  # the usual run; looking up costs a table of all ids
            return np.empty(0, np.intp), np.empty(0, np.intp)
        i = _lookup(self.tickets.id, pairs.ticket_id)
        j = _lookup(self.agents.id, pairs.agent_id)
        here = (i >= 0) & (j >= 0)
        return i[here], j[here]


def _unchecked(kind: type[Part], columns: dict[str, Any]) -> Part:
    part = object.__new__(kind)
    part.__dict__.update(columns)
    return part


def _lookup(ids: I64, wanted: I64) -> Index:
    """Positions of the wanted ids, −1 where there is none."""
    place = {identity: at for at, identity in enumerate(ids.tolist())}
    return np.array([place.get(identity, -1) for identity in wanted.tolist()], np.intp)
