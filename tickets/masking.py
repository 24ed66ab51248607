"""Hides customers' personal data in what agents and team leads read: mail addresses, telephone numbers, postal addresses,
dates of birth, surnames, names of files. What is stored stays whole; dispatch/reveals.py shows one place of it, for a reason.

    >>> mask("Call +49 171 2345617 or write to carla@example.org", ()).text
    'Call +49 … 17 or write to c…@…'

Of a hidden piece there remains: of a mail address its first letter, of a telephone number the country's code if it was written
and the last two digits, of a surname its first letter, of the others nothing. "…" fences what remains off from what stands
beside it, so that a second run finds nothing new.

Where it is unsure it hides: the reader can ask for it. Card numbers and IBANs are gone before anything is stored
(tickets/redaction.py). Pure: no Django. Time is linear in the text.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from tickets.masking_numbers import birth_dates, phone_mark, phones
from tickets.masking_places import addresses

KINDS = ("name", "email", "phone", "address", "birth", "file")
HIDDEN = "[…]"


class Span(NamedTuple):
    """Where something personal stands in a text: [start, end)."""

    start: int
    end: int
    kind: str


class Masked(NamedTuple):
    """The text without it, and the kinds that were found, each once, in the order of KINDS."""

    text: str
    kinds: tuple[str, ...]


_EMAIL = re.compile(
    r"(?<![\w.+%'’-])\w[\w.+%'’-]{0,63}(?:@|\s?[\[(](?:at|@|ät)[\])]\s?)"
    r"[^\W_][\w-]{0,62}(?:(?:\.|\s?[\[(](?:dot|punkt|\.)[\])]\s?)[^\W_][\w-]{0,62}){1,6}",
    re.IGNORECASE,
)
_AT = re.compile(r"@|[\[(](?:at|ät)[\])]", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_TITLES = frozenset(
    (
        "herr",
        "frau",
        "dr",
        "dr.",
        "prof",
        "prof.",
        "dipl.-ing.",
        "mr",
        "mr.",
        "mrs",
        "mrs.",
        "ms",
        "ms.",
        "miss",
        "mx",
        "mx.",
    )
)
_FORMAL = frozenset(("herr", "frau", "mr", "mr.", "mrs", "mrs.", "ms", "ms.", "miss", "mx", "mx."))
_SHORTEST = 3  # letters of a surname that is looked for in texts; shorter ones are parts of everything


def spans(text: str, names: tuple[str, ...] = ()) -> list[Span]:
    """What is personal in a text, in its order, no two overlapping. `names`: surnames, as `surnames` gives them."""
    found: list[Span] = []
    if _AT.search(text):
        found += [Span(*match.span(), "email") for match in _EMAIL.finditer(text)]
    if _DIGIT.search(text):
        found += [Span(start, end, "birth") for start, end in birth_dates(text)]
        found += [Span(start, end, "phone") for start, end in phones(text)]
        found += [Span(start, end, "address") for start, end in addresses(text)]
    if names:
        found += [Span(*match.span(), "name") for match in _names(names).finditer(text)]
    return _apart(found)


def _apart(found: list[Span]) -> list[Span]:
    """In order; of those that overlap the whole goes, under the kind that is looked for first."""
    if len(found) < 2:
        return found
    order = {kind: place for place, kind in enumerate(("email", "birth", "phone", "address", "name"))}
    merged: list[Span] = []
    for one in sorted(found):
        last = merged[-1] if merged else None
        if last is None or one.start >= last.end:
            merged.append(one)
        else:
            kind = min(last.kind, one.kind, key=order.__getitem__)
            merged[-1] = Span(last.start, max(last.end, one.end), kind)
    return merged


@lru_cache(maxsize=2048)  # a message is drawn again and again: in each snapshot, for each event beside it
def mask(text: str, names: tuple[str, ...] = ()) -> Masked:
    """The text with all of that hidden. mask(mask(x).text).text == mask(x).text; nothing else changes."""
    found = spans(text, names)
    if not found:
        return Masked(text, ())
    parts, done = [], 0
    for one in found:
        parts += [text[done : one.start], _mark(text[one.start : one.end], one.kind)]
        done = one.end
    kinds = {one.kind for one in found}
    return Masked("".join((*parts, text[done:])), tuple(kind for kind in KINDS if kind in kinds))


def mask_names(text: str, names: tuple[str, ...]) -> Masked:
    """Only the surnames hidden, in what the reader wrote."""
    put = _names(names).sub(lambda name: f"{name[0][0]}…", text) if names else text
    return Masked(put, ("name",) if put != text else ())


def _mark(written: str, kind: str) -> str:
    if kind == "email":
        return f"{written[0]}…@…"
    if kind == "name":
        return f"{written[0]}…"
    return phone_mark(written) if kind == "phone" else HIDDEN


# --- Fields -----------------------------------------------------------------------------------------------------------


def mask_name(name: str) -> Masked:
    """A customer's name for an agent: titles and the first name, of the rest the first letters. One word alone is a first name,
    unless a title says that it is not."""
    if "@" in name:
        return mask(name)
    hidden = set(surnames(name, shortest=1))
    if not hidden or "…" in name:
        return Masked(name, ())
    put = re.sub(r"[^\s,]+", lambda word: f"{word[0][0]}…" if word[0].lower() in hidden else word[0], name)
    return Masked(put, ("name",)) if put != name else Masked(name, ())


def surnames(name: str, shortest: int = _SHORTEST) -> tuple[str, ...]:
    """The words of a customer's name that are hidden, in small letters, the longest first."""
    last, comma, first = name.partition(",")
    words = name.replace(",", " ").lower().split()
    if comma and first.strip():
        rest = last.lower().split()
    else:
        titles = [word for word in words if word in _TITLES]
        plain = [word for word in words if word not in _TITLES]
        formal = any(title in _FORMAL for title in titles)
        rest = plain if len(plain) == 1 and (formal or titles) else plain[1:]
    return tuple(
        sorted(
            {word for word in rest if len(word) >= shortest and word not in _TITLES},
            key=lambda w: (-len(w), w),
        )
    )


def mask_email(address: str) -> Masked:
    """A field that holds nothing but an address."""
    return Masked(f"{address[0]}…@…", ("email",)) if address else Masked("", ())


def mask_file(name: str) -> Masked:
    """People put their names into those of files: the kind of file remains."""
    _stem, dot, extension = name.rpartition(".")
    plain = dot and extension.isascii() and extension.isalnum() and len(extension) <= 5
    return Masked(f"….{extension}" if plain else "…", ("file",))


def kinds_of(*found: Iterable[str]) -> list[str]:
    """Kinds of several pieces, each once, in the order of KINDS."""
    there = {kind for kinds in found for kind in kinds}
    return [kind for kind in KINDS if kind in there]


@lru_cache(maxsize=512)
def _names(names: tuple[str, ...]) -> re.Pattern[str]:
    # "Harms’" and "Müllers" are the same name in another case of the grammar.
    return re.compile(
        r"(?<!\w)(?:" + "|".join(re.escape(name) for name in names) + r")s?(?![\w…])", re.IGNORECASE
    )
