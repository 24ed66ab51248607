"""The one thing that this app tells the room above it."""

from collections.abc import Iterable

from django.db import transaction
from django.dispatch import Signal

from tickets.models import Ticket

# Sent after commit: these tickets came into the queue or left it. `ticket_ids`: which; who wants more of them reads them.
# `tickets`: more of them, which the sender has just written, so that nobody needs to read them.
queue_changed = Signal()


def tell_queue_changed(ticket_ids: Iterable[int] = (), *, tickets: Iterable[Ticket] = ()) -> None:
    """Send queue_changed once this transaction has committed; at once if there is none.

    A ticket goes into `tickets` only when its object is as its row is: state and topic are taken from it.
    Robust: what a listener fails at is logged and found again by the tick; the command itself is done and says so.
    """
    ids, written = list(ticket_ids), list(tickets)
    if ids or written:
        transaction.on_commit(
            lambda: queue_changed.send(sender=None, ticket_ids=ids, tickets=written), robust=True
        )
