"""The parts of the console that are drawn at each offer, by templates that Jinja has compiled (templates/jinja2)."""

from datetime import datetime
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.template.loader import get_template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext
from jinja2 import Environment, StrictUndefined

from dispatch.templatetags.console import money


def draw(name: str, context: dict[str, Any], request: HttpRequest | None = None) -> SafeString:
    """HTML of templates/jinja2/dispatch/<name>.html. With a request, forms have its token."""
    # Safe: the engine has escaped what came from outside.
    drawn: SafeString = mark_safe(template(name).render({"csrf_input": ""} | context, request))  # noqa: S308
    return drawn


@cache
def template(name: str) -> Any:
    """The compiled template."""
    return get_template(f"dispatch/{name}.html", using="jinja2")


def environment(**options: Any) -> Environment:
    """What Django's Jinja backend asks for (TEMPLATES in settings.py)."""
    made = Environment(**options | {"undefined": StrictUndefined})  # noqa: S701  Django's options switch escaping on
    made.globals |= {"_": gettext, "path": _path}
    made.filters |= {"money": money, "clock": _clock}
    return made


def _path(name: str, *args: Any) -> str:
    return reverse(name, args=args)


def _clock(moment: str) -> str:
    """An ISO 8601 time as hours and minutes of the account's time zone."""
    return localtime(datetime.fromisoformat(moment)).strftime("%H:%M")
