"""Signs of life in a chat: that the other side is typing, and up to where it has read.

Typing is stored nowhere and may get lost; where somebody has read is a number on the ticket. Neither is an event: what did
not happen to the ticket has no place in its timeline. They go by the bells' way, as frames without a number.
"""

import logging
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from tickets import bell
from tickets.models import Ticket
from tickets.redis import client

logger = logging.getLogger(__name__)

TYPING_SECONDS = 2  # a side of a ticket is told to be typing at most once in so many
HERE_SECONDS = 30  # six beats of a page


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


def here(public_id: str) -> None:
    """A socket of the customer is open. Told at its opening and with each beat; forgotten after HERE_SECONDS. Never fails."""
    try:
        client().set(_here(public_id), 1, ex=HERE_SECONDS)
    except (RedisError, OSError) as error:
        logger.debug("signs: Redis does not answer (%s)", error)


def who_is_here(public_ids: Sequence[str]) -> set[str]:
    """Those of these tickets whose customer has a socket open. Without Redis nobody: what is unread still says enough."""
    if not public_ids:
        return set()
    try:
        found: Any = client().mget([_here(public_id) for public_id in public_ids])
    except (RedisError, OSError) as error:
        logger.debug("signs: Redis does not answer (%s)", error)
        return set()
    return {public_id for public_id, value in zip(public_ids, found, strict=True) if value is not None}


def _here(public_id: str) -> str:
    return f"{settings.REDIS_PREFIX}here:{public_id}"


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
