"""The parts of the console that are drawn at each offer, by templates that Jinja has compiled (templates/jinja2)."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template import engines
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext, override
from jinja2 import Environment, StrictUndefined
from markupsafe import escape

from dispatch.templatetags.console import money


def draw(name: str, context: dict[str, Any], request: HttpRequest | None = None) -> SafeString:
    """HTML of templates/jinja2/dispatch/<name>.html. With a request, forms have its token."""
    language = get_language() or settings.LANGUAGE_CODE
    known = {"csrf_input": "", "_": _words(language)}
    # Safe: the engine has escaped what came from outside.
    drawn: SafeString = mark_safe(template(name, language).render(known | context, request))  # noqa: S308
    return drawn


@cache
def template(name: str, language: str) -> Any:
    """The template compiled for one language: its parts put in where they are included, and the words that depend on nothing
    said once and for all. Each include would be a context of its own, each word a look-up and an escape, twenty a card.
    """
    with override(language):
        source = _SAID.sub(_said, _whole(f"dispatch/{name}.html"))
    return engines["jinja2"].from_string(source)


_INCLUDED = re.compile(r'{% include "([^"]+)" %}')
_SAID = re.compile(r'{{ _\("([^"\\]+)"\) }}')


def _whole(name: str) -> str:
    engine: Any = engines["jinja2"]
    source, _file, _fresh = engine.env.loader.get_source(engine.env, name)
    return _INCLUDED.sub(lambda part: _whole(part[1]).removesuffix("\n"), source)


def _said(words: re.Match[str]) -> str:
    said = str(escape(gettext(words[1])))
    if "{{" in said or "{%" in said:
        raise ValueError(f"a translation of {words[1]!r} looks like a part of a template")
    return said


def environment(**options: Any) -> Environment:
    """What Django's Jinja backend asks for (TEMPLATES in settings.py)."""
    made = Environment(**options | {"undefined": StrictUndefined})  # noqa: S701  Django's options switch escaping on
    made.globals |= {"path": _path}
    made.filters |= {"money": money, "clock": _clock}
    return made


class _Words(dict[str, str]):
    """What the catalogues say in one language, by the English words: asked once, since each card shows the same twenty."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __missing__(self, words: str) -> str:
        with override(self.language):
            self[words] = said = gettext(words)
        return said


@cache
def _words(language: str) -> Callable[[str], str]:
    """`_` of the templates."""
    return _Words(language).__getitem__


_NUMBER = 9_007_199_254_740_993  # in no address of ours


def _path(name: str, number: int | None = None) -> str:
    """As `reverse`, for addresses with one number or none."""
    if number is None:
        return _address(name)
    return _address(name, _NUMBER).replace(str(_NUMBER), str(number))


@cache
def _address(name: str, *args: int) -> str:
    return reverse(name, args=args)


def _clock(moment: str) -> str:
    """An ISO 8601 time as hours and minutes of the active time zone, which is the agent's (fragments.of)."""
    return localtime(datetime.fromisoformat(moment)).strftime("%H:%M")
