"""News of this app for whoever passes them on, such as webhooks. Sent after commit; a receiver's failure harms nobody."""

import logging
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from dispatch.models import Alert

logger = logging.getLogger(__name__)

# event: "opened", "repeated", "acknowledged", "closed"; alert: the row as it is then. Each is told once, by whichever worker
# has changed the row.
alert_changed = Signal()


def tell_alert_changed(event: str, alert: Alert) -> None:
    """Send alert_changed once this transaction has committed."""

    def send() -> None:
        answers: list[tuple[Any, Any]] = alert_changed.send_robust(sender=None, event=event, alert=alert)
        for _receiver, answer in answers:
            if isinstance(answer, Exception):
                logger.error("news of an alert were not passed on", exc_info=answer)

    transaction.on_commit(send)
