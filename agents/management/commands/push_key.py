"""Make a key for calls to devices."""

from typing import Any

from django.core.management.base import BaseCommand

from agents.push.keys import fresh


class Command(BaseCommand):
    """Prints a key for PUSH_KEY."""

    help = "Make a private key for web push, for the setting PUSH_KEY."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        self.stdout.write(fresh())
