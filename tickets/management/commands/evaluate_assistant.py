"""manage.py evaluate_assistant: how sure the assistant's search is, on labelled questions; and its calibration."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tickets.assistant.evaluate import calibrate, read_questions, report, trials


class Command(BaseCommand):
    help = "Precision, coverage and threshold of the assistant's search on a file of labelled questions, with their intervals."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="“address-of-article | question” a line, - for none")
        parser.add_argument("--language", choices=[code for code, _name in settings.LANGUAGES], required=True)
        parser.add_argument("--json", action="store_true", help="as JSON")
        parser.add_argument("--store", action="store_true", help="as the calibration that counts from now on")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        try:
            questions = read_questions(options["file"])
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        language = options["language"]
        if options["store"]:
            with transaction.atomic():
                found = calibrate(language, questions).report
        else:
            found = report(language, questions, trials(language, questions))
        self.stdout.write(json.dumps(found, indent=1) if options["json"] else _words(found))


def _words(found: dict[str, Any]) -> str:
    head = (
        f"{found['questions']} questions ({found['language']}), {found['answerable']} of them with an answer; "
        f"the best article is the right one for {found['best_is_right']}"
    )
    lines = [
        head,
        "target  threshold  precision (95 %)      coverage (95 %)       held out: precision, coverage",
    ]
    for row in found["targets"]:
        if row["threshold"] is None:
            lines.append(f"{row['target']:.2f}    never good enough: it leaves everything to people")
            continue
        here, out = row["here"], row["held_out"]
        lines.append(
            f"{row['target']:.2f}    {row['threshold']:.3f}      {_share(here, 'precision')}  {_share(here, 'coverage')}  "
            f"{_share(out, 'precision')}  {_share(out, 'coverage')}"
        )
    return "\n".join(lines)


def _share(row: dict[str, Any], name: str) -> str:
    if row[name] is None:
        return "–"
    low, high = row[f"{name}_interval"]
    return f"{row[name]:.3f} ({low:.3f}–{high:.3f})"
