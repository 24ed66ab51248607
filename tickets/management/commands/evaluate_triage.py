"""manage.py evaluate_triage: what the live model makes of labelled tickets that it has not seen."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tickets.models import TriageModel
from tickets.triage.labelled import InvalidLabels, Labelled, read
from tickets.triage.model import InvalidModel, Model, unpack
from tickets.triage.report import as_text, evaluation

MISSING = "There is no such model. manage.py train_triage FILE.csv makes one."


class Command(BaseCommand):
    help = "Put the texts of FILE.csv (columns text and category, or topic, label, intent) to the model and compare."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument(
            "--version-number",
            type=int,
            metavar="N",
            help="this version; default: the live one, or one that knows such labels",
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        if not TriageModel.objects.exists():
            raise CommandError(MISSING)
        try:
            given = read(options["file"].read_bytes())
            row, model = _model_for(given, options["version_number"])
        except (OSError, InvalidLabels, InvalidModel) as error:
            raise CommandError(str(error)) from error
        figures = {"version": row.version, **evaluation(model, given, row.precision)}
        if options["json"]:
            self.stdout.write(json.dumps(figures, indent=1))
        else:
            self.stdout.write(as_text(figures, held_out=f"version {row.version}, on {options['file'].name}"))


def _model_for(given: Labelled, wanted: int | None) -> tuple[TriageModel, Model]:
    """The version that was asked for, else the live one; and where that knows none of the file's labels, the newest that knows
    one: it was trained from such a file and could not go live. Raises CommandError, InvalidModel.
    """
    rows = TriageModel.objects.exclude(content=b"").order_by("-live", "-version")
    if wanted is not None:
        rows = TriageModel.objects.filter(version=wanted)
    first: tuple[TriageModel, Model] | None = None
    for row in rows:
        model = unpack(bytes(row.content), row.sha256)
        if wanted is not None or given.counts.keys() & set(model.labels):
            return row, model
        first = first or (row, model)
    if first is None:
        raise CommandError(MISSING)
    return first
