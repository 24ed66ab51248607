"""The one thing that this app tells the room above it."""

from collections.abc import Iterable

from django.db import transaction
from django.dispatch import Signal

# Sent after commit with ticket_ids: these tickets came into the queue or left it.
queue_changed = Signal()


def tell_queue_changed(ticket_ids: Iterable[int]) -> None:
    """Send queue_changed once this transaction has committed; at once if there is none.

    Robust: what a listener fails at is logged and found again by the tick; the command itself is done and says so.
    """
    ids = list(ticket_ids)
    if ids:
        transaction.on_commit(lambda: queue_changed.send(sender=None, ticket_ids=ids), robust=True)
