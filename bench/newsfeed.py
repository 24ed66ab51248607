"""Offer events at a steady rate, from a process of its own (bench/inside.py).

Says "ready", and begins at a line on standard input. Each event is a transaction of its own through dispatch.feed.record, as
the product writes them; its time is the one right after the commit, when the bell is rung.
"""

import random
import sys
import time
from typing import Any

from django.db import transaction

from dispatch import feed
from dispatch.events import OFFER_MADE
from tickets import timeline


def main(rate: float, count: int, offers: dict[str, int]) -> dict[str, Any]:
    """Tell each agent in turn of an offer; `offers`: agent id → offer id. The first second is for warming up.

    Returns {"sent": [[agent id, seq, committed at], …], "late": by how many seconds the worst was}.
    """
    print("ready", flush=True)
    sys.stdin.readline()
    agents = list(offers)
    random.Random(7302).shuffle(agents)
    sent: list[tuple[int, int, float]] = []
    committed = [0.0]

    def stamp() -> None:
        committed[0] = time.monotonic()

    late = 0.0
    begun = time.monotonic()
    warm = int(rate)
    for place in range(warm + count):
        due = begun + place / rate
        time.sleep(max(due - time.monotonic(), 0))
        if place >= warm:
            late = max(late, time.monotonic() - due)
        name = agents[place % len(agents)]
        with timeline.command():
            transaction.on_commit(stamp)
            seq = feed.record(int(name), OFFER_MADE, {"offer": offers[name]})
        sent.append((int(name), seq, committed[0]))
    return {"sent": sent[warm:], "late": late}
