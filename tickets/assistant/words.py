"""All that the assistant says by itself, and how an answer is composed: of these sentences and of an article's own. Pure.

`compose` is the one place where an answer comes from. What a language model adds to it comes from rephrasing.py, checked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tickets.assistant.limits import plain

MOST = (
    900  # characters of an article that are quoted; of a longer one the paragraphs that fit the question best
)

SAYS: dict[str, dict[str, str]] = {
    "en": {
        "name": "Assistant (machine)",
        "hello": "Hello, I am the assistant of {brand}: a machine, not a person.",
        "quote": "This may be your answer, from our article “{title}”:",
        "another": "Perhaps this is it, from our article “{title}”:",
        "rephrased": "In short, put into words by a language model:",
        "itself": "In the words of the article:",
        "whole": "The whole article: {link}",
        "helped": "Did that help?",
        "person": "If not, choose “Talk to a person”: one click is enough.",
        "sorry": "I am sorry that it did not help.",
        "other_words": "Please ask in other words, or choose “Talk to a person”.",
        "machine": "I am the assistant of {brand}, a machine, and I leave this to a person.",
        "queued": "Your ticket is in the queue now, and you need not repeat anything.",
        "glad": "I am glad that it helped.",
        "silent": "I have not heard from you again, so I close the ticket.",
        "again": "It opens again with one click, and goes to a person then.",
    },
    "de": {
        "name": "Assistent (Maschine)",
        "hello": "Guten Tag, ich bin der Assistent von {brand}: eine Maschine, kein Mensch.",
        "quote": "Das könnte Ihre Antwort sein, aus unserem Artikel „{title}“:",
        "another": "Vielleicht ist es das, aus unserem Artikel „{title}“:",
        "rephrased": "Kurz gesagt, von einem Sprachmodell formuliert:",
        "itself": "Im Wortlaut des Artikels:",
        "whole": "Der ganze Artikel: {link}",
        "helped": "Hat das geholfen?",
        "person": "Wenn nicht, wählen Sie „Mit einem Menschen sprechen“: Ein Klick genügt.",
        "sorry": "Es tut mir leid, dass es nicht geholfen hat.",
        "other_words": "Bitte fragen Sie mit anderen Worten, oder wählen Sie „Mit einem Menschen sprechen“.",
        "machine": "Ich bin der Assistent von {brand}, eine Maschine, und überlasse das einem Menschen.",
        "queued": "Ihr Ticket ist jetzt in der Warteschlange, und Sie müssen nichts wiederholen.",
        "glad": "Es freut mich, dass es geholfen hat.",
        "silent": "Ich habe nichts mehr von Ihnen gehört und schließe deshalb das Ticket.",
        "again": "Mit einem Klick ist es wieder offen und geht dann an einen Menschen.",
    },
}


@dataclass(frozen=True)
class Quoted:
    """What an answer quotes."""

    title: str
    body: str
    link: str


def tongue(language: str) -> str:
    """The language in which it speaks to who speaks this one."""
    return "de" if language.startswith("de") else "en"


def say(language: str, *names: str, **values: str) -> str:
    """Sentences of its own, one after the other."""
    return " ".join(SAYS[tongue(language)][name].format(**values) for name in names)


def compose(
    quoted: Quoted, question: str, *, language: str, brand: str, first: bool, rephrased: str = ""
) -> str:
    """The answer that quotes an article. `first`: its first message in this ticket, which says that it is a machine.

    `rephrased`: what a language model made of the passage, checked; it stands before the quotation and says what it is.
    """
    parts = [
        *([say(language, "hello", brand=brand)] if first else []),
        say(language, "quote" if first else "another", title=quoted.title),
        *([say(language, "rephrased"), rephrased, say(language, "itself")] if rephrased else []),
        passage(quoted.body, question),
        say(language, "whole", link=quoted.link),
        say(language, "helped", "person"),
    ]
    return "\n\n".join(parts)


def passage(body: str, question: str) -> str:
    """An article's paragraphs as they stand, in their order: all, or those that share most words with the question."""
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", body.replace("\r\n", "\n")) if part.strip()]
    if sum(len(part) for part in paragraphs) <= MOST:
        return "\n\n".join(paragraphs)
    asked = {word for word in plain(question).split() if len(word) > 3}
    best = sorted(
        range(len(paragraphs)), key=lambda place: (-len(asked & set(plain(paragraphs[place]).split())), place)
    )
    taken: list[int] = []
    length = 0
    for place in best:
        if not taken or length + len(paragraphs[place]) <= MOST:
            taken.append(place)
            length += len(paragraphs[place])
    return "\n\n".join(paragraphs[place] for place in sorted(taken))


_NOTE = {
    "en": ("Handed over by the assistant (a machine).", "Asked", "Tried", "Nothing was answered.", "Why"),
    "de": (
        "Vom Assistenten (einer Maschine) übergeben.",
        "Gefragt",
        "Versucht",
        "Nichts wurde geantwortet.",
        "Grund",
    ),
}
_OUTCOME = {
    "en": {True: "helped", False: "did not help", None: "no word about it"},
    "de": {True: "hat geholfen", False: "hat nicht geholfen", None: "keine Rückmeldung"},
}


def handover_note(
    language: str, asked: Iterable[str], tried: Iterable[tuple[str, bool | None]], why: str
) -> str:
    """What travels to the person: what was asked, which articles were tried (title, helped), why it was handed over."""
    head, word_asked, word_tried, nothing, word_why = _NOTE[tongue(language)]
    lines = [head, *(f"{word_asked}: {_short(one)}" for one in asked)]
    outcomes = _OUTCOME[tongue(language)]
    lines += [f"{word_tried}: “{title}”, {outcomes[helped]}" for title, helped in tried] or [nothing]
    return "\n".join([*lines, f"{word_why}: {why}"])


def _short(text: str, most: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
