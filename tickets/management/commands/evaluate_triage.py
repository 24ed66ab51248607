"""manage.py evaluate_triage: what the live model makes of labelled tickets that it has not seen."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tickets.models import TriageModel
from tickets.triage.labelled import InvalidLabels, read
from tickets.triage.model import InvalidModel, unpack
from tickets.triage.report import as_text, evaluation


class Command(BaseCommand):
    help = "Put the texts of FILE.csv (columns text and category, or topic, label, intent) to the model and compare."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument(
            "--version-number", type=int, metavar="N", help="another version than the live one"
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        wanted = options["version_number"]
        rows = (
            TriageModel.objects.filter(live=True)
            if wanted is None
            else TriageModel.objects.filter(version=wanted)
        )
        row = rows.first()
        if row is None:
            raise CommandError("There is no such model. manage.py train_triage FILE.csv makes one.")
        try:
            given = read(options["file"].read_bytes())
            model = unpack(bytes(row.content), row.sha256)
        except (OSError, InvalidLabels, InvalidModel) as error:
            raise CommandError(str(error)) from error
        figures = {"version": row.version, **evaluation(model, given, row.precision)}
        if options["json"]:
            self.stdout.write(json.dumps(figures, indent=1))
        else:
            self.stdout.write(as_text(figures, held_out=f"version {row.version}, on {options['file'].name}"))
