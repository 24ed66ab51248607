"""The limits for strangers (DEFAULT_THROTTLE_RATES, config/throttles.py) for pages, and by e-mail address."""

from types import SimpleNamespace
from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle


def seconds_left(request: HttpRequest, scope: str, who: str = "") -> float:
    """Count this request; for how long its sender has to wait, 0: not at all. `who`: counted instead of the
    client's address."""
    view = cast("Any", SimpleNamespace(throttle_scope=scope, throttle_who=who.casefold()))
    asked = cast("Request", request)  # what limits ask of one, Django's has too
    for throttle in cast("list[type[BaseThrottle]]", api_settings.DEFAULT_THROTTLE_CLASSES):
        one = throttle()
        if not one.allow_request(asked, view):
            return one.wait() or 1.0
    return 0.0


def client_address(request: HttpRequest) -> str:
    """The client's address as it is counted: by the proxies that are ours, never by what the client says of itself."""
    return BaseThrottle().get_ident(cast("Request", request)) or ""
