"""The doctor: each finding a sentence with what to do; failures end with an error."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from redis.exceptions import ConnectionError as RedisAway

from config import doctor, health
from dispatch import pulse

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def alive() -> None:
    for kind in ("matcher", "worker", "simulator", "beat"):
        pulse.pulse_beat(kind=kind)


def levels() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in doctor.examine():
        found.setdefault(one.about, set()).add(one.level)
    return found


def test_a_well_installation(alive: None) -> None:
    out = io.StringIO()
    call_command("doctor", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["well"] is True
    assert {"settings", "database", "migrations", "redis", "processes", "files"} <= {
        one["about"] for one in told["findings"]
    }


def away(error: Exception) -> Callable[..., Any]:
    def ask(*_: Any) -> Any:
        raise error

    return ask


@pytest.mark.parametrize(
    ("where", "name", "error", "about"),
    [
        (doctor, "_database", OperationalError("at 10.9.9.9, password hush"), "database"),
        (doctor, "client", RedisAway("redis://:hush@10.9.9.9"), "redis"),
        (health, "migrations", OperationalError("hush"), "migrations"),
        (doctor, "_files", PermissionError("hush"), "files"),
    ],
)
def test_what_is_away_is_a_failure_with_what_to_do(
    alive: None, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, error: Exception, about: str
) -> None:
    monkeypatch.setattr(where, name, away(error))
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"^1 failures\.$"):
        call_command("doctor", stdout=out)
    (line,) = [line for line in out.getvalue().splitlines() if line.startswith("FAILURE")]
    assert line.startswith(f"FAILURE  {about}: No answer ({type(error).__name__}). ")
    assert "hush" not in out.getvalue()


def test_who_is_silent_is_a_failure_but_the_simulator(alive: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert levels()["processes"] == {"ok"}
    monkeypatch.setattr(pulse, "silent", lambda _seconds: ["simulator"])
    assert levels()["processes"] == {"ok", "warning"}
    monkeypatch.setattr(pulse, "silent", lambda _seconds: ["worker"])
    assert levels()["processes"] == {"ok", "failure"}


def test_production_without_keys_is_warned(alive: None, settings: Any) -> None:
    settings.TRIAL = False
    settings.PAYOUT_KEYS, settings.PUSH_KEY = [], ""
    found = [one for one in doctor.examine() if one.about == "keys"]
    assert [one.level for one in found] == ["warning", "warning"]
    assert found[0].do == "`manage.py payout_keys make` makes one."
