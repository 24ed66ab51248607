"""Who may see a page of the team leads, and how their addresses are read."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from agents.permissions import everywhere

Page = Callable[..., HttpResponseBase]

SEES_RUNS = "dispatch.view_run"  # what the demo's group “Team leads” has, and admins


def lead_page(permission: str, methods: Sequence[str] = ("GET", "HEAD")) -> Callable[[Page], Page]:
    """A page for accounts with this permission in the whole house; others are told that it is not theirs."""

    def of(view: Page) -> Page:
        @require_http_methods(list(methods))
        @never_cache
        @login_required
        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not everywhere(request.user, permission):
                return render(request, "dispatch/lead/not_yours.html", status=403)
            return view(request, *args, **kwargs)

        return page

    return of


def read_number(text: str) -> int:
    """A row's number in an address; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
