"""What this app tells the room above it, and asks it."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from tickets.models import Ticket

logger = logging.getLogger(__name__)

# Sent after commit: these tickets came into the queue or left it. `ticket_ids`: which; who wants more of them reads them.
# `tickets`: more of them, which the sender has just written, so that nobody needs to read them.
queue_changed = Signal()
# Sent before a new `ticket` that will wait is written, by a transaction of the number `writer` (writing.py). Who answers with a
# context manager has it written and committed within its block. The ticket has its key.
queue_changing = Signal()
# Sent after commit with ticket_id: the assistant is to answer.
answer_wanted = Signal()
# Sent after commit with rating_id: a customer has rated a resolution.
rating_given = Signal()
# Sent inside of the transaction with ticket_id: what a customer said is deleted, here and wherever else it stands.
erasing = Signal()
# Asked with topic_id, a customer's page being drawn: until when could an answer be promised now? None: it is not.
answer_time_asked = Signal()
# Asked while the form is drawn: is anybody online who answers?
anybody_online_asked = Signal()


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


def telling_queue_changes(ticket: Ticket, writer: int) -> AbstractContextManager[None]:
    """tell_queue_changed() around the writing of a ticket and its commit, which the block does: what has to be asked for is on
    its way meanwhile. To be called before the ticket is written, so that whatever listeners read is in no transaction.

    Robust: what a listener fails at is logged, and told again after the commit.
    """
    blocks = [block for _who, block in queue_changing.send_robust(sender=None, ticket=ticket, writer=writer)]
    return _telling(ticket, blocks)


@contextmanager
def _telling(ticket: Ticket, blocks: Sequence[Any]) -> Iterator[None]:
    all_told = True
    with ExitStack() as stack:
        for block in blocks:
            try:
                stack.enter_context(block)
            except Exception:  # also where the answer is the exception that Django has logged
                logger.exception("a listener failed at a ticket to come; it is told after the commit")
                all_told = False
        yield
    if not all_told:
        tell_queue_changed(tickets=[ticket])


def answer_time(topic_id: int | None) -> datetime | None:
    """Until when somebody above would promise an answer if it were promised now; None: nobody would."""
    said: list[Any] = [time for _who, time in answer_time_asked.send(sender=None, topic_id=topic_id)]
    return min((time for time in said if time is not None), default=None)


def anybody_online() -> bool:
    """Whether somebody above knows of a person who is online."""
    return any(online for _who, online in anybody_online_asked.send(sender=None))


def tell_answer_wanted(ticket_id: int) -> None:
    """Send answer_wanted once this transaction has committed. Robust: what fails is logged, and found again by the tick."""
    transaction.on_commit(lambda: answer_wanted.send(sender=None, ticket_id=ticket_id), robust=True)


def tell_rating_given(rating_id: int) -> None:
    """Send rating_given once this transaction has committed. Robust: what fails is logged, and found again within the hour."""
    transaction.on_commit(lambda: rating_given.send(sender=None, rating_id=rating_id), robust=True)
