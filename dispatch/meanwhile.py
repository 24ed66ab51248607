"""What a matcher does while nothing is asked of it, by timers of the loop that hears of messages."""

import logging
import threading
from functools import partial
from typing import Any

from celery.signals import worker_shutdown
from django.conf import settings
from django.db import Error, close_old_connections
from kombu.asynchronous import get_event_loop

from dispatch import runs, seen
from dispatch.routes import routes
from dispatch.sight import people_ahead

logger = logging.getLogger(__name__)

PACKED_SECONDS, SEEN_SECONDS = 0.1, 1.0


def loop() -> Any:
    """The loop that hears of messages, in the thread of a matcher; None anywhere else."""
    return get_event_loop() if threading.current_thread() is threading.main_thread() else None


def seen_store_soon() -> None:
    """Have what runs saw packed and stored, in a worker by the loop that hears of messages: packed one after the other, since
    the next run would wait for all of a second's, and stored once for a busy second."""
    here = loop()
    if here is None or seen.full():
        seen.store()
        return
    here.call_later(PACKED_SECONDS, seen.pack)
    if not _storing:
        _storing.append(here.call_later(SEEN_SECONDS, _seen_store))


_storing: list[Any] = []  # the timer, while there is one


@worker_shutdown.connect
def _seen_store(**_: Any) -> None:
    _storing.clear()
    close_old_connections()
    seen.store()


LOOK_SECONDS, LOOK_AGAIN_SECONDS, LOOKS = 0.015, 0.25, 8


def people_look_soon(pool_id: int, looks: int = LOOKS) -> None:
    """While a matcher has nothing else to do, and tickets come but do not pile up: have it look who is free, for the next
    ticket's run. For two seconds after a run; a pool whose runs follow each other at once is not looked at."""
    here = loop()
    if here is None or not settings.DATABASE_PREPARE:  # where nothing is waited for, nothing is foreseen
        return
    if pool_id in _looking:
        _looking.pop(pool_id).cancel()
    if pool_id in runs.calm and looks:
        pause = LOOK_SECONDS if looks == LOOKS else LOOK_AGAIN_SECONDS
        _looking[pool_id] = here.call_later(pause, partial(_people_look, pool_id, looks))


_looking: dict[int, Any] = {}  # pool → its timer


def _people_look(pool_id: int, looks: int) -> None:
    close_old_connections()  # as before a task
    _looking.pop(pool_id, None)
    try:
        people_ahead(pool_id, routes())
    except Error:
        logger.warning("nobody was looked for in pool %s; its next run does", pool_id, exc_info=True)
        close_old_connections()
    else:
        people_look_soon(pool_id, looks - 1)
