"""Who was heard of when, and who is silent: a worker only when it was asked."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from celery.signals import after_task_publish, beat_init
from django.db import OperationalError
from django.db.models.functions import Now

from config import celery
from config.schedule import BEAT, PULSE
from dispatch import pulse, tasks
from dispatch.models import Pulse

pytestmark = pytest.mark.django_db

ALL = {"beat": 1, "matcher": 1, "worker": 1, "simulator": 1}


def heard(ages: Mapping[str, float]) -> None:
    """As if each kind had last been heard of so many seconds ago."""
    for kind, seconds in ages.items():
        pulse.pulse_beat(kind=kind)
        Pulse.objects.filter(kind=kind).update(heard_at=Now() - timedelta(seconds=seconds))


def test_each_kind_has_one_row_that_moves_forward() -> None:
    assert pulse.pulses() == {"matcher": None, "worker": None, "simulator": None, "beat": None}
    heard({"worker": 60})
    before = pulse.pulses()["worker"]
    assert before is not None
    tasks.pulse_answer("worker")
    after = pulse.pulses()["worker"]
    assert after is not None
    assert after > before + timedelta(seconds=59)
    assert Pulse.objects.count() == 1


def test_what_is_no_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="web"):
        pulse.pulse_beat(kind="web")
    assert not Pulse.objects.exists()


@pytest.mark.parametrize(
    ("ages", "named"),
    [
        ({}, ["beat"]),
        (ALL, []),
        (ALL | {"worker": 31}, ["worker"]),
        (ALL | {"matcher": 29}, []),
        ({"beat": 1}, ["matcher", "worker", "simulator"]),
        # Minutes at one task are its life.
        (ALL | {"simulator": 1100}, []),
        (ALL | {"simulator": 1300}, ["simulator"]),
        # Whom a silent beat has not asked is not blamed, but for who was silent before.
        ({"beat": 500, "matcher": 501, "worker": 505, "simulator": 500}, ["beat"]),
        ({"beat": 500, "matcher": 501, "worker": 600, "simulator": 500}, ["worker", "beat"]),
        ({"matcher": 500, "worker": 1}, ["beat"]),
    ],
)
def test_silent_is_who_was_asked_and_did_not_answer(ages: dict[str, float], named: list[str]) -> None:
    heard(ages)
    assert pulse.silent(30) == named


def test_beat_asks_each_queue_for_its_kind() -> None:
    asked = {
        entry["args"][0]: (entry["options"]["queue"], entry["schedule"])
        for entry in BEAT.values()
        if entry["task"] == tasks.pulse_answer.name
    }
    assert asked == {
        "matcher": ("match", PULSE),
        "worker": ("default", PULSE),
        "simulator": ("simulate", PULSE),
    }


def test_beat_is_heard_when_redis_took_what_it_sent_and_survives_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sent() -> None:
        after_task_publish.send(sender=tasks.pulse_answer.name)

    monkeypatch.setattr("django.db.close_old_connections", lambda: None)  # it would close the test's own
    sent()
    assert not Pulse.objects.exists()  # nobody but beat says that beat lives
    beat_init.send(sender=None)
    try:
        sent()
        assert set(Pulse.objects.values_list("kind", flat=True)) == {"beat"}

        def away(**_: Any) -> None:
            raise OperationalError

        monkeypatch.setattr(pulse, "pulse_beat", away)
        sent()
    finally:
        after_task_publish.disconnect(celery.beat_has_sent, sender=tasks.pulse_answer.name)
