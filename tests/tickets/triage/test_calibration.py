"""Thresholds hold what they promise, and intervals are Clopper's and Pearson's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.triage.calibration import NEVER, Share, crossed, interval, judged, threshold_for

SEEN = st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=60)


@given(SEEN, st.sampled_from([0.5, 0.8, 0.9, 0.98]))
def test_a_threshold_holds_its_precision_and_none_lower_does(
    seen: list[tuple[int, bool]], wanted: float
) -> None:
    sure = np.array([one / 20 for one, _ in seen])
    right = np.array([one for _, one in seen], bool)
    found = threshold_for(sure, right, wanted)
    assert judged(sure, right, found).precision >= wanted
    for lower in {one for one in sure.tolist() if one < found}:
        assert judged(sure, right, lower).precision < wanted


def test_equally_sure_texts_are_taken_or_left_together() -> None:
    sure, right = np.array([0.9, 0.9, 0.8]), np.array([True, False, True])
    assert threshold_for(sure, right, 0.6) == 0.8
    assert threshold_for(sure, right, 0.7) == NEVER


def test_nothing_is_sure_where_nothing_was_seen() -> None:
    assert threshold_for(np.zeros(0), np.zeros(0, bool), 0.9) == NEVER
    assert Share(0, 0, 5).precision == 1.0


def test_no_fold_chooses_its_own_threshold() -> None:
    sure, right = np.array([0.9, 0.9]), np.array([True, False])
    # The first fold learns from the second that 0.9 is wrong, the second from the first that it is right.
    assert crossed(sure, right, np.array([0, 1]), 0.9) == Share(0, 1, 2)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (5, 10, 0.1871, 0.8129), (98, 100, 0.9296, 0.9976)],
)
def test_intervals_are_those_of_the_tables(hits: int, of: int, low: float, high: float) -> None:
    assert interval(hits, of) == pytest.approx((low, high), abs=5e-5)
