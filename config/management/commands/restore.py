"""Restore a backup into an empty database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import backup


class Command(BaseCommand):
    """Verifies the archive first, writes the database in one transaction, counts its rows, writes the files."""

    help = "Restore a file that `manage.py backup` has written. Stop web, workers and beat before."
    requires_system_checks: Any = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path)
        parser.add_argument("--replace", action="store_true", help="lose what is in the database")
        parser.add_argument(
            "--verify", action="store_true", help="look whether the file is whole, and do no more"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        source: Path = options["source"]
        try:
            if options["verify"]:
                manifest = backup.verify(source)
                self.stdout.write(f"{source} is whole, of {manifest['made_at']}")
                return
            told = backup.restore(source, Path(settings.MEDIA_ROOT), replace=options["replace"])
        except backup.BackupFailed as failure:
            raise CommandError(str(failure)) from failure
        self.stdout.write(
            f"restored: {sum(told.rows.values())} rows of {len(told.rows)} tables, {told.files} files"
        )
        self.stdout.write(
            "Next: `manage.py migrate`, which does nothing if the version is the same, then `manage.py doctor`."
        )
