"""The process's Redis client for services: what they say in passing must never keep a customer waiting for long."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

REDIS_SECONDS = 1.0  # a Redis that hangs must not hang a customer


def client() -> redis.Redis:
    """The client, which threads share and a fork does no harm to. Its commands raise redis.exceptions.RedisError or OSError."""
    return _client(settings.REDIS_URL)


Command = tuple[Any, ...]

ILL_SECONDS = 2.0  # for which nobody begins what a Redis that hangs would hold up
_ill_until = 0.0  # time.monotonic()


def is_well() -> bool:
    """Whether Redis has answered all that it was asked of late, by this process."""
    return time.monotonic() >= _ill_until


def answered(command: Command) -> Any:
    """What Redis says to one command. Raises as the client's commands."""
    with on_their_way([command]) as answers:
        return answers()[0]


@contextmanager
def on_their_way(commands: Sequence[Command]) -> Iterator[Callable[[], list[Any]]]:
    """Send commands, all in one journey; gives the function that waits for what Redis says to them, to be called in the block
    when there is nothing else to do meanwhile. Both raise as the client's commands.

    What the client's own ways do around a command costs more than the command, and customers wait for it. Should Redis have
    closed the connection meanwhile, it is opened once more and all are sent again: for commands that may be done twice.
    """
    with _ill_when_it_fails():
        pool: Any = client().connection_pool
        connection = pool.get_connection()
    heard = False

    def answers() -> list[Any]:
        nonlocal heard
        with _ill_when_it_fails():
            try:
                found = _heard(connection, commands)
            except redis.ConnectionError:
                _sent_anew(connection, commands)
                found = _heard(connection, commands)
        heard = True
        pool.release(connection)  # the next command, in the same block perhaps, takes it at once
        return found

    try:
        with _ill_when_it_fails():
            try:
                _sent(connection, commands)
            except redis.ConnectionError:
                _sent_anew(connection, commands)
        yield answers
    finally:
        if not heard:
            connection.disconnect()  # or the next command would get an answer of these
            pool.release(connection)


@dataclass
class Around:
    """What came of around(), known after its block."""

    answers: list[Any] | None = None  # None: Redis did not answer, or was not asked
    late: bool = False  # the block took longer than SOON_SECONDS


# For a transaction. Whoever is told of it beforehand waits for longer (writing.PATIENCE).
SOON_SECONDS = 0.1


@contextmanager
def around(commands: Sequence[Command]) -> Iterator[Around]:
    """Commands that are on their way while the block writes and commits what they are about. Fails only as the block does."""
    begun, found = time.monotonic(), Around()
    with ExitStack() as stack:
        answers = None
        with suppress(redis.RedisError, OSError):
            answers = stack.enter_context(on_their_way(commands)) if commands else None
        yield found
        if answers is not None:
            with suppress(redis.RedisError, OSError):
                found.answers = answers()
    found.late = time.monotonic() - begun > SOON_SECONDS


@contextmanager
def _ill_when_it_fails() -> Iterator[None]:
    global _ill_until  # noqa: PLW0603  one a process
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        _ill_until = time.monotonic() + ILL_SECONDS
        raise


def _sent(connection: Any, commands: Sequence[Command]) -> None:
    connection.send_packed_command(connection.pack_commands(commands))


def _sent_anew(connection: Any, commands: Sequence[Command]) -> None:
    connection.disconnect()
    _sent(connection, commands)


def _heard(connection: Any, commands: Sequence[Command]) -> list[Any]:
    return [connection.read_response() for _ in commands]


@cache
def _client(url: str) -> redis.Redis:
    # A connection that Redis has closed meanwhile is opened once more; what took too long is not tried again.
    return redis.Redis.from_url(
        url,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
