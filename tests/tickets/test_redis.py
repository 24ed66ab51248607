"""Commands of Redis whose answers are waited for later."""

import time
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import ResponseError

import tickets.redis
from tickets.redis import answered, client, on_their_way


@pytest.fixture(autouse=True)
def empty() -> None:
    client().flushdb()


def test_answers_come_in_the_order_of_the_commands() -> None:
    with on_their_way([("SET", "a", 1), ("INCR", "a"), ("GET", "a")]) as answers:
        assert answers() == [b"OK", 2, b"2"]


def test_what_nobody_heard_is_no_answer_to_the_next_command() -> None:
    with on_their_way([("ECHO", "first")]):
        pass
    assert answered(("ECHO", "second")) == b"second"


def test_an_error_is_no_answer_to_the_next_command() -> None:
    with (
        pytest.raises(ResponseError),
        on_their_way([("INCR", "a"), ("LPUSH", "a", 1), ("GET", "a")]) as answers,
    ):
        answers()
    assert answered(("GET", "a")) == b"1"


def test_a_connection_that_redis_has_closed_is_opened_once_more() -> None:
    assert answered(("SET", "a", 1)) == b"OK"
    ours = str(answered(("CLIENT", "ID")))  # it alone: other tests' processes are on this Redis too
    client().client_kill_filter(_id=ours, skipme=False)
    assert answered(("GET", "a")) == b"1"


@pytest.mark.parametrize("step", ["_sent", "_heard"])
def test_one_that_is_closed_meanwhile_is_opened_once_more(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(("SET", "a", 1))
    failures = break_once(step, monkeypatch)
    with on_their_way([("GET", "a"), ("STRLEN", "a")]) as answers:
        assert answers() == [b"1", 1]
    assert failures == ["closed"]
    assert tickets.redis.is_well()


def break_once(step: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first time, the connection is found closed at this step."""
    inner, failures = getattr(tickets.redis, step), []

    def breaks(*given: Any) -> Any:
        if not failures:
            failures.append("closed")
            raise RedisAway("closed by Redis")
        return inner(*given)

    monkeypatch.setattr(tickets.redis, step, breaks)
    return failures


def test_a_redis_that_is_away_is_not_well_for_a_while(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets.redis, "_ill_until", 0.0)
    assert tickets.redis.is_well()
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    with pytest.raises(RedisAway):
        answered(("PING",))
    assert not tickets.redis.is_well()
    later = time.monotonic() + tickets.redis.ILL_SECONDS + 0.1
    monkeypatch.setattr(tickets.redis.time, "monotonic", lambda: later)
    assert tickets.redis.is_well()


def test_the_connection_is_free_as_soon_as_it_is_heard() -> None:
    with on_their_way([("PING",)]) as answers:
        answers()
        before = len(client().connection_pool._in_use_connections)
    assert before == 0
