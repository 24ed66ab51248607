"""Limits count in one step: of a hundred at the same moment exactly as many pass as may. With a control."""

import contextlib
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

from agents.limits import Guess
from config.throttles import Scoped
from tests.callers import anonymous
from tests.cast import World
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


GUESSES, TAKEN = 30, 5


def looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> int:
    """So many of many wrong passwords for one account, at the same moment, were compared with the right one."""
    client().flushdb()
    monkeypatch.setattr(Scoped, "THROTTLE_RATES", {"token": "1000/min", "token_guesses": f"{TAKEN}/5min"})
    anna = world.agent("Anna").user

    def guess() -> int:
        return int(anonymous().tell("token", {"email": anna.email, "password": "wrong"}).status_code)

    answers = together(*[guess] * GUESSES)
    assert set(answers) <= {401, 429}
    return answers.count(401)


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_as_many_as_may_are_looked_at(
    racers: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert looked_at(racers, monkeypatch) == TAKEN


@pytest.mark.django_db(transaction=True)
def test_control_counting_when_a_guess_was_wrong_looks_at_more(
    racers: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one, looked = threading.Lock(), threading.Barrier(GUESSES)

    class Late(Guess):
        def __init__(self, request: Request, address: str) -> None:
            with one_by_one:  # whether there is room
                super().__init__(request, address)
                self.take_back()
            looked.wait(10)
            with contextlib.suppress(Throttled):
                super().__init__(request, address)

    monkeypatch.setattr("agents.api.Guess", Late)
    assert looked_at(racers, monkeypatch) == GUESSES
