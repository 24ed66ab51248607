"""Limits of the API for strangers, by the client's address and the view's `throttle_scope`."""

import logging
from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView  # at run time it imports this file

logger = logging.getLogger(__name__)


class Scoped(ScopedRateThrottle):
    """DRF's limit, which opens when Redis is away: a customer in need is worth more than a counted request.

    It reads and then writes its count, so requests at the same moment may pass together; limits that count atomically
    come with issue 5.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        try:
            return bool(super().allow_request(request, view))
        except (RedisError, OSError) as error:
            logger.warning("throttle: Redis does not answer (%s); letting through", type(error).__name__)
            return True
