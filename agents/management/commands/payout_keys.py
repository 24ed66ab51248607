"""The keys that seal account numbers: make one, or seal everything anew under the first one."""

from argparse import ArgumentParser
from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand

from agents.pay.sealing import reseal_all


class Command(BaseCommand):
    """`make` prints a key for PAYOUT_KEYS. `reseal` puts all that older keys have sealed under the first one."""

    help = "Make a key for PAYOUT_KEYS, or seal everything anew under its first key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["make", "reseal"])

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        if options["what"] == "make":
            self.stdout.write(Fernet.generate_key().decode())
            return
        self.stdout.write(f"{reseal_all()} sealed anew")
