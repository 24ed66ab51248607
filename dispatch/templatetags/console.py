"""Money and moments for the agents' pages, in the reader's language."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.numbers import format_currency
from django import template
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language

register = template.Library()


@register.filter
def money(cents: int, currency: str = "EUR") -> str:
    """400 → €4.00 or 4,00 €."""
    return _money(cents, currency, get_language() or "en")


@register.filter
def sums(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """The amounts `name` of rows with a currency each: "€4.00 + $3.00"; what is 0 is left out unless all is."""
    told = [money(row[name], row["currency"]) for row in rows if row[name]]
    return " + ".join(told) or money(0, rows[0]["currency"] if rows else "EUR")


@lru_cache(
    maxsize=1024
)  # cards show the same few rates, and the formatting costs more than the rest of a line
def _money(cents: int, currency: str, language: str) -> str:
    return str(format_currency(Decimal(cents) / 100, currency, locale=Locale.parse(language, sep="-")))


@register.filter
def moment(text: str | datetime) -> datetime | None:
    """A frame's time as a datetime, for Django's own filters."""
    return text if isinstance(text, datetime) else parse_datetime(text)
