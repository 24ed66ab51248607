"""Whether the columns of a problem are what they must be. Each check names the field that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class InvalidProblem(ValueError):
    """The input contradicts itself; says which field, and how."""


def columns(holder: object, **types: type) -> None:
    for name, dtype in types.items():
        given: ArrayLike = getattr(holder, name)
        column: NDArray[Any] = np.ascontiguousarray(given, dtype)
        if column.ndim != 1:
            raise InvalidProblem(f"{name} must have one dimension, not shape {column.shape}")
        object.__setattr__(holder, name, column)  # frozen for everybody else


def same_length(holder: object, *names: str) -> None:
    lengths = {name: len(getattr(holder, name)) for name in names}
    if len(set(lengths.values())) > 1:
        raise InvalidProblem(f"{type(holder).__name__}: columns differ in length: {lengths}")


def unique(ids: NDArray[np.int64], name: str) -> None:
    if len(set(ids.tolist())) != len(ids):
        raise InvalidProblem(f"{name} must be unique")


_HIGHEST = float(np.finfo(np.float64).max)
ABOVE_ZERO = float(np.nextafter(0.0, 1.0))


def within(column: NDArray[Any], name: str, low: float, high: float | None) -> None:
    """Also refuses nan, which passes no comparison, and inf."""
    if not column.size:
        return
    finite = high is None and column.dtype.kind == "i"  # whole numbers are
    highest = 0.0 if finite else float(np.maximum.reduce(column, axis=None))
    _check(float(np.minimum.reduce(column, axis=None)), highest, name, low, high)


def all_within(columns: Sequence[tuple[str, NDArray[Any], float, float | None]]) -> None:
    """within of several columns of one type and length: (name, column, low, high)."""
    if not columns[0][1].size:
        return
    stacked = np.array([column for _, column, _, _ in columns])
    lowest = np.minimum.reduce(stacked, axis=1).tolist()
    highest = np.maximum.reduce(stacked, axis=1).tolist()
    for (name, _, low, high), least, most in zip(columns, lowest, highest, strict=True):
        _check(least, most, name, low, high)


def _check(lowest: float, highest: float, name: str, low: float, high: float | None) -> None:
    if not (lowest >= low and highest <= (_HIGHEST if high is None else high)):
        raise InvalidProblem(f"{name} must be {low} or more" + ("" if high is None else f", {high} at most"))
