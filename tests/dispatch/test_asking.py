"""Asking for a run: one message a pool waits, and it is the one that Celery would have sent."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import current_app
from celery._state import _task_stack
from celery.signals import before_task_publish
from redis.exceptions import RedisError

from dispatch import asking, runs, tasks
from dispatch.sight import Coming
from dispatch.tasks import match
from tickets.models import Ticket
from tickets.redis import client

QUEUE = "match"


pytestmark = pytest.mark.usefixtures("broker")


def sent(broker: redis.Redis) -> list[dict[str, Any]]:
    """All messages that wait, oldest first, taken out."""
    found = []
    while text := broker.rpop(QUEUE):
        found.append(json.loads(text))
    return found


def without_ids(message: dict[str, Any]) -> dict[str, Any]:
    """What is the same in all, after a look at what is not."""
    headers, properties = message["headers"], message["properties"]
    assert headers.pop("id") == headers.pop("root_id") == properties.pop("correlation_id")
    assert len(properties.pop("delivery_tag")) == 36
    properties.pop("reply_to")  # the sending thread's, for results, which we have none of
    return message


def test_the_message_is_celerys(broker: redis.Redis) -> None:
    match.delay(7)
    assert asking.ask(match, 7)
    theirs, ours = sent(broker)
    assert without_ids(ours) == without_ids(theirs)
    assert asking.ask(match, 7)
    assert without_ids(*sent(broker)) == ours


def test_the_task_that_asks_first_leaves_no_trace(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.ask(match, 8)
    monkeypatch.setattr(asking, "_letters", {})
    with current_task_is(match):
        asking.ask(match, 9)
    first, second = sent(broker)
    assert second["headers"].pop("argsrepr") == "(9,)"
    assert first["headers"].pop("argsrepr") == "(8,)"
    assert without_ids(first)["headers"] == without_ids(second)["headers"]


def test_no_mark_of_a_trace_stays_in_what_is_kept(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sentry and OpenTelemetry write into the headers of each message; the second request is no child of the first's."""
    monkeypatch.setattr(asking, "_letters", {})
    asking.ask(match, 8)

    def mark(headers: dict[str, Any], **_: Any) -> None:
        headers |= {"sentry-trace": "1", "baggage": "2", "traceparent": "3", "headers": {"traceparent": "3"}}

    before_task_publish.connect(mark)
    try:
        monkeypatch.setattr(asking, "_letters", {})
        asking.ask(match, 9)
        match.delay(9)  # the control: it is marked
    finally:
        before_task_publish.disconnect(mark)
    plain, kept, marked = sent(broker)
    assert set(kept["headers"]) == set(plain["headers"])
    assert set(marked["headers"]) - set(plain["headers"]) == {
        "sentry-trace",
        "baggage",
        "traceparent",
        "headers",
    }


COMING = Coming(1234, 5, 3, "de", 1)
TICKET = Ticket(pk=5, topic_id=3, language="de", priority=1)


def test_the_message_says_for_whom_to_wait(broker: redis.Redis) -> None:
    match.delay(7, COMING)
    broker.eval(*asking.command(match, 7, COMING)[1:])
    theirs, ours = sent(broker)
    assert (theirs["headers"].pop("argsrepr"), ours["headers"].pop("argsrepr")) == (
        f"(7, {tuple(COMING)!r})",
        "(7,)",
    )
    assert without_ids(ours) == without_ids(theirs)


@pytest.fixture
def asked_after(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Pools for which a run was asked after the commit."""
    found: list[list[int]] = []
    monkeypatch.setattr(tasks, "run_ask", lambda pools: found.append(list(pools)))
    return found


def test_a_run_is_asked_for_before_the_commit(broker: redis.Redis, asked_after: list[list[int]]) -> None:
    with tasks.run_ask_ahead([8, 7], 1234, TICKET):
        assert [one["body"] for one in sent(broker)] == [
            asking._body([pool, list(COMING)]) for pool in (7, 8)
        ]
        assert asked_after == []
    assert asked_after == [[]]


def test_where_one_waits_already_another_is_asked_for_after_the_commit(
    broker: redis.Redis, asked_after: list[list[int]]
) -> None:
    """It may be heard before the commit, and waits for somebody else's."""
    asking.ask(match, 8)
    with tasks.run_ask_ahead([7, 8], 1234, TICKET):
        assert len(sent(broker)) == 2
    assert asked_after == [[8]]


def test_without_a_broker_the_run_is_made_after_the_commit(
    broker: redis.Redis, asked_after: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once: a Redis that hangs is not asked twice."""

    def away() -> Any:
        raise RedisError

    made: list[int] = []
    monkeypatch.setattr("tickets.redis.client", away)
    monkeypatch.setattr(runs, "match_pool", made.append)
    with tasks.run_ask_ahead([7, 8], 1234, TICKET):
        assert made == []
    assert (made, asked_after) == ([7, 8], [])


def test_nothing_is_asked_for_after_a_commit_that_failed(
    broker: redis.Redis, asked_after: list[list[int]]
) -> None:
    with pytest.raises(ZeroDivisionError), tasks.run_ask_ahead([7], 1234, TICKET):
        raise ZeroDivisionError
    assert asked_after == []
    assert asking.ask(match, 8)  # by a connection on which no answer is left


def test_a_run_that_fails_is_no_failure_of_the_ticket(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_pools: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(tasks, "run_ask", broken)
    with tasks.run_ask_ahead([7], 1234, TICKET):
        pass
    assert caplog.messages == ["no run could be asked for; the tick finds what waits"]


@contextlib.contextmanager
def current_task_is(task: Any) -> Iterator[None]:
    """As within a worker's task."""
    task.push_request(id="f" * 36, root_id="f" * 36, called_directly=False)
    _task_stack.push(task)
    try:
        yield
    finally:
        _task_stack.pop()
        task.pop_request()


def test_each_message_has_ids_of_its_own(broker: redis.Redis) -> None:
    found = []
    for _ in range(2):
        assert asking.ask(match, 7)
        found += sent(broker)
    first, second = found
    assert first["headers"]["id"] != second["headers"]["id"]
    assert first["properties"]["delivery_tag"] != second["properties"]["delivery_tag"]


def test_a_worker_gets_the_task(broker: redis.Redis) -> None:
    """Read by kombu as a worker does."""
    asking.ask(match, 7)
    got = []
    with current_app.connection_for_read() as connection:
        queue = current_app.amqp.queues[QUEUE]
        with connection.Consumer(queue, accept=["json"], callbacks=[lambda body, m: got.append((body, m))]):
            connection.drain_events(timeout=5)
        ((body, message),) = got
        message.ack()
    assert body[0] == [7]
    assert message.headers["task"] == match.name


def test_one_a_pool_waits_until_it_is_taken(broker: redis.Redis) -> None:
    assert [asking.ask(match, pool) for pool in (7, 7, 8, 7)] == [True, False, True, False]
    taken = json.loads(broker.rpop(QUEUE) or "")
    assert taken["headers"]["argsrepr"] == "(7,)"
    assert [asking.ask(match, pool) for pool in (7, 8, 7)] == [True, False, False]
    assert [message["headers"]["argsrepr"] for message in sent(broker)] == ["(8,)", "(7,)"]


def test_a_message_that_was_lost_holds_nobody_back(broker: redis.Redis) -> None:
    asking.ask(match, 7)
    broker.delete(QUEUE)
    assert asking.ask(match, 7)


def test_the_client_is_the_processes_and_survives_a_lost_connection(broker: redis.Redis) -> None:
    mine = client()
    asking.ask(match, 7)
    before = broker.info("stats")["total_connections_received"]
    for pool in range(8, 28):
        asking.ask(match, pool)
    assert broker.info("stats")["total_connections_received"] == before
    assert client() is mine
    broker.client_kill_filter(
        _id=str(mine.client_id())
    )  # ours alone: other tests' processes are on this Redis too
    assert asking.ask(match, 30)


def test_who_asks_is_told_that_redis_is_away(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    with pytest.raises((RedisError, OSError)):
        asking.ask(match, 7)
