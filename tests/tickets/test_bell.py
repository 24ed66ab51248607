"""The bell is rung by a plain client, and heard by Channels."""

import asyncio
import time
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import transaction

from tickets import bell

Heard = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def ringing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_silent_until", 0.0)


async def heard(streams: list[str], ring: Any) -> Heard:
    """What a consumer that is in the groups of these streams gets while `ring` runs in a thread."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    for stream in streams:
        await layer.group_add(bell.group_of(stream), channel)
    await asyncio.to_thread(ring)
    found: Heard = []
    while True:
        try:
            async with asyncio.timeout(0.5):
                found.append(await layer.receive(channel))
        except TimeoutError:
            await layer.flush()
            return found


async def test_channels_hears_what_was_rung(transactional_db: None) -> None:
    bells = [("ticket:abc", 7), ("agent:12", 3), ("agent:13", 1)]
    assert await heard(["ticket:abc", "agent:12"], lambda: bell.ring_all(bells)) == [
        {"type": "bell", "stream": "ticket:abc", "seq": 7},
        {"type": "bell", "stream": "agent:12", "seq": 3},
    ]


async def test_it_is_rung_after_the_commit_and_never_for_what_was_rolled_back(transactional_db: None) -> None:
    order: list[str] = []

    def commands() -> None:
        with transaction.atomic():
            bell.ring("ticket:abc", 1)
            try:
                with transaction.atomic():
                    bell.ring("ticket:abc", 2)
                    raise ZeroDivisionError
            except ZeroDivisionError:
                order.append("rolled back")

    assert [one["seq"] for one in await heard(["ticket:abc"], commands)] == [1]
    assert order == ["rolled back"]


def test_a_redis_that_is_away_is_waited_for_once(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # nobody listens there
    asked: list[str] = []
    on_their_way = bell.on_their_way
    monkeypatch.setattr(bell, "on_their_way", lambda sent: asked.append("asked") or on_their_way(sent))
    for seq in range(3):
        bell.ring("ticket:abc", seq)
    assert asked == ["asked"]
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "bell: Redis does not answer"
    ]
    later = time.monotonic() + bell.SILENT_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    bell.ring("ticket:abc", 4)
    assert asked == ["asked", "asked"]
