"""Shares and times for the pages of the promise, in the reader's language."""

import re

from django import template
from django.utils.formats import number_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """0.9412 → 94 %; a dash for None. Rounded down, so that 100 % means all."""
    return "–" if share is None else f"{number_format(int(share * 100 + 1e-9))}\N{NO-BREAK SPACE}%"


@register.filter
def plain(number: float) -> str:
    """For an attribute: with a point, in every language."""
    return f"{number:.3f}"


@register.filter
def duration(seconds: float | None) -> str:
    """A time, without its sign: 48 s, 3 min 20 s, 2 h 5 min; a dash for None."""
    if seconds is None:
        return "–"
    whole = round(abs(seconds))
    if whole < 60:
        return _("%(seconds)d s") % {"seconds": whole}
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        both = {"minutes": minutes, "seconds": rest}
        return _("%(minutes)d min %(seconds)d s") % both if rest else _("%(minutes)d min") % both
    hours, minutes = divmod(round(whole / 60), 60)
    both = {"hours": hours, "minutes": minutes}
    return _("%(hours)d h %(minutes)d min") % both if minutes else _("%(hours)d h") % both


@register.filter
def small_units(words: str) -> SafeString:
    """What stands beside the numbers of a duration in <small>, for figures that are read from afar."""
    return mark_safe(re.sub(r"[^\W\d_]+", r"<small>\g<0></small>", escape(words)))  # noqa: S308  escaped before
