"""Connections that are checked without a question to PostgreSQL.

Django's own check before the first query of each request, task and socket's look is a `SELECT 1`: a journey to the server and
back, which wakes another process and takes as long as many of the queries that follow. A server that was restarted has
closed its end, and a closed end can be seen from here: something can be read from the socket, though nothing was asked.
"""

import select
import time
from typing import Any

from django.db.backends.postgresql import base

ASK_SECONDS = 30.0  # a network that swallows packets closes nothing, so a real question is asked this often


class DatabaseWrapper(base.DatabaseWrapper):
    """Use as ENGINE "config.postgres". Means something with CONN_HEALTH_CHECKS only."""

    health_check_enabled: bool  # of Django, untyped there
    health_check_done: bool
    asked_at = 0.0  # time.monotonic() of the last real check

    def close_if_health_check_failed(self) -> None:
        if self.connection is None or not self.health_check_enabled or self.health_check_done:
            return
        now = time.monotonic()
        if now - self.asked_at < ASK_SECONDS and _silent(self.connection):
            self.health_check_done = True
            return
        super().close_if_health_check_failed()
        self.asked_at = now


def _silent(driver: Any) -> bool:
    """Whether nothing has come from the server unasked: neither its end of the connection nor a notice."""
    if driver.closed:  # the driver has found out already
        return False
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN | select.POLLRDHUP)
    return not poll.poll(0)
