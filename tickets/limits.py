"""The limits for strangers (DEFAULT_THROTTLE_RATES, config/throttles.py) for pages, and by e-mail address."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle


def seconds_left(request: HttpRequest, scope: str, who: str = "") -> float:
    """Count this request; for how long its sender has to wait, 0: not at all. `who`: counted instead of the
    client's address."""
    with counting(request, scope, who) as seconds:
        return seconds()


@contextmanager
def counting(request: HttpRequest, scope: str, who: str = "") -> Iterator[Callable[[], float]]:
    """seconds_left() in two steps, for who has something to do meanwhile: counted now, and heard by the function that is given,
    to be called in the block."""
    view = cast("Any", SimpleNamespace(throttle_scope=scope, throttle_who=who.casefold()))
    asked = cast("Request", request)  # what limits ask of one, Django's has too
    limits = [one() for one in cast("list[Any]", api_settings.DEFAULT_THROTTLE_CLASSES)]
    with ExitStack() as stack:
        answers = [(one, stack.enter_context(one.counting(asked, view))) for one in limits]

        def seconds() -> float:
            return max((one.wait() or 1.0 for one, allowed in answers if not allowed()), default=0.0)

        yield seconds


def client_address(request: HttpRequest) -> str:
    """The client's address as it is counted: by the proxies that are ours, never by what the client says of itself."""
    if (
        "HTTP_X_FORWARDED_FOR" not in request.META
    ):  # nothing to weigh up; DRF would make an object of all headers to see it
        return request.META.get("REMOTE_ADDR") or ""
    return BaseThrottle().get_ident(cast("Request", request)) or ""
