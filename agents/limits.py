"""The API's limits for strangers (config/throttles.py): for pages, and for guesses at a password."""

from types import SimpleNamespace
from typing import Any, cast

from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle


def too_often(request: HttpRequest, scope: str) -> bool:
    """Count this request; whether its sender has come too often (DEFAULT_THROTTLE_RATES)."""
    view = cast("Any", SimpleNamespace(throttle_scope=scope))
    asked = Request(request)
    classes = cast("list[type[BaseThrottle]]", api_settings.DEFAULT_THROTTLE_CLASSES)
    return not all(one().allow_request(asked, view) for one in classes)


class Guess:
    """A try at the password of an address (“token_guesses”), as the log-in page counts them. Raises Throttled.

    It is counted before the password is looked at, since many may come at once; one that was not wrong is taken back.
    """

    def __init__(self, request: Request, address: str) -> None:
        view = cast("Any", SimpleNamespace(throttle_scope="token_guesses", throttle_who=address.lower()))
        classes = cast("list[type[Any]]", api_settings.DEFAULT_THROTTLE_CLASSES)
        self.counts = [one() for one in classes]
        for count in self.counts:
            if not count.allow_request(request, view):
                raise Throttled(count.wait())

    def take_back(self) -> None:
        for count in self.counts:
            count.take_back()
