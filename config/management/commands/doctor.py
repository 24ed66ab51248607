"""Look whether the installation is well."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import doctor

SIGNS = {"ok": "ok     ", "warning": "warning", "failure": "FAILURE"}


class Command(BaseCommand):
    """Ends with an error when there is a failure; warnings are told only."""

    help = "Look at settings, servers, migrations, keys, processes, clocks and disk, and say what to do."
    requires_system_checks: Any = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")
        parser.add_argument("--mail", action="store_true", help="log in to the mail server too")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        found = doctor.examine(with_mail=options["mail"])
        failures = sum(one.level == "failure" for one in found)
        if options["json"]:
            self.stdout.write(
                json.dumps({"well": not failures, "findings": [asdict(one) for one in found]}, indent=1)
            )
        else:
            for one in found:
                self.stdout.write(
                    f"{SIGNS[one.level]}  {one.about}: {one.says}" + (f" {one.do}" if one.do else "")
                )
        if failures:
            raise CommandError(f"{failures} failures.")
