"""Signs of life in a chat: that the other side is typing, and up to where it has read.

Typing is stored nowhere and may get lost; where somebody has read is a number on the ticket. Neither is an event: what did
not happen to the ticket has no place in its timeline. They go by the bells' way, as frames without a number.
"""

import logging
from enum import StrEnum

from django.conf import settings
from redis.exceptions import RedisError

from tickets import bell
from tickets.models import Ticket
from tickets.redis import client

logger = logging.getLogger(__name__)

TYPING_SECONDS = 2  # a side of a ticket is told to be typing at most once in so many


class Side(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"


def typing(ticket: Ticket, side: Side) -> None:
    """Tell the other side that this one is typing to them. Says nothing when the ticket is not open. Never fails."""
    if not ticket.is_open:
        return
    try:
        first = client().set(
            f"{settings.REDIS_PREFIX}typing:{ticket.public_id}:{side}", 1, nx=True, ex=TYPING_SECONDS
        )
    except (RedisError, OSError) as error:
        logger.debug("signs: Redis does not answer (%s)", error)
        return
    if first:
        bell.sign(ticket.stream, {"by": side.value, "typing": True, "read": None})


def read_up_to(ticket: Ticket, side: Side, seq: int) -> None:
    """This side has seen everything up to this number. A lower number than before, or one that was never given, does nothing.

    One query.
    """
    column = f"read_by_{side}"
    moved = Ticket.objects.filter(pk=ticket.pk, last_seq__gte=seq, **{f"{column}__lt": seq})
    if moved.update(**{column: seq}):
        bell.sign(ticket.stream, {"by": side.value, "typing": False, "read": seq})


def number(text: str) -> int:
    """A number as a page sends it; 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
