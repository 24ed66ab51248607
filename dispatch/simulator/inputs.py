"""Tickets that came, from a file: a line a ticket."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from dispatch.simulator.case import Case, Coming, Kind


class InvalidArrivals(ValueError):
    """The file cannot be read as arrivals; says the line."""


@dataclass(frozen=True)
class Arrival:
    """One ticket."""

    at: float  # seconds on any clock
    topic: str = ""
    handling: float | None = None  # seconds, if known


def read_arrivals(lines: Iterable[str]) -> list[Arrival]:
    """Of a CSV with a header: `at` (seconds, or a date and time in ISO 8601), and if there `topic` and `handling` (seconds).

    Any order. Raises InvalidArrivals.
    """
    rows = csv.DictReader(lines)
    if "at" not in (rows.fieldnames or ()):
        raise InvalidArrivals("line 1: there is no column “at”")
    found = []
    for row in rows:
        try:
            handling = (row.get("handling") or "").strip()
            arrival = Arrival(
                _seconds(row["at"]), (row.get("topic") or "").strip(), float(handling) if handling else None
            )
            if arrival.handling is not None and not 0 < arrival.handling < float("inf"):
                raise ValueError("handling must be above 0")
        except (ValueError, TypeError, AttributeError) as error:
            raise InvalidArrivals(f"line {rows.line_num}: {error}") from error
        found.append(arrival)
    if not found:
        raise InvalidArrivals("no ticket in it")
    return found


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return datetime.fromisoformat(text.strip()).timestamp()
    if not abs(seconds) < float("inf"):
        raise ValueError(f"{text} is no time")
    return seconds


def coming(arrivals: Iterable[Arrival], place: Mapping[str, int], *, typical: float) -> tuple[Coming, float]:
    """Columns by time from 0, and the length in seconds. `place`: topic → position in Case.kinds; others are left out.

    typical: seconds of handling where the arrival does not say.
    """
    known = sorted((one for one in arrivals if one.topic in place), key=lambda one: (one.at, one.topic))
    if not known:
        raise InvalidArrivals("no ticket of a topic that anybody serves")
    begin = known[0].at
    handling = [typical if one.handling is None else one.handling for one in known]
    columns = Coming([one.at - begin for one in known], [place[one.topic] for one in known], handling)
    return columns, known[-1].at - begin + 1.0


def case_of_arrivals(arrivals: Iterable[Arrival], *, agents: int, handling_mean: float = 300.0) -> Case:
    """A case of a file alone: each topic is a skill, and people are dealt three of them at most.

    Everything that came is measured: a day that begins with an empty queue is as it was.
    """
    listed = list(arrivals)
    topics = sorted({one.topic for one in listed})
    columns, seconds = coming(listed, {topic: at for at, topic in enumerate(topics)}, typical=handling_mean)
    return Case(
        name="file",
        kinds=[Kind({skill: 1}, name=topic) for skill, topic in enumerate(topics)],
        agents=agents,
        skills=len(topics),
        skills_each=min(3, len(topics)),
        load=sum(columns.handling or ()) / seconds / agents,
        handling_mean=handling_mean,
        warm_up=0.0,
        measured=seconds,
        coming=columns,
    )
