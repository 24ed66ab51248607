"""What customers write and what agents answer, from stories.en.txt and stories.de.txt.

A story begins with the key of its topic. "> " is a line of the customer, "< " one of the agent, "{agent}" in it the name;
"* 4 …" ends it: the rating and a comment, if any. Customer and agent take turns, the customer begins, the agent ends.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tickets.masking import mask

LANGUAGES = ("en", "de")


@dataclass(frozen=True)
class Story:
    """One conversation. `customer[0]` opens the ticket; `agent[i]` answers `customer[i]`."""

    topic: str
    language: str
    customer: tuple[str, ...]
    agent: tuple[str, ...]
    score: int
    comment: str

    @property
    def opening(self) -> str:
        return self.customer[0]


@cache
def stories() -> tuple[Story, ...]:
    """All stories, English first."""
    return tuple(story for language in LANGUAGES for story in _read(language))


@cache
def by_opening() -> dict[str, Story]:
    """Opening as agents see it, masked → its story, so that whoever plays the agent finds the answers."""
    return {mask(story.opening).text: story for story in stories()}


def _read(language: str) -> Iterator[Story]:
    text = (Path(__file__).parent / f"stories.{language}.txt").read_text(encoding="utf-8")
    for block in text.split("\n\n"):
        lines = [line for line in block.strip().splitlines() if not line.startswith("#")]
        if not lines:
            continue
        topic, *talk, end = lines
        score, _, comment = end.removeprefix("* ").partition(" ")
        yield Story(
            topic,
            language,
            tuple(line[2:] for line in talk if line.startswith("> ")),
            tuple(line[2:] for line in talk if line.startswith("< ")),
            int(score),
            comment,
        )


# For tickets that no story knows, as those of a newcomer who tries the form.
ANSWERS = {
    "en": (
        "Hello, this is {agent}, thank you for writing. I have read your message and look into it right now.",
        "I have found it in your account. Is there anything else that I should know about it?",
        "Thank you, that helps. I have put it right, and you get a short summary by e-mail.",
    ),
    "de": (
        "Guten Tag, hier ist {agent}, danke für Ihre Nachricht. Ich habe sie gelesen und sehe gleich nach.",
        "Ich habe den Vorgang in Ihrem Konto gefunden. Gibt es noch etwas, das ich dazu wissen sollte?",
        "Danke, das hilft mir. Ich habe es in Ordnung gebracht, eine kurze Zusammenfassung kommt per E-Mail.",
    ),
}
THANKS = {
    "en": ("Thank you!", "Great, thanks a lot.", "All clear now, thank you.", "Thanks, that was easy."),
    "de": (
        "Vielen Dank!",
        "Super, danke schön.",
        "Jetzt ist alles klar, danke.",
        "Danke, das ging ja schnell.",
    ),
}
AGAIN = {
    "en": (
        "Sorry, one more thing: it does not look right in the app yet.",
        "I have to come back to this, it is not done.",
    ),
    "de": (
        "Entschuldigung, noch etwas: In der App sieht es noch nicht richtig aus.",
        "Ich muss noch einmal nachfragen, es ist doch nicht erledigt.",
    ),
}
STILL_THERE = {
    "en": ("Is anybody there?", "Could I talk to a person, please?"),
    "de": ("Ist da jemand?", "Kann ich bitte mit einem Menschen sprechen?"),
}
NOTES = {
    "en": "Checked the payments of the last three months, nothing else is open.",
    "de": "Zahlungen der letzten drei Monate geprüft, sonst ist nichts offen.",
}
NAMES = {
    "en": (
        "Maeve Doyle",
        "Tomás Brandão",
        "Hanna Ruud",
        "Piotr Zieliński",
        "Chiara Longo",
        "Ewan Muir",
        "Saskia Visser",
        "Jonas Holm",
        "Aoife Kearney",
        "Marco Bassi",
        "Freya Lund",
        "Amina Yusuf",
    ),
    "de": (
        "Birte Harms",
        "Karl-Heinz Moosbacher",
        "Aylin Şahin",
        "Torsten Wiebke",
        "Johanna Fürst",
        "Mehmet Güneş",
        "Friederike Baum",
        "Dirk Schimanke",
        "Leonie Reuß",
        "Anton Huber",
        "Swantje Petersen",
        "Olga Weber",
    ),
}


def address_of(name: str) -> str:
    """An e-mail address for a customer of this name, under a domain that nobody has."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss")).encode("ascii", "ignore").decode()
    return plain.replace(" ", ".") + "@customers.example"
