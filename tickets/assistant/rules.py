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
    """(kind, language) → phrases, one a line: those of the first migration, and those that a later one added."""
    found: dict[tuple[str, str], str] = {}
    for language in ("en", "de"):
        for name in (language, f"{language}_more"):
            text = (_WORDS / f"{name}.txt").read_text(encoding="utf-8")
            for block in text.split("\n[")[1:]:
                kind, _, phrases = block.partition("]")
                found[kind, language] = f"{found.get((kind, language), '')}\n{phrases.strip()}".strip()
    return found
