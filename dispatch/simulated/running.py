"""What the two commands share: where to, and how to stop."""

import asyncio
import contextlib
import logging
import os
import signal
from argparse import ArgumentParser
from collections.abc import Iterator

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would tell of every request


def add_base_url(parser: ArgumentParser) -> None:
    """--base-url: BASE_URL as set, else the loopback at PORT, where `make demo` listens."""
    default = os.environ.get("BASE_URL") or f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    parser.add_argument("--base-url", default=default, help=f"address of the web ({default})")


@contextlib.contextmanager
def stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set `stop`, so that people can say good-bye; they are as before afterwards."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
