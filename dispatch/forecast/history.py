"""What came, as a matrix: a row a day of the house, a column a half hour of its clock.

A day has a kind: its weekday, or CLOSED. On the day on which the clock goes forward two half hours were not: they are nan. On
the day on which it goes back two were there twice: they hold the mean of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

SLOTS = 48  # half hours of a day
SECONDS = 1800.0  # of each
CLOSED = 7  # the kind of a day that a calendar has closed; 0–6: Monday to Sunday
KINDS = 8


@dataclass(frozen=True)
class History:
    """Days without a gap, oldest first."""

    rates: F64  # (days, SLOTS) tickets a half hour; nan: there was no such half hour
    kinds: I64  # (days,)

    def __post_init__(self) -> None:
        if self.rates.shape != (len(self.kinds), SLOTS):
            raise ValueError(f"rates have shape {self.rates.shape}, not {(len(self.kinds), SLOTS)}")

    def __len__(self) -> int:
        return len(self.kinds)

    def until(self, day: int, most: int | None = None) -> History:
        """The days before this one, at most so many."""
        first = max(day - most, 0) if most is not None else 0
        return History(self.rates[first:day], self.kinds[first:day])


def exposure(day: date, zone: ZoneInfo) -> F64:
    """(SLOTS,) how often each half hour of the clock comes on this day: once, but for days on which the clock is changed."""
    times = np.zeros(SLOTS)
    at = datetime.combine(day, time.min, zone).timestamp()
    end = datetime.combine(day + timedelta(days=1), time.min, zone).timestamp()
    while at < end:
        times[slot_of(datetime.fromtimestamp(at, zone))] += 1
        at += SECONDS
    return times


def slot_of(there: datetime) -> int:
    """The half hour of the clock of its own time zone."""
    return there.hour * 2 + there.minute // 30


def rates_of(counts: F64, times: F64) -> F64:
    """Tickets a half hour, from tickets and how often each half hour was (0: nan). Same shapes."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(times > 0, counts / times, np.nan)
