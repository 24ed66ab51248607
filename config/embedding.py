"""The customer's pages inside of other sites' frames: the widget (static/js/widget.js).

Nothing may be framed (frame-ancestors 'none'), but for the customer's pages by the sites that WIDGET_SITES names, and by
ourselves. A browser that asks for a page to be framed says so (Sec-Fetch-Dest). In a frame of another site a cookie is kept
and sent only when it says that it may be (SameSite=None) and, ever more, when it agrees to be another one for each site
(Partitioned): then no site learns what somebody did on the next.
"""

from collections.abc import Callable
from http import cookies
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

# Python learns this attribute in 3.14.
cookies.Morsel._reserved.setdefault("partitioned", "Partitioned")  # type: ignore[attr-defined]
cookies.Morsel._flags.add("partitioned")  # type: ignore[attr-defined]

PAGES = ("/t/", "/language/", "/promise", "/help/")  # and the form
MARK = "embedded"  # a cookie of the frame alone: what its scripts fetch is embedded too


def is_embedded(request: HttpRequest) -> bool:
    """Whether this answer goes into a frame of another site that may show it."""
    if not settings.WIDGET_SITES or not _is_customers(request.path):
        return False
    return request.META.get("HTTP_SEC_FETCH_DEST") == "iframe" or request.COOKIES.get(MARK) == "1"


def _is_customers(path: str) -> bool:
    return path in {"/", "/widget/"} or path.startswith(PAGES)


class Embedding:
    """Middleware, outside of all that sets cookies. Sets request.embedded, for templates too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.embedded = is_embedded(request)  # type: ignore[attr-defined]
        response = self.get_response(request)
        if not request.embedded:  # type: ignore[attr-defined]
            return response
        del response["X-Frame-Options"]  # knows one site at most
        answer: Any = response
        answer._csp_replace = {"frame-ancestors": ["'self'", *settings.WIDGET_SITES]}
        if request.META.get("HTTP_SEC_FETCH_DEST") == "iframe" and request.COOKIES.get(MARK) != "1":
            response.set_cookie(MARK, "1", httponly=True)
        for cookie in response.cookies.values():
            cookie["samesite"] = "None"
            cookie["secure"] = True
            cookie["partitioned"] = True
        return response
