"""The words at which the assistant hands over, as admins set them; where no row says anything, those of the product."""

from functools import cache
from pathlib import Path

from tickets import kept
from tickets.assistant.limits import Rules, rules_of
from tickets.models import AssistantRule

_WORDS = Path(__file__).parent / "words"


def rules() -> Rules:
    """One pattern a kind, of both languages: customers mix them. One query when not kept."""
    return kept.keep("assistant_rules", _load)


def _load() -> Rules:
    rows = {(row.kind, row.language): row for row in AssistantRule.objects.all()}
    # Only a row that was switched off on purpose takes a limit away; one that was deleted does not.
    defaults = [
        (kind, phrases) for (kind, language), phrases in built_in().items() if (kind, language) not in rows
    ]
    return rules_of([*defaults, *((row.kind, row.phrases) for row in rows.values() if row.active)])


@cache
def built_in() -> dict[tuple[str, str], str]:
    """(kind, language) → phrases, one a line."""
    found = {}
    for language in ("en", "de"):
        text = (_WORDS / f"{language}.txt").read_text(encoding="utf-8")
        for block in text.split("\n[")[1:]:
            kind, _, phrases = block.partition("]")
            found[kind, language] = phrases.strip()
    return found
