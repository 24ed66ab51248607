"""The language of a customer's text, so that an agent who speaks it gets the ticket.

py3langid (naive Bayes over byte n-grams, offline), restricted to `LANGUAGES`. Loading costs about 0.8 s and
60 MB once a process (`load`); a call costs 0.05 to 0.1 ms for a few sentences. Long texts are read up to `MAX_CHARS`
only, so none takes longer than 0.3 ms.
"""

import re
import unicodedata
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LANGUAGES = ("en", "de")
MAX_CHARS = 1000  # more changes no decision
MIN_LETTERS = 4  # "ok", "Hi", "PIN" are said in both
MIN_PROBABILITY = (
    0.85  # below, n-grams of a single word decide as often wrong as right ("Moin", "Visa", "Servus")
)

# Addresses, links and words with digits in them (order numbers) are in no language.
_NOT_PROSE = re.compile(r"\S*(?:[@\d]|://|www\.)\S*")
_load_lock = Lock()


@cache
def _identifier() -> "LanguageIdentifier":
    """The model. Held to by `_load_lock`, since functools.cache lets two threads load it at once."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - numpy and the model, only when asked

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier


def load() -> None:
    """Load the model now and not at the first detect()."""
    with _load_lock:
        _identifier()


def detect(text: str, default: str = "en") -> str:
    """The language of the text, one of `LANGUAGES`; `default` as it is for a text too short or undecided.

    Raises nothing on any str. A text in a third language in Latin letters may be taken for either.
    """
    prose = _NOT_PROSE.sub(" ", text[:MAX_CHARS])
    letters = list(filter(str.isalpha, prose))
    latin = (
        len(letters)
        if prose.isascii()
        else sum(
            1
            for sign in letters
            if sign < "\u0250" or unicodedata.name(sign, "").startswith(("LATIN", "FULLWIDTH LATIN"))
        )
    )
    if latin < MIN_LETTERS or latin * 2 < len(letters):
        return default
    load()
    language, probability = _identifier().classify(prose)
    return str(language) if probability >= MIN_PROBABILITY else default
