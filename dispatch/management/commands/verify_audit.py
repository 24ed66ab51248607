"""Compute the audit chain again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dispatch import audit


class Command(BaseCommand):
    """Ends with an error at the first entry that is not what it was."""

    help = "Say whether changes of the configuration and acts of team leads are what they were when they were written."
    requires_system_checks: Any = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--kept", default="", metavar="NUMBER:HASH", help="a head that an earlier call has told"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        found = audit.verify(kept=options["kept"])
        if found.broken:
            raise CommandError(f"{found.broken} ({found.entries} entries; head {found.head})")
        if found.since is None:
            self.stdout.write("0 entries.")
            return
        self.stdout.write(
            f"{found.entries} entries, unbroken since {found.since:%Y-%m-%d %H:%M:%S} UTC.\n"
            f"Head: {found.head}\n"
            "Keep it where nobody who can write to this database can write, and ask for it again with --kept."
        )
