"""One client of the cache a process, whatever the context."""

import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.cache import caches

from config.caches import ProcessCache


def client_here() -> tuple[int, int]:
    """The cache object of this context, and its client."""
    cache: Any = caches["default"]
    return id(cache), id(cache._cache.get_client(write=True))


def test_requests_share_one_client() -> None:
    """Each in a context of its own, as a2wsgi runs them."""
    held = [caches["default"]]  # or the next object might get the same id
    with ThreadPoolExecutor(4) as pool:

        def look() -> tuple[int, int]:
            held.append(caches["default"])
            return client_here()

        seen = [pool.submit(contextvars.Context().run, look).result() for _ in range(8)]
    assert len({cache for cache, _client in seen}) == 8
    assert len({client for _cache, client in [*seen, client_here()]}) == 1


def test_it_has_the_settings_timeouts() -> None:
    cache: Any = caches["default"]
    kwargs = cache._cache.get_client().connection_pool.connection_kwargs
    assert (kwargs["socket_timeout"], kwargs["socket_connect_timeout"]) == (1, 1)


def test_without_redis_it_knows_nothing_and_people_log_in(settings: Any) -> None:
    """allauth counts log-ins in it: `add` is its lock."""
    cache = ProcessCache("unix:///nowhere/redis.sock", {"OPTIONS": {"socket_timeout": 1}})
    assert cache.add("a", 1, timeout=5) is True
    assert cache.get("a", "nothing") == "nothing"
    assert cache.set("a", 1) is None
    assert cache.delete("a") is False


def test_it_works() -> None:
    cache = caches["default"]
    cache.delete("tests:caches")
    assert cache.add("tests:caches", 1, timeout=5) is True
    assert cache.add("tests:caches", 2, timeout=5) is False
    assert cache.get("tests:caches") == 1
