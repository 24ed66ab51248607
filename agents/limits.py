"""The API's limits for strangers (config/throttles.py), for pages."""

from types import SimpleNamespace
from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle


def too_often(request: HttpRequest, scope: str) -> bool:
    """Count this request; whether its sender has come too often (DEFAULT_THROTTLE_RATES)."""
    view = cast("Any", SimpleNamespace(throttle_scope=scope))
    asked = Request(request)
    classes = cast("list[type[BaseThrottle]]", api_settings.DEFAULT_THROTTLE_CLASSES)
    return not all(one().allow_request(asked, view) for one in classes)
