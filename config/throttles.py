"""Limits for strangers, by the client's address (or the view's `throttle_who`) and the view's `throttle_scope`.

A limit of N in a time lets exactly N pass within any such time, however many come at the same moment: looking and counting are
one step in Redis, by its clock. tickets/limits.py and agents/limits.py ask for pages.
"""

import logging
import uuid
from typing import TYPE_CHECKING

from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

from tickets.redis import client

if TYPE_CHECKING:
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

    def allow_request(self, request: Request, view: "APIView") -> bool:
        self.scope = getattr(view, self.scope_attr, None)
        if not self.scope:
            return True
        self.num_requests, self.duration = self.parse_rate(self.get_rate())
        if not self.num_requests or not self.duration:
            return True
        try:
            micros = client().eval(
                COUNT,
                1,
                self._key(request, view),
                self.duration * 1_000_000,
                self.num_requests,
                uuid.uuid4().hex,
            )
        except (RedisError, OSError) as error:
            logger.warning("throttle: Redis does not answer (%s); letting through", type(error).__name__)
            return True
        self.seconds = int(micros) / 1_000_000
        return not self.seconds

    def wait(self) -> float | None:
        """Seconds until it goes on, after a refusal."""
        return self.seconds or None

    def _key(self, request: Request, view: "APIView") -> str:
        """Who is counted is not written down in Redis."""
        who = getattr(view, "throttle_who", "") or self.get_ident(request)
        return f"throttle:{self.scope}:{salted_hmac('config.throttles', who).hexdigest()}"
