"""Take in the mail that lies in the mailbox of MAIL_IN_URL."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tickets.inbox.fetching import IMAPClientError, mail_fetch


class Command(BaseCommand):
    """Prints how many mails were taken in."""

    help = "Take in the mail that lies in the mailbox of MAIL_IN_URL. Celery beat does so every half minute."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        if not settings.MAIL_IN_URL:
            raise CommandError("MAIL_IN_URL is not set: imaps://user:password@host/folder")
        try:
            self.stdout.write(str(mail_fetch()))
        except (OSError, IMAPClientError) as error:
            raise CommandError(f"the mail server: {error}") from error
