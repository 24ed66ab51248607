"""While beat or the workers are silent, matchers say so: the same alert, mailed once."""

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail as outbox
from django.db import OperationalError
from django.db.models.functions import Now

from agents.models import User
from config import celery
from dispatch import alerts, pulse
from dispatch.models import Alert, AlertRule, Pulse

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def admin() -> User:
    return User.objects.create_superuser("admin@later.example", "x", name="Ada", language="en")


@pytest.fixture(autouse=True)
def all_alive() -> None:
    for kind in ("beat", "matcher", "worker", "simulator"):
        pulse.pulse_beat(kind=kind)


def silent(*kinds: str) -> None:
    """As if these had last been heard of two minutes ago; for others than beat, though they were asked."""
    Pulse.objects.filter(kind__in=kinds).update(heard_at=Now() - timedelta(minutes=2))


def open_now() -> list[str]:
    return sorted(Alert.objects.filter(kind="silent", closed_at=None).values_list("subject", flat=True))


def test_while_all_live_it_is_one_look(django_assert_num_queries: Any) -> None:
    alerts.stand_in()  # what is set of alerts is kept from now on
    with django_assert_num_queries(1):
        assert alerts.stand_in() is False
    assert open_now() == []


@pytest.mark.parametrize("kind", ["beat", "worker"])
def test_who_is_silent_is_told_once_and_that_it_is_back(kind: str) -> None:
    silent(kind)
    assert alerts.stand_in() is True
    assert alerts.stand_in() is True
    assert open_now() == [kind]
    (mail,) = outbox.outbox
    assert mail.bcc == ["admin@later.example"]
    assert kind in mail.subject

    pulse.pulse_beat(kind=kind)
    assert alerts.stand_in() is False
    assert open_now() == [kind]  # whoever is back says so
    alerts.conditions_refresh()
    assert open_now() == []
    for alert_id in alerts.due():
        alerts.alert_mail(alert_id=alert_id)
    assert len(outbox.outbox) == 2


def test_of_a_silent_simulator_the_workers_tell() -> None:
    Pulse.objects.filter(kind="simulator").update(heard_at=Now() - timedelta(hours=1))
    assert alerts.stand_in() is False
    assert (open_now(), outbox.outbox) == ([], [])


def test_who_does_not_want_to_know_is_not_told() -> None:
    AlertRule.objects.update_or_create(
        kind="silent", defaults={"active": False, "threshold": 60, "repeat_minutes": 30}
    )
    silent("beat")
    assert alerts.stand_in() is False
    assert (open_now(), outbox.outbox) == ([], [])


def test_the_watch_is_kept_in_matchers_only_and_outlives_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def worker(queue: str) -> Any:
        return SimpleNamespace(
            app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from={queue: None})))
        )

    looked = threading.Event()
    looks: list[int] = []

    def away() -> bool:
        looks.append(1)
        if len(looks) == 2:
            looked.set()
        raise OperationalError("the database is away")

    monkeypatch.setattr(alerts, "stand_in", away)
    monkeypatch.setattr(celery.Watching, "EACH", 0.01)
    monkeypatch.setattr(celery.Watching, "FIRST", 0.01)
    for queue, watches in (("default", False), ("match", True)):
        watching = celery.Watching(worker(queue))
        watching.start(worker(queue))
        assert looked.wait(10 if watches else 0.1) is watches
        watching.stop(worker(queue))
    assert "cannot look whether beat and the workers live" in caplog.text
