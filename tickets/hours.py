"""Opening hours as plain functions: which seconds between two moments are open, and when the next opening is.

A moment is open when the clock on the wall of the calendar's place says so, that day is not closed, and nothing else. In the
night when clocks go back an hour between two and three is there twice, and open twice; in the other one it is not there.
Moments are epoch seconds. Imports no Django.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

DAY = 24 * 60  # minutes
Interval = tuple[int, int]  # minutes of the day on the wall: from, until; (0, DAY) is the whole day


@dataclass(frozen=True)
class Hours:
    """When a place is open, a week like the other, but for its closed days. Equal hours are one key of the cache."""

    zone: str
    week: tuple[tuple[Interval, ...], ...]  # Monday first, seven of them; sorted, apart from each other
    closed: frozenset[date] = frozenset()

    @property
    def ever(self) -> bool:
        return any(self.week)


def merged(intervals: list[Interval]) -> tuple[Interval, ...]:
    """The same minutes as intervals that are sorted and do not touch."""
    found: list[Interval] = []
    for begin, end in sorted(intervals):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif begin < end:
            found.append((begin, end))
    return tuple(found)


def open_seconds(hours: Hours, begin: float, end: float) -> float:
    """Open seconds between two moments; 0 when `end` is not after `begin`. Two look-ups, once a year is compiled."""
    if end <= begin:
        return 0.0
    first, last = _year_of(begin), _year_of(end)
    whole = sum(_year(hours, year).whole for year in range(first, last))
    return whole + _year(hours, last).before(end) - _year(hours, first).before(begin)


def ages(hours: Hours, now: float) -> Callable[[float], float]:
    """Seconds before `now` → those of them that are open; for many waits that are counted at the same moment."""
    first = _year_of(now)
    year, begins = _year(hours, first), _epoch(date(first, 1, 1))
    until = year.before(now)

    def aged(waited: float) -> float:
        if now - waited < begins:
            return open_seconds(hours, now - waited, now)
        return max(until - year.before(now - waited), 0.0)

    return aged


def next_opening(hours: Hours, now: float) -> float | None:
    """When it opens next: `now` itself while it is open, None if not within a year."""
    year = _year_of(now)
    for one in (_year(hours, year), _year(hours, year + 1)):
        place = bisect_right(one.ends, now)  # the first interval that ends after now
        if place < len(one.ends):
            return max(one.begins[place], now)
    return None


def open_after(hours: Hours, now: float, seconds: float) -> float | None:
    """The moment at which so many open seconds have passed since `now`; None if not within a year."""
    year = _year_of(now)
    wanted = seconds + _year(hours, year).before(now)
    for one in (_year(hours, year), _year(hours, year + 1)):
        place = bisect_left(one.sums, wanted)  # intervals that it takes
        if place < len(one.sums):
            if place == 0:
                return now
            return max(one.begins[place - 1] + wanted - one.sums[place - 1], now)
        wanted -= one.whole
    return None


def is_open(hours: Hours, now: float) -> bool:
    return next_opening(hours, now) == now


@dataclass(frozen=True)
class _Year:
    """The open intervals of a year of UTC, in order, and how many open seconds lie before each."""

    begins: list[float]
    ends: list[float]
    sums: list[float]  # one more than intervals

    @property
    def whole(self) -> float:
        return self.sums[-1]

    def before(self, moment: float) -> float:
        place = bisect_right(self.begins, moment)
        if not place:
            return 0.0
        return self.sums[place - 1] + min(moment, self.ends[place - 1]) - self.begins[place - 1]


def _year_of(moment: float) -> int:
    return datetime.fromtimestamp(moment, UTC).year


@lru_cache(maxsize=256)  # a few years of a few calendars; about 2 ms to make
def _year(hours: Hours, year: int) -> _Year:
    begins: list[float] = []
    ends: list[float] = []
    for since, until, offset in _offsets(hours.zone, year):
        # Within it the wall's clock is UTC and a constant.
        day = _wall(since, offset)
        while (midnight := _epoch(day) - offset) < until:
            if day not in hours.closed:
                for begin, end in hours.week[day.weekday()]:
                    opens, closes = (
                        max(midnight + 60 * begin, float(since)),
                        min(midnight + 60 * end, float(until)),
                    )
                    if opens < closes:
                        begins.append(opens)
                        ends.append(closes)
            day += timedelta(days=1)
    lengths = (end - begin for begin, end in zip(begins, ends, strict=True))
    return _Year(begins, ends, list(accumulate(lengths, initial=0.0)))


def _offsets(zone: str, year: int) -> list[tuple[int, int, int]]:
    """(since, until, seconds ahead of UTC) of each stretch of a year of UTC in which the offset is the same."""
    place = ZoneInfo(zone)

    def offset(moment: int) -> int:
        ahead = datetime.fromtimestamp(moment, UTC).astimezone(place).utcoffset()
        return int(ahead.total_seconds()) if ahead is not None else 0

    begin, end = _epoch(date(year, 1, 1)), _epoch(date(year + 1, 1, 1))
    found = [(begin, offset(begin))]
    for moment in range(begin, end, 86400):
        low, high = moment, min(moment + 86400, end - 1)
        if offset(high) == offset(low):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == found[-1][1] else (low, middle)
        found.append((high, offset(high)))
    since = [moment for moment, _ahead in found]
    return [(moment, until, ahead) for (moment, ahead), until in zip(found, [*since[1:], end], strict=True)]


def _epoch(day: date) -> int:
    """Its midnight, were it a day of UTC."""
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * 86400


def _wall(moment: int, offset: int) -> date:
    return date(1970, 1, 1) + timedelta(days=(moment + offset) // 86400)
