"""Who works at Later & Co: an admin, a team lead, and the 40 agents of people.txt."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dispatch.demo.brand import DOMAIN

ADMIN = ("admin", "Ada Petersen")
LEAD = ("lead", "Levent Arslan")


@dataclass(frozen=True)
class Person:
    """One agent: log-in, languages, pool keys, skill key → level."""

    login: str
    name: str
    languages: tuple[str, ...]
    pools: tuple[str, ...]
    skills: dict[str, int]
    about: str

    @property
    def email(self) -> str:
        return f"{self.login}@{DOMAIN}"

    @cached_property
    def first_name(self) -> str:
        """What customers see."""
        return self.name.split()[0]


def _read() -> Iterator[tuple[Person, ...]]:
    """The blocks of people.txt."""
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    for block in text.split("\n\n")[1:]:
        yield tuple(_person(line) for line in block.splitlines() if not line.startswith("#"))


def _person(line: str) -> Person:
    login, name, languages, pools, skills, about = (part.strip() for part in line.split("·"))
    words = skills.split()
    levels = {skill: int(level) for skill, level in zip(words[::2], words[1::2], strict=True)}
    return Person(login, name, tuple(languages.split()), tuple(pools.split()), levels, about)


NEWCOMERS, OTHERS = _read()
AGENTS = NEWCOMERS + OTHERS
