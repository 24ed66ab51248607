"""The tick's parts stand alone: what one cannot do holds up none of the others."""

from typing import Any

import pytest

from dispatch import tasks

pytestmark = pytest.mark.django_db


def test_a_part_that_fails_holds_up_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def part(name: str, error: Exception | None = None) -> Any:
        def act() -> None:
            done.append(name)
            if error:
                raise error

        act.__name__ = name
        return act

    parts = (part("first"), part("wrong", ValueError("a weight")), part("worse", KeyError("x")), part("last"))
    monkeypatch.setattr(tasks, "_TICK", parts)
    with pytest.raises(ValueError, match="a weight"):
        tasks.tick()
    assert done == ["first", "wrong", "worse", "last"]
    assert [one.getMessage() for one in caplog.records if "tick" in one.getMessage()] == [
        "a part of the tick failed: wrong",
        "a part of the tick failed: worse",
    ]
