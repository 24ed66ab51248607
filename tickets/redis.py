"""The process's Redis client for services: what they say in passing must never keep a customer waiting for long."""

from collections.abc import Sequence
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


def publish(messages: Sequence[tuple[str, bytes]]) -> None:
    """PUBLISH each (channel, message), all in one journey. Raises as the client's commands.

    What a pipeline does around it costs more than the publishing, and customers wait for it.
    """
    pool: Any = client().connection_pool
    commands = [("PUBLISH", channel, message) for channel, message in messages]
    connection = pool.get_connection()
    try:
        try:
            _said(connection, commands)
        except redis.ConnectionError:  # Redis has closed it meanwhile: it is opened once more
            connection.disconnect()
            _said(connection, commands)
    except BaseException:
        connection.disconnect()  # or the next command would get an answer of these
        raise
    finally:
        pool.release(connection)


def _said(connection: Any, commands: Sequence[tuple[Any, ...]]) -> None:
    connection.send_packed_command(connection.pack_commands(commands))
    for _ in commands:
        connection.read_response()


@cache
def _client(url: str) -> redis.Redis:
    # A connection that Redis has closed meanwhile is opened once more; what took too long is not tried again.
    return redis.Redis.from_url(
        url,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
