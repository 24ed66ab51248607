"""Limits count in one step: of a hundred at the same moment exactly as many pass as may. With a control."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

from config.throttles import Scoped
from tests.races.conftest import together
from tickets.redis import client

pytestmark = pytest.mark.race
MANY, LIMIT = 100, 7


def passed(throttle: type[ScopedRateThrottle], monkeypatch: pytest.MonkeyPatch) -> int:
    client().flushdb()
    monkeypatch.setattr(throttle, "THROTTLE_RATES", {"ticket_open": f"{LIMIT}/min"})
    view: Any = SimpleNamespace(throttle_scope="ticket_open")

    def ask() -> bool:
        return throttle().allow_request(Request(RequestFactory().post("/")), view)

    return sum(together(*[ask] * MANY))


def test_a_hundred_at_once_pass_exactly_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert passed(Scoped, monkeypatch) == LIMIT


def test_control_reading_and_then_writing_lets_more_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the one step prevents."""
    looked = threading.Barrier(MANY)

    class Naive(ScopedRateThrottle):
        def throttle_success(self) -> bool:
            looked.wait(10)
            return bool(super().throttle_success())  # type: ignore[no-untyped-call]

    assert passed(Naive, monkeypatch) > LIMIT
