"""The process's Redis client for services: what they say in passing must never keep a customer waiting for long."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

REDIS_SECONDS = 1.0  # a Redis that hangs must not hang a customer


def client() -> redis.Redis:
    """The client, which threads share and a fork does no harm to. Its commands raise redis.exceptions.RedisError or OSError."""
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> redis.Redis:
    # A connection that Redis has closed meanwhile is opened once more; what took too long is not tried again.
    return redis.Redis.from_url(
        url,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
