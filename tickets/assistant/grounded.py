"""Whether what a language model made of an article may be shown: only if the article says it all, and nothing else. Pure.

The text of a model is read like that of a stranger. Each check errs on the side of the quoted article: what is doubtful is not
shown, and the customer gets the article's own words instead. A figure, a link, an amount, a day, a promise, an "I" must be in
the article; each sentence must be made of its words, and say yes where it says yes.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tickets import language as languages
from tickets.assistant.limits import plain
from tickets.masking import mask
from tickets.redacting import redacted

LONGEST = 900  # characters
LONGER = 1.3  # times as long as what it puts in other words, and a sentence more
SHORTEST = 20
GROUNDED = 0.7  # of a sentence's telling words must be in the article
NEW_WORDS = 2  # at most, of one sentence, that are not
STEM = 5  # letters by which two words are taken for one: refund, refunds, refunded

_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n+")
_LINK = re.compile(
    r"\w+://\S+|\bwww\.\S+|\S*@\S*|(?<!\w)(?:[\w-]+\.)+[^\W\d_]{2,}(?:/\S*)?|\bmailto:\S*", re.IGNORECASE
)
_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+|[$€£¥¢₿%‰]")
# What no answer needs: marks of HTML, Markdown and programs; what is not seen; what turns the direction of writing.
_MARKS = frozenset("<>[]{}|\\`*_#~^=")
_UNIT_WITHIN = 3  # words between a figure and what it counts: 3 to 5 days


@dataclass(frozen=True)
class Source:
    """What the model was given of an article: its title and the paragraphs that would be quoted."""

    title: str
    passage: str


def doubt(text: str, source: Source, language: str) -> str | None:
    """Why this must not be shown in place of the passage, a value of Phrasing; None when nothing speaks against it."""
    if _length(text, source):
        return "length"
    if _markup(text, source):
        return "markup"
    if _link(text, source):
        return "link"
    if languages.detect(text, default=language) != language:
        return "language"
    rest = (("figure", _figures), ("claim", _claims), ("words", _words))
    return next((name for name, fails in rest if fails(text, source)), None)


def _length(text: str, source: Source) -> bool:
    most = min(LONGEST, LONGER * len(source.passage) + 80)
    return not SHORTEST <= len(text) <= most


def _markup(text: str, source: Source) -> bool:
    marks = _MARKS - set(source.passage)
    return any(
        sign in marks or (sign != "\n" and unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cn", "Cs"))
        for sign in text
    )


def _link(text: str, source: Source) -> bool:
    """A link, an address or a number of a person that the article does not have."""
    there = {found.rstrip(".,;:!?)").lower() for found in _LINK.findall(source.passage)}
    named = {found.rstrip(".,;:!?)").lower() for found in _LINK.findall(text)}
    if not named <= there or redacted(text).found:
        return True
    return not set(mask(text).kinds) <= set(mask(source.passage).kinds)


# --- Figures ----------------------------------------------------------------------------------------------------------


def _figures(text: str, source: Source) -> bool:
    """A number that the article does not have, or one that counts something else there; in digits or in words."""
    return not _counted(text) <= _counted(f"{source.title}\n{source.passage}")


def _counted(text: str) -> set[tuple[str, str]]:
    """(number, "") and (number, what it counts) of all numbers, and ("", unit) of all that counts something."""
    tokens = _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())
    numbers = _lists("numbers")
    found: set[tuple[str, str]] = set()
    for place, token in enumerate(tokens):
        if unit := _unit(token):
            found.add(("", unit))
        after = tokens[place + 1 : place + 1 + _UNIT_WITHIN]
        if plain(token) in _lists("one"):
            counts = bool(after) and (bool(_unit(after[0])) or plain(after[0]) in _lists("ranges"))
            value = "1" if counts and any(_unit(word) for word in after) else None
        else:
            value = _digits(token) if token[0].isdigit() else numbers.get(plain(token))
        if value is None:
            continue
        found.add((value, ""))
        before = tokens[max(0, place - 1) : place]
        if unit := next((unit for word in (*after, *before) if (unit := _unit(word))), ""):
            found.add((value, unit))
    return found


def _digits(token: str) -> str:
    """In ASCII, whatever the script."""
    return "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in token)


def _unit(word: str) -> str:
    if word in "$€£¥¢₿":
        return "money"
    return "share" if word in "%‰" else _lists("units").get(plain(word), "")


# --- Claims -----------------------------------------------------------------------------------------------------------


def _claims(text: str, source: Source) -> bool:
    """What only a person may say, or the article: I, we will, promises, money back, a day of the week, the machine itself."""
    said, there = plain(text).split(), plain(f"{source.title} {source.passage}").split()
    whole, begin = _lists("claims"), _beginnings()
    for word in set(said) - set(there):
        if word in whole:
            return True
        for start in begin:
            if word.startswith(start) and not any(other.startswith(start) for other in there):
                return True
    return False


@cache
def _beginnings() -> tuple[str, ...]:
    return tuple(_lists("beginnings"))


# --- Words ------------------------------------------------------------------------------------------------------------


def _words(text: str, source: Source) -> bool:
    """A sentence that is not made of the article's words, or that says no where the article's says yes, or the other way."""
    there = [
        _Sentence.of(one) for one in _SENTENCE.split(f"{source.title}.\n{source.passage}") if one.strip()
    ]
    known = frozenset[str]().union(*(one.stems for one in there))
    told = frozenset[str]()
    for said in (_Sentence.of(one) for one in _SENTENCE.split(text) if one.strip()):
        if not said.stems:
            continue
        new = said.stems - known
        if len(new) > NEW_WORDS or len(new) > (1 - GROUNDED) * len(said.stems):
            return True
        likest = max(there, key=lambda one: len(one.stems & said.stems) / (1 + len(one.stems)))
        if likest.negated != said.negated and not any(
            one.negated == said.negated and len(one.stems & said.stems) >= len(said.stems) - len(new)
            for one in there
        ):
            return True
        told |= said.stems
    return len(told) < 3


@dataclass(frozen=True)
class _Sentence:
    stems: frozenset[str]
    negated: bool

    @classmethod
    def of(cls, text: str) -> "_Sentence":
        words = plain(text).split()
        small, no = _lists("small"), _lists("negations")
        negated = any(word in no for word in words) or "n't" in text.lower().replace("’", "'")
        return cls(
            frozenset(
                word[:STEM] for word in words if word not in small and word not in no and not word.isdigit()
            ),
            negated,
        )


# --- Lists ------------------------------------------------------------------------------------------------------------


@cache
def _lists(name: str) -> dict[str, str]:
    """A list of words/grounded.txt: word → what stands after “=” in its line, or nothing."""
    text = (Path(__file__).parent / "words" / "grounded.txt").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for block in text.split("\n[")[1:]:
        head, _, lines = block.partition("]\n")
        if head != name:
            continue
        for line in lines.splitlines():
            words, _, meaning = line.partition("=")
            found |= dict.fromkeys((plain(word) for word in words.split()), meaning.strip())
    return found
