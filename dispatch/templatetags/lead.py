"""Figures for the team leads' pages, in the reader's language."""

from datetime import datetime

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def milliseconds(micros: int) -> str:
    """1234 → 1.2 or 1,2."""
    return str(number_format(micros / 1000, 1))


@register.filter
def seconds_until(begin: datetime, end: datetime) -> float:
    """Between two moments, at least 0."""
    return max((end - begin).total_seconds(), 0.0)
