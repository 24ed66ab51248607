"""The tick's parts stand alone: what one cannot do holds up none of the others, and all together hold up no run."""

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from dispatch import meanwhile, tasks

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done of a tick of four parts, two of which fail."""
    done: list[str] = []

    def part(name: str, error: Exception | None = None) -> Callable[[], None]:
        def act() -> None:
            done.append(name)
            if error:
                raise error

        act.__name__ = name
        return act

    parts = (part("first"), part("wrong", ValueError("a weight")), part("worse", KeyError("x")), part("last"))
    monkeypatch.setattr(tasks, "_TICK", parts)
    return done


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if "tick" in one.getMessage()]


FAILURES = ["a part of the tick failed: wrong", "a part of the tick failed: worse"]


def test_a_part_that_fails_holds_up_none(done: list[str], caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="a weight"):
        tasks.tick()
    assert done == ["first", "wrong", "worse", "last"]
    assert told(caplog) == FAILURES


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, Any]]:
    """What a matcher's loop is to call, and after how many seconds."""
    later: list[tuple[float, Any]] = []

    class Loop:
        def call_later(self, seconds: float, act: Any) -> None:
            later.append((seconds, act))

    monkeypatch.setattr(meanwhile, "get_event_loop", Loop)
    monkeypatch.setattr(tasks, "_to_come", deque())
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)  # would take the test's own
    return later


def test_what_fails_beside_a_part_ends_no_ticks(
    done: list[str], later: list[tuple[float, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ConnectionError("while a connection is given up")

    with monkeypatch.context() as broken:
        broken.setattr(tasks, "close_old_connections", fail)
        with pytest.raises(ConnectionError):
            tasks.tick()
    assert done == []
    for count in (1, 2, 3):
        [(_seconds, act)] = later
        later.clear()
        act()
        assert len(done) == count
    assert (done, later) == (["wrong", "worse", "last"], [])
    tasks.tick()
    assert done[3:] == ["first"]


def test_a_matcher_hears_of_runs_between_two_parts(
    done: list[str], later: list[tuple[float, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    tasks.tick()
    assert done == ["first"]
    tasks.tick()  # a second later, and the matcher has come no further: its parts are not doubled
    assert (done, len(later)) == (["first"], 1)
    for count in (2, 3, 4):
        [(seconds, act)] = later
        later.clear()
        act()
        assert (len(done), seconds) == (count, tasks.PART_SECONDS)
    assert done == ["first", "wrong", "worse", "last"]
    assert told(caplog) == FAILURES
    assert not later
    tasks.tick()
    assert (done[4:], len(later)) == (["first"], 1)


def test_all_parts_lie_within_the_second() -> None:
    assert len(tasks._TICK) * tasks.PART_SECONDS < 1.0
