"""Mail of a trial: nobody gets it. It is written to the log, and as files that mail programs open."""

import itertools
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.console import EmailBackend

KEPT = 500  # files; simulated customers get mail day and night
_number = itertools.count(1)


class Postbox(EmailBackend):
    """Django's console, and MAIL_FOLDER/<time>-….eml, the newest KEPT of them."""

    def write_message(self, message: EmailMessage) -> Any:
        folder, number = Path(settings.MAIL_FOLDER), next(_number)
        with suppress(OSError):  # a trial's disk may be full; its mail is worth no error
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{number}.eml"
            (folder / name).write_bytes(message.message().as_bytes())
            if number % 50 == 0:
                for old in sorted(folder.glob("*.eml"))[:-KEPT]:
                    old.unlink(missing_ok=True)
        return super().write_message(message)
