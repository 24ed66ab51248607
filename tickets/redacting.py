"""Redaction as this installation wants it: what tickets/redaction.py takes out, and the shapes of REDACT_SHAPES."""

from functools import lru_cache

from django.conf import settings

from tickets.redaction import Redacted, Shape, redact, shapes


def redacted(text: str) -> Redacted:
    """The text without card numbers and the like. Raises nothing on any str."""
    return redact(text, _shapes(tuple(settings.REDACT_SHAPES.items())))


@lru_cache(maxsize=1)
def _shapes(wanted: tuple[tuple[str, str], ...]) -> tuple[Shape, ...]:
    return shapes(dict(wanted))
