"""The bell: "stream X is at number N", by Channels over Redis, after commit. It carries no content, and may get lost.

Channels' own way of sending is asynchronous, services are not. So a service publishes what Channels would, by a client of its
own (docs/adr/0008-services-ring-themselves.md).
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError

from tickets.redis import Command, around, is_well, on_their_way

logger = logging.getLogger(__name__)

SILENT_SECONDS = (
    2.0  # after a Redis that did not answer nobody waits for it; readers' own beats come every 5 s
)

# A stream without numbers: that something has happened, whatever it was. For who shows figures of everything, and looks a
# moment later (dispatch/wall/socket.py): a process rings it at most once in ANY_SECONDS, its hearers wait for longer.
ANY = "any"
ANY_SECONDS = 0.2

UNKNOWN = 0  # number of a bell that rings before there is one

_silent_until = 0.0  # time.monotonic()
_any_at = 0.0  # time.monotonic()


def group_of(stream: str) -> str:
    """Channels group of a stream: group names allow no colon."""
    return stream.replace(":", ".")


def ring(stream: str, seq: int) -> None:
    """Ring for `stream` ("ticket:…" or "agent:…") once this transaction has committed. Never fails."""
    ring_all([(stream, seq)])


def ring_all(bells: Iterable[tuple[str, int]]) -> None:
    """ring() for several streams, by one journey to Redis."""
    listed = list(bells)
    if listed:
        transaction.on_commit(lambda: _ring_now(listed))


@contextmanager
def ahead(streams: Iterable[str], writer: int) -> Iterator[set[str]]:
    """Ring before what is rung for is written, which the block does and commits, by a transaction of this number
    (tickets/writing.py): the bell is on its way meanwhile. For streams whose readers wait for that transaction, and take what
    they see then for what there is. Never fails. Gives the streams that were heard in time, which is known after the block: the
    caller rings for the others, whose reader may be just coming back.
    """
    bells = [
        (stream, {"type": "bell", "stream": stream, "seq": UNKNOWN, "writer": writer}) for stream in streams
    ]
    heard: set[str] = set()
    with around(_commands(bells) if is_well() else []) as rung:
        yield heard
    if rung.answers and not rung.late:
        # Redis says to how many processes it has told each.
        heard.update(stream for (stream, _), told in zip(bells, rung.answers, strict=True) if told)


def ring_any() -> None:
    """Ring for ANY alone once this transaction has committed: of a stream that nobody can listen to yet. Never fails."""
    transaction.on_commit(lambda: _ring_now([]))


def sign(stream: str, data: Mapping[str, Any]) -> None:
    """Send something in passing to all who listen to `stream`, once this transaction has committed. Never fails."""
    transaction.on_commit(
        lambda: _publish([(stream, {"type": "sign", "stream": stream, "data": dict(data)})])
    )


def _ring_now(bells: list[tuple[str, int]]) -> None:
    global _any_at  # noqa: PLW0603  one a process
    if time.monotonic() - _any_at >= ANY_SECONDS:
        _any_at = time.monotonic()
        bells = [*bells, (ANY, 0)]
    if bells:
        _publish(_messages(bells))


def _publish(messages: list[tuple[str, dict[str, Any]]]) -> None:
    if time.monotonic() < _silent_until:
        return
    try:
        with on_their_way(_commands(messages)) as answers:
            answers()
    except (RedisError, OSError) as error:
        _silent(error)


def _silent(error: Exception) -> None:
    global _silent_until  # noqa: PLW0603  one a process
    _silent_until = time.monotonic() + SILENT_SECONDS
    logger.warning("bell: Redis does not answer (%s); readers catch up with their next beat", error)


def _messages(bells: Sequence[tuple[str, int]]) -> list[tuple[str, dict[str, Any]]]:
    return [(stream, {"type": "bell", "stream": stream, "seq": seq}) for stream, seq in bells]


def _commands(messages: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Command]:
    return [("PUBLISH", _place_of(stream), _serialized(message)) for stream, message in messages]


def _place_of(stream: str) -> str:
    """Where Channels' RedisPubSubChannelLayer publishes what is for this stream's group."""
    return f"{settings.REDIS_PREFIX}__group__{group_of(stream)}"


def _serialized(message: Mapping[str, Any]) -> bytes:
    serialized: bytes = get_channel_layer().serialize(message)
    return serialized
