"""manage.py train_triage: learn the topics of tickets from a file of labelled ones."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tickets.triage.labelled import InvalidLabels, read
from tickets.triage.report import as_text


class Command(BaseCommand):
    help = "Learn what tickets are about from FILE.csv (columns text and category, or topic, label, intent) and make that live."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument(
            "--precision",
            type=share,
            default=0.98,
            help="of the topics that are set, this share shall be right; from it follows when the model abstains (0.98)",
        )
        parser.add_argument(
            "--report", action="store_true", help="print accuracy, coverage and a table by label"
        )
        parser.add_argument(
            "--nested",
            action="store_true",
            help="only measure, store nothing: learn from nine tenths, threshold and all, judge by the last; ten times",
        )
        parser.add_argument(
            "--anyway",
            action="store_true",
            help="make it live even when no label is a topic here, so that every ticket is left to people",
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        from tickets.triage import learning, versions  # noqa: PLC0415  scikit-learn takes a second to import

        try:
            given = read(options["file"].read_bytes())
            if options["nested"]:
                self._nested(learning, given, options)
                return
            trained = versions.train_file(given, precision=options["precision"], anyway=options["anyway"])
        except (OSError, InvalidLabels) as error:
            raise CommandError(str(error)) from error
        except versions.TrainingUnderWay as error:
            raise CommandError("A model is being trained just now. Please try again in a minute.") from error
        figures = trained.version.report
        if options["json"]:
            self.stdout.write(json.dumps({"version": trained.version.version, **figures}, indent=1))
            return
        if options["report"]:
            self.stdout.write(as_text(figures, held_out="judged on held-out tenths"))
            self.stdout.write("")
        is_live = "live" if trained.version.live else "stored and not live"
        self.stdout.write(
            f"Version {trained.version.version} is {is_live}, learned from {figures['texts']} texts in {figures['seconds']} s"
            f" ({given.empty} rows without text or label left out)."
        )
        of_model = trained.learned.model.labels
        if not trained.version.live:
            self.stdout.write(
                f"None of the {len(of_model)} labels is a topic here (Topics in the admin, by key): it would leave every ticket"
                " to people, so what was live stays. manage.py evaluate_triage judges it; --anyway makes such a model live."
            )
        elif strange := versions.strangers(of_model):
            self.stdout.write(
                f"{len(strange)} of {len(of_model)} labels are no topic here: {', '.join(strange)}."
                " Tickets about them are left to people."
            )

    def _nested(self, learning: Any, given: Any, options: dict[str, Any]) -> None:
        from tickets.triage.calibration import interval  # noqa: PLC0415

        share_, right = learning.nested(given, precision=options["precision"], say=self.stderr.write)
        low, high = interval(share_.right, share_.sure)
        figures = {
            "texts": share_.total,
            "accuracy": right / share_.total,
            "target_precision": options["precision"],
            "coverage": share_.coverage,
            "precision": share_.precision,
            "precision_interval": [low, high],
        }
        if options["json"]:
            self.stdout.write(json.dumps(figures, indent=1))
            return
        self.stdout.write(
            f"{share_.total} texts, ten-fold, model and threshold chosen without the fold that judges them\n"
            f"accuracy {figures['accuracy']:.2%}\nsure of {share_.coverage:.2%}\n"
            f"right, when sure {share_.precision:.2%}, 95 % interval {low:.2%} to {high:.2%}"
        )


def share(text: str) -> float:
    """A share between 0 and 1, both left out."""
    try:
        found = float(text)
    except ValueError as error:
        raise ArgumentTypeError("a number such as 0.98") from error
    if not 0 < found < 1:
        raise ArgumentTypeError("between 0 and 1, such as 0.98")
    return found
