"""Adds to the assistant's limits the words that were missing: most of all those of people in distress.

What an admin has changed stays: a wording that is there is not added again, one of the first list that was taken out stays out,
and a limit that was switched off stays off.
"""

from pathlib import Path

from django.db import migrations

WORDS = Path(__file__).parent.parent / "assistant" / "words"


def add(apps, schema_editor):  # noqa: ARG001  Django's signature
    rule = apps.get_model("tickets", "AssistantRule")
    for language in ("en", "de"):
        text = (WORDS / f"{language}_more.txt").read_text(encoding="utf-8")
        for block in text.split("\n[")[1:]:
            kind, _, phrases = block.partition("]")
            # A row that was deleted is not made again: where there is none, the product's words count, with these.
            for row in rule.objects.filter(kind=kind, language=language):
                there = [line.strip() for line in row.phrases.splitlines()]
                there += [line for line in phrases.strip().splitlines() if line not in there]
                row.phrases = "\n".join(there)
                row.save(update_fields=["phrases"])


class Migration(migrations.Migration):
    dependencies = [("tickets", "0025_version_before")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop, elidable=False)]
