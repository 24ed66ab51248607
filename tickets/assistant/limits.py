"""What the assistant leaves to a person, by the customer's words and by how the conversation goes. Pure.

A rule is a phrase: words, of which a * at the end stands for any ending, and … for up to three words. Texts and phrases are
compared without case, accents and punctuation; ä counts as ae.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# In this order: what weighs more for the person who takes over is named first.
KINDS = (
    "vulnerable",
    "fraud",
    "hardship",
    "privacy",
    "legal",
    "dispute",
    "complaint",
    "trick",
    "person",
    "emotion",
)
SHOUTS = 3  # exclamation marks in a row, or words in capitals
SAME = 0.8  # of the words of two messages: then the second one repeats the first
FEWEST_WORDS = 5  # from which on a text without common words is in no language that we know
COMMON_SHARE = 0.15

_FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "’": " ", "'": " "})
_WORD = re.compile(r"[a-z0-9]+")
# Words by which English and German are known, whatever a text is about; and those of an answer to “Did that help?”.
_COMMON = frozenset(
    """
    i a the my me is are was it to of in on and or not no for from with you your we have has had do does did can could how
    what when where why which will would that this be been an at by but if there please help hi hello thanks want need get
    got still about after before more than also only since any all up out change pay order account money
    ich du er sie es wir ihr der die das den dem ein eine einen einem einer mein meine meinen meinem meiner ist sind war bin
    hat haben habe kann kannst koennen koennte wie was wann wo warum welche wird werden zu zum zur in im auf und oder nicht
    kein keine fuer von vom mit bei aus nach vor an am als auch noch schon nur wenn dass ob da mir mich ihnen bitte hilfe
    hallo danke guten tag moechte will muss soll brauche geht gibt kommt immer wieder seit ueber bis konto paket geld kauf
    zahlung
    """.split()  # noqa: SIM905
)
_YES = frozenset(
    """
    yes thanks thank helped helps worked solved perfect great ja danke dank geholfen hilft erledigt klar super perfekt
    """.split()  # noqa: SIM905
)
_YES_BESIDE = _YES | frozenset(
    """
    yeah ok okay you very much a lot that it this did works done fine all good cheers vielen schoen sehr das es hat passt alles
    """.split()  # noqa: SIM905
)
_NO = frozenset(("no", "nope", "not", "didn", "doesn", "nein", "ne", "nee", "nicht"))
_NO_BESIDE = _NO | frozenset(
    """
    really it that this did does t help helped work unfortunately sorry thanks leider das es hat mir geholfen hilft wirklich
    danke
    """.split()  # noqa: SIM905
)
MOST_WORDS = 7  # of a verdict


@dataclass(frozen=True)
class Limits:
    """Of a topic: so many answers that did not help, so long a text (characters), so long a conversation (minutes)."""

    answers: int = 2
    chars: int = 1000
    minutes: int = 20


@dataclass(frozen=True)
class Talk:
    """A conversation when the assistant is to answer. `said`: what it is to answer; `before`: what was said earlier."""

    said: str
    before: tuple[str, ...] = ()
    files: bool = False
    not_helped: int = 0
    minutes: float = 0.0


Rules = Mapping[str, re.Pattern[str]]


def plain(text: str) -> str:
    """Words without case, accents and punctuation, with one space between them."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_FOLD)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(sign))
    return " ".join(_WORD.findall(bare))


def rules_of(rows: Iterable[tuple[str, str]]) -> Rules:
    """(kind, phrases, one a line) → one pattern a kind. Lines without a word are passed over."""
    phrases: dict[str, list[str]] = {}
    for kind, lines in rows:
        phrases.setdefault(kind, []).extend(
            pattern for line in lines.splitlines() if (pattern := _pattern(line))
        )
    return {
        kind: re.compile(rf"\b(?:{'|'.join(patterns)})\b") for kind, patterns in phrases.items() if patterns
    }


def _pattern(line: str) -> str:
    parts: list[str] = []
    for word in line.split():
        if word == "…":
            parts.append(r"(?:[a-z0-9]+ ){0,3}")
        elif bare := plain(word):
            ending = "[a-z0-9]*" if word.endswith("*") else ""
            parts.append(bare.replace(" ", " ") + ending + " ")
    return "".join(parts).strip() if any("[a-z0-9]+" not in part for part in parts) else ""


def words_of_limit(text: str, rules: Rules) -> str | None:
    """The kind of the first limit whose words are in the text, in the order of KINDS."""
    bare = plain(text)
    return next((kind for kind in KINDS if kind in rules and rules[kind].search(bare)), None)


def shouts(text: str) -> bool:
    """Three exclamation marks together, or three words of three letters and more in capitals."""
    loud = sum(word.isupper() for word in re.findall(r"\b[^\W\d_]{3,}\b", text))
    return "!" * SHOUTS in text.replace(" ", "") or loud >= SHOUTS


def unknown_language(text: str) -> bool:
    """Neither English nor German, as far as one can tell: not in Latin letters, or hardly a common word."""
    letters = [sign for sign in text if sign.isalpha()]
    latin = sum(sign < "\u0250" for sign in letters)
    if latin * 2 < len(letters) or not letters:
        return True
    words = plain(text).split()
    return len(words) >= FEWEST_WORDS and sum(word in _COMMON for word in words) < COMMON_SHARE * len(words)


def repeats(said: str, before: Iterable[str]) -> bool:
    """Whether it says again what was said before: nearly the same words, three at least."""
    words = set(plain(said).split())
    for earlier in before:
        there = set(plain(earlier).split())
        if len(words) >= 3 and len(words & there) >= SAME * len(words | there):
            return True
    return False


def verdict(said: str) -> bool | None:
    """A message that is nothing but a yes or no to “Did that help?”; None for any other."""
    words = plain(said).split()
    if not 0 < len(words) <= MOST_WORDS or "?" in said:
        return None
    for whole, core, means in ((_NO_BESIDE, _NO, False), (_YES_BESIDE, _YES, True)):
        if whole.issuperset(words) and not core.isdisjoint(words):
            return means
    return None


def limit(talk: Talk, limits: Limits, rules: Rules) -> str | None:
    """Why a person has to take over, a value of HandoverReason; None when the assistant may answer."""
    if kind := words_of_limit(talk.said, rules):
        return kind
    checks = (
        ("emotion", shouts(talk.said)),
        ("file", talk.files),
        ("not_helped", talk.not_helped >= limits.answers),
        ("repeats", repeats(talk.said, talk.before)),
        ("long", len(talk.said) > limits.chars),
        ("lasting", talk.minutes > limits.minutes),
        ("language", unknown_language(talk.said)),
    )
    return next((reason for reason, reached in checks if reached), None)
