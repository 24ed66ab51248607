"""Fills the assistant's limits with the words that come with the product; admins change them from then on."""

from pathlib import Path

from django.db import migrations

WORDS = Path(__file__).parent.parent / "assistant" / "words"


def fill(apps, schema_editor):  # noqa: ARG001  Django's signature
    rule = apps.get_model("tickets", "AssistantRule")
    for language in ("en", "de"):
        text = (WORDS / f"{language}.txt").read_text(encoding="utf-8")
        for block in text.split("\n[")[1:]:
            kind, _, phrases = block.partition("]")
            rule.objects.create(kind=kind, language=language, phrases=phrases.strip())


class Migration(migrations.Migration):
    dependencies = [("tickets", "0018_assistant")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=False)]
