"""What is observed of each plain HTTP request: its number for the logs, and how long it took by route.

X-Request-ID   comes in (a proxy's; letters, digits, "-", "_", "."), or is made; goes out with the answer
"""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config import logs, metrics

logger = logging.getLogger("standby.requests")

HEADER, GIVEN = "X-Request-ID", "HTTP_X_REQUEST_ID"
_FINE = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Observed:
    """The outermost middleware, so that what others refuse is observed too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get(GIVEN, "")  # request.headers would be all of them, made for this one
        number = given if _FINE.fullmatch(given) else uuid.uuid4().hex[:20]
        request.number = number  # type: ignore[attr-defined]  # what Django itself writes comes after us
        with logs.about(request=number):
            began = time.perf_counter()
            response = self.get_response(request)
            seconds = time.perf_counter() - began
            match = request.resolver_match
            route = match.route if match else "none"
            metrics.request_observe(request.method or "", route, response.status_code, seconds)
            if settings.LOG_REQUESTS:
                facts = {"route": route, "method": request.method, "status": response.status_code}
                logger.info("answered", extra=facts | {"ms": round(seconds * 1000, 1)} | _ticket_of(request))
        response[HEADER] = number
        return response

    def process_view(self, request: HttpRequest, *_view: object) -> None:
        logs.about_set(**_ticket_of(request))  # gone with the request's own: reset goes to what was before it


def _ticket_of(request: HttpRequest) -> dict[str, object]:
    """The ticket that an address names: its number inside, or its public id on the customer's pages. Neither is a secret."""
    kwargs = request.resolver_match.kwargs if request.resolver_match else {}
    ticket = kwargs.get("ticket_id") or kwargs.get("public_id")
    return {"ticket": str(ticket)} if ticket is not None else {}
