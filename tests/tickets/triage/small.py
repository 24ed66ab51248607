"""A few labelled texts, and the model learned from them: tenths of a second."""

from functools import cache

from tickets.triage.labelled import Labelled
from tickets.triage.learning import Learned, learn

SAYINGS = {
    "refund": ("refund", "money back", "reimbursement", "credit note"),
    "card": ("card blocked", "card lost", "plastic broken", "pin wrong"),
}
FRAMES = (
    "where is my {}", "{} please", "I need help with {}", "my {} since monday", "{}?", "why {} again",
    "tell me about {}", "the {} is late", "hello, {} not there", "still {} today",
)  # fmt: skip


def labelled() -> Labelled:
    """40 texts of each of two labels."""
    pairs = [
        (frame.format(word), label) for label, words in SAYINGS.items() for word in words for frame in FRAMES
    ]
    return Labelled(tuple(text for text, _ in pairs), tuple(label for _, label in pairs))


@cache
def learned() -> Learned:
    return learn(labelled(), precision=0.9)
