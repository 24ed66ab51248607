"""The bell: "stream X is at number N", by Channels over Redis, after commit. It carries no content, and may get lost.

Group sends are asynchronous, services are not. One thread with one event loop a process sends them, so that a service
neither waits for Redis nor opens a connection a message (async_to_sync makes a new loop, and with it a new Redis
connection, at each call).
"""

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction

logger = logging.getLogger(__name__)

SEND_SECONDS = 2.0  # a bell that is later than this is of no use: the reader's own beat is 5 s


class _Ringer:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.bells: deque[tuple[str, dict[str, Any]]] = deque()
        self.woken = False
        self.sending: set[asyncio.Task[None]] = set()
        self.quiet = False
        threading.Thread(target=self.loop.run_forever, name="bell", daemon=True).start()

    def ring(self, group: str, message: dict[str, Any]) -> None:
        self.bells.append((group, message))
        if not self.woken:  # the bells of one commit wake the thread once
            self.woken = True
            self.loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self.woken = False  # first, so that a bell that comes now wakes it again
        bells = [self.bells.popleft() for _ in range(len(self.bells))]
        task = self.loop.create_task(self._send(bells))
        self.sending.add(task)  # the loop itself would let go of it
        task.add_done_callback(self.sending.discard)

    async def _send(self, bells: Sequence[tuple[str, dict[str, Any]]]) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                for group, message in bells:
                    await get_channel_layer().group_send(group, message)
            self.quiet = False
        except Exception as error:  # noqa: BLE001  whatever Redis does, the truth is in Postgres and readers catch up
            if not self.quiet:
                logger.warning(
                    "bell: Redis does not answer (%s); readers catch up with their next beat", error
                )
            self.quiet = True


_ringer: _Ringer | None = None
_lock = threading.Lock()


def group_of(stream: str) -> str:
    """Channels group of a stream: group names allow no colon."""
    return stream.replace(":", ".")


def ring(stream: str, seq: int) -> None:
    """Ring for `stream` ("ticket:…" or "agent:…") once this transaction has committed. Never fails, never waits."""
    transaction.on_commit(lambda: _ring_now(stream, seq))


def _ring_now(stream: str, seq: int) -> None:
    global _ringer  # noqa: PLW0603  one a process; a fork (Celery's prefork) has the object but not its thread
    if _ringer is None or _ringer.pid != os.getpid():
        with _lock:
            if _ringer is None or _ringer.pid != os.getpid():
                _ringer = _Ringer()
    _ringer.ring(group_of(stream), {"type": "bell", "stream": stream, "seq": seq})
