"""Where the bars and lines of the team leads' charts stand. Pure: what is drawn, the template says."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 640.0, 220.0  # of the viewBox, axes included
LEFT, RIGHT, TOP, BOTTOM = 62.0, 8.0, 12.0, 28.0
GAP = 0.18  # of a bar's place


class Bar(NamedTuple):
    """A rectangle: `kind` is the number of its series."""

    x: str
    y: str
    width: str
    height: str
    kind: int


class Mark(NamedTuple):
    """A word at a place of an axis, with its line."""

    at: str
    says: str


class Chart(NamedTuple):
    bars: list[Bar]
    rows: list[Mark]  # of the axis of numbers
    columns: list[Mark]  # of the axis of times
    midnight: str  # x of the line at which today begins; empty without one


def chart(
    stacks: Sequence[Sequence[float]],
    names: Sequence[str],
    *,
    midnight: int | None,
    most: float | None = None,
    unit: str = "",
) -> Chart:
    """Stacked bars side by side. `stacks`: of each column what is put on each other, from below; `names`: of the columns, empty
    for one without a word. `midnight`: the column with which today begins; `most`: the top of the axis, else a round number."""
    top = most or round_up(max((sum(stack) for stack in stacks), default=0.0))
    place = (WIDTH - LEFT - RIGHT) / max(len(stacks), 1)
    high = HEIGHT - TOP - BOTTOM
    bars = []
    for column, stack in enumerate(stacks):
        x, y = LEFT + (column + GAP / 2) * place, HEIGHT - BOTTOM
        for kind, value in enumerate(stack):
            height = high * min(value, top) / top
            y -= height
            if height > 0:
                bars.append(Bar(_px(x), _px(y), _px(place * (1 - GAP)), _px(height), kind))
    rows = [
        Mark(_px(HEIGHT - BOTTOM - high * part), f"{_plain(top * part)}{unit}") for part in (0.0, 0.5, 1.0)
    ]
    columns = [Mark(_px(LEFT + (column + 0.5) * place), name) for column, name in enumerate(names) if name]
    return Chart(bars, rows, columns, "" if midnight is None else _px(LEFT + midnight * place))


class Lines(NamedTuple):
    """`lines` and `areas`: points for SVG's polyline and polygon, one a series."""

    lines: list[str]
    areas: list[str]
    rows: list[Mark]
    columns: list[Mark]
    days: list[str]  # x of the lines at which days begin


def lines(
    series: Sequence[Sequence[float]],
    areas: Sequence[tuple[Sequence[float], Sequence[float]]],
    days: Sequence[tuple[int, str]],
    *,
    stepped: bool = False,
) -> Lines:
    """Lines over each other, and areas between (lower, upper). `days`: (column with which one begins, its name). `stepped`: a
    value lasts until the next one."""
    columns = max((len(one) for one in series), default=1)
    top = round_up(
        max((max(one, default=0.0) for one in (*series, *(upper for _low, upper in areas))), default=0.0)
    )
    place = (WIDTH - LEFT - RIGHT) / max(columns, 1)
    high = HEIGHT - TOP - BOTTOM

    def points(values: Sequence[float]) -> list[str]:
        found = []
        for column, value in enumerate(values):
            y = _px(HEIGHT - BOTTOM - high * min(value, top) / top)
            x = LEFT + column * place
            found += [f"{_px(x)},{y}", f"{_px(x + place)},{y}"] if stepped else [f"{_px(x + place / 2)},{y}"]
        return found

    marks = [Mark(_px(HEIGHT - BOTTOM - high * part), _plain(top * part)) for part in (0.0, 0.5, 1.0)]
    begins = [column for column, _name in days]
    names = []
    for (column, name), end in zip(days, [*begins[1:], columns], strict=True):
        if (end - column) * place > 40:  # else the word has no room
            names.append(Mark(_px(LEFT + (column + end) / 2 * place), name))
    return Lines(
        [" ".join(points(one)) for one in series],
        [" ".join([*points(upper), *reversed(points(lower))]) for lower, upper in areas],
        marks,
        names,
        [_px(LEFT + column * place) for column in begins if column],
    )


def round_up(number: float) -> float:
    """The next of 2, 4, 10, 20, 40, 100, …: half of it is a whole number, too."""
    step = 2.0
    while True:
        for factor in (1, 2, 5):
            if step * factor >= number:
                return step * factor
        step *= 10


def _px(number: float) -> str:
    return f"{number:.1f}"


def _plain(number: float) -> str:
    return f"{number:g}"
