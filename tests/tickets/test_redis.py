"""Commands of Redis whose answers are waited for later."""

import pytest
from redis.exceptions import ResponseError

from tickets.redis import answered, client, on_their_way, publish


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


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_connection_that_redis_has_closed_is_opened_once_more(when: str) -> None:
    assert answered(("SET", "a", 1)) == b"OK"
    if when == "before":
        client().client_kill_filter(_type="normal", skipme=False)
    with on_their_way([("GET", "a")]) as answers:
        if when == "meanwhile":
            client().client_kill_filter(_type="normal", skipme=True)
        assert answers() == [b"1"]


def test_the_connection_is_free_as_soon_as_it_is_heard() -> None:
    with on_their_way([("PING",)]) as answers:
        answers()
        before = len(client().connection_pool._in_use_connections)
    assert before == 0


def test_messages_are_published_together() -> None:
    with client().pubsub() as ear:
        ear.subscribe("one", "two")
        publish([("one", b"1"), ("two", b"2")])
        heard = [message for _ in range(6) if (message := ear.get_message(timeout=0.5))]
    assert [(one["channel"], one["data"]) for one in heard if one["type"] == "message"] == [
        (b"one", b"1"),
        (b"two", b"2"),
    ]
