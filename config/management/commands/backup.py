"""Write a backup: the database and the files, as one file."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import backup


class Command(BaseCommand):
    """Prints where it is, and what is in it. While it runs, the installation goes on."""

    help = "Write database and files to one file. In a folder it gets a name with the time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path, help="a folder, or the file to write")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        target: Path = options["target"]
        if target.is_dir():
            target /= f"standby-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar"
        try:
            told = backup.make(target, Path(settings.MEDIA_ROOT))
        except backup.BackupFailed as failure:
            raise CommandError(str(failure)) from failure
        self.stdout.write(
            f"{target}: {sum(told.rows.values())} rows of {len(told.rows)} tables, {told.files} files"
        )
        self.stdout.write("Keep SECRET_KEY and PAYOUT_KEYS elsewhere: they are not in it.")
