"""What a scripted customer says, and what its agent has met. Pure: the same messages always give the same talk.

A script is points. Each is heard in a message by its words; then the customer gives the answer that stands with it. Nothing is
kept between messages but the messages themselves.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

Words = tuple[tuple[str, ...], ...]
"""Alternatives; each is words that one message must all have, as they are or as beginnings of longer ones."""


class Point(NamedTuple):
    """`avoid`: it is met by never being heard."""

    words: Words
    answer: str = ""
    avoid: bool = False


class Script(NamedTuple):
    points: Sequence[Point]
    unclear: str  # said to a message in which nothing new is heard
    thanks: str  # said when all points that are to be met have been heard


def words_of(text: str) -> Words:
    """A line is an alternative: "order number" wants both words, in any order."""
    return tuple(tuple(found) for line in text.splitlines() if (found := _tokens(line)))


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def heard(points: Sequence[Point], said: Sequence[str]) -> set[int]:
    """Places of the points that any of these messages has the words of."""
    messages = [_tokens(text) for text in said]
    return {
        place
        for place, point in enumerate(points)
        if any(_has(tokens, line) for tokens in messages for line in point.words)
    }


def _has(tokens: Sequence[str], line: Sequence[str]) -> bool:
    return all(any(token.startswith(word) for token in tokens) for word in line)


def answer(script: Script, before: Sequence[str], now: Sequence[str]) -> str:
    """What the customer says to the messages `now`, which came after those `before`; "" once they have said thanks."""
    wanted = {place for place, point in enumerate(script.points) if not point.avoid}
    old = heard(script.points, before)
    new = heard(script.points, [*before, *now])
    said = [script.points[place].answer for place in sorted(new - old) if script.points[place].answer]
    thanked = bool(before) and wanted <= old
    if wanted <= new and not thanked:
        said.append(script.thanks)
    if not said and not thanked:
        said.append(script.unclear)
    return "\n".join(said)


def met(points: Sequence[Point], said: Sequence[str]) -> list[bool]:
    """Which points the agent's messages have met. What is to be avoided counts only for who has said anything."""
    there = heard(points, said)
    return [(place in there) != point.avoid and bool(said) for place, point in enumerate(points)]
