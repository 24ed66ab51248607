"""Limits for strangers, by the client's address (or the view's `throttle_who`) and the view's `throttle_scope`.

A limit of N in a time lets exactly N pass within any such time, however many come at the same moment: looking and counting are
one step in Redis, by its clock. tickets/limits.py and agents/limits.py ask for pages.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, cast

from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

from tickets.limits import client_address
from tickets.redis import Command, client, on_their_way

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.views import APIView  # at run time it imports this file

logger = logging.getLogger(__name__)

# KEYS[1]: the moments of those that passed, in microseconds. ARGV: span in microseconds, limit, a name for this one.
# Returns for how many microseconds to wait; 0: it has passed, and is counted. Refused ones are not counted.
COUNT = """
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at - ARGV[1])
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[1], at, ARGV[3])
  redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1] / 1000))
  return 0
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return math.max(1, oldest[2] + ARGV[1] - at)
"""


class Scoped(ScopedRateThrottle):
    """DRF's limit by scope, counted in one step. It opens when Redis is away: a customer in need is worth more than a counted
    request."""

    seconds = 0.0
    counted = ("", "")  # where, and as what

    def parse_rate(self, rate: str | None) -> tuple[int | None, int | None]:
        """DRF's “30/min”, and of several: “5/5min”. (how many, in how many seconds)"""
        number, _slash, span = (rate or "").partition("/")
        unit = span.lstrip("0123456789")
        many, seconds = super().parse_rate(f"{number}/{unit}" if rate else None)
        return many, seconds * int(span.removesuffix(unit) or 1) if seconds else None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        with self.counting(request, view) as allowed:
            return allowed()

    @contextmanager
    def counting(self, request: Request, view: "APIView") -> Iterator[Callable[[], bool]]:
        """allow_request() in two steps: counted now, and heard by the function that is given, to be called in the block."""
        command = self._command(request, view)
        with ExitStack() as stack:
            answers = None
            if command is not None:
                try:
                    answers = stack.enter_context(on_their_way([command]))
                except (RedisError, OSError) as error:
                    _opened(error)

            def allowed() -> bool:
                if answers is None:
                    return True
                try:
                    [micros] = answers()
                except (RedisError, OSError) as error:
                    _opened(error)
                    return True
                self.seconds = int(micros) / 1_000_000
                return not self.seconds

            yield allowed

    def _command(self, request: Request, view: "APIView") -> Command | None:
        """What counts this one; None where nothing is counted."""
        self.scope = getattr(view, self.scope_attr, None)
        if not self.scope:
            return None
        self.num_requests, self.duration = self.parse_rate(self.get_rate())
        if not self.num_requests or not self.duration:
            return None
        self.counted = self._key(request, view), uuid.uuid4().hex
        key, one = self.counted
        return "EVAL", COUNT, 1, key, self.duration * 1_000_000, self.num_requests, one

    def wait(self) -> float | None:
        """Seconds until it goes on, after a refusal."""
        return self.seconds or None

    def take_back(self) -> None:
        """Count this one no longer, where only some are to count."""
        key, one = self.counted
        if not one:
            return
        try:
            client().zrem(key, one)
        except (RedisError, OSError) as error:
            logger.warning("throttle: Redis does not answer (%s); one stays counted", type(error).__name__)

    def _key(self, request: Request, view: "APIView") -> str:
        """Who is counted is not written down in Redis."""
        who = getattr(view, "throttle_who", "") or client_address(cast("HttpRequest", request))
        return f"throttle:{self.scope}:{salted_hmac('config.throttles', who).hexdigest()}"


def _opened(error: Exception) -> None:
    logger.warning("throttle: Redis does not answer (%s); letting through", type(error).__name__)
