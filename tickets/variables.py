"""Variables of canned replies, {customer} and the like. Pure."""

import re
from collections.abc import Mapping

KNOWN = ("customer", "number", "agent", "topic")

_PLACE = re.compile(r"\{([^{}\n]*)\}")


def unknown(text: str) -> list[str]:
    """What stands in braces and is no variable, in order, each once."""
    return [name for name in _names(text) if name not in KNOWN]


def left(text: str) -> list[str]:
    """Variables for which nothing was put in, in order, each once."""
    return [name for name in _names(text) if name in KNOWN]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each variable's value; one that has none stays, to be seen. Values are never read for variables again."""
    return _PLACE.sub(lambda found: values.get(found[1]) or found[0], text)


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(_PLACE.findall(text)))
