"""The one thing that this app tells the room above it."""

from collections.abc import Iterable

from django.db import transaction
from django.dispatch import Signal

# Sent after commit with agent_ids: these people came, went, or have more or less free than before.
availability_changed = Signal()


def tell_availability_changed(agent_ids: Iterable[int]) -> None:
    """Send availability_changed once this transaction has committed; at once if there is none.

    Robust: what a listener fails at is logged and found again by the tick; the command itself is done and says so.
    """
    ids = list(agent_ids)
    if ids:
        transaction.on_commit(lambda: availability_changed.send(sender=None, agent_ids=ids), robust=True)
