"""Django's cache in Redis with one client a process.

Django keeps a cache object a context, and each object of its Redis backend has a pool of connections of its own. Plain HTTP is
run in a copied context a request (config/threads.py), so each request that touched the cache connected anew: three round trips
for one, and a client that is put together from scratch. A client of redis-py and its pool are safe to share between threads,
and the pool begins anew in a forked process.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.utils.functional import cached_property
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_clients: dict[str, RedisCacheClient] = {}  # servers and options → the process's client
_lock = threading.Lock()


class OneClient(RedisCacheClient):
    """The client of one server. It makes its redis-py client once, where Django's makes one a command."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options)
        self._one = super().get_client(write=True)

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:  # noqa: ARG002  Django's signature
        return self._one


class ProcessCache(RedisCache):
    """RedisCache for a LOCATION of one server, the same client in all threads and contexts.

    What lies in it are counts of log-ins (allauth). While Redis is away nothing is known and nothing is kept, and people log
    in: the limits open, as those of config/throttles.py do.
    """

    _servers: list[str]
    _options: dict[str, Any]

    @cached_property
    def _cache(self) -> RedisCacheClient:
        name = repr((self._servers, sorted(self._options.items())))
        with _lock:
            if name not in _clients:
                _clients[name] = OneClient(self._servers, **self._options)
            return _clients[name]

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _or(default, super().get, key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        _or(None, super().set, key, value, timeout, version)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(_or(True, super().add, key, value, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(_or(False, super().delete, key, version))


def _or(instead: Any, ask: Callable[..., Any], *args: Any) -> Any:
    try:
        return ask(*args)
    except (RedisError, OSError) as error:
        logger.warning("cache: Redis does not answer (%s); going on without", type(error).__name__)
        return instead
