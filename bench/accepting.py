"""Accepts offers as fast as it can by the service, from a process of its own (bench/inside.py), in some threads.

Says "ready", and begins at a line on standard input.
"""

import sys
import threading
import time
from typing import Any

from django.db import connection

from dispatch.offers import offer_accept


def main(first: int, count: int, threads: int) -> dict[str, Any]:
    """Cards first … first + count − 1 (bench/cards.py). Returns {"begun", "ended", "seconds": [each, …]}."""
    seconds: list[list[float]] = [[] for _ in range(threads)]
    gate = threading.Barrier(threads + 1)

    def work(place: int) -> None:
        connection.ensure_connection()
        gate.wait()
        gate.wait()
        for number in range(first + place, first + count, threads):
            begun = time.monotonic()
            offer_accept(offer_id=number, agent_id=number, epoch=1)
            seconds[place].append(time.monotonic() - begun)
        connection.close()

    workers = [threading.Thread(target=work, args=(place,)) for place in range(threads)]
    for worker in workers:
        worker.start()
    gate.wait()
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.monotonic()
    gate.wait()
    for worker in workers:
        worker.join()
    return {"begun": begun, "ended": time.monotonic(), "seconds": [one for each in seconds for one in each]}
