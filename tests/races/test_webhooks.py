"""Two workers send webhooks at the same moment: each delivery is taken by one of them."""

import threading
from typing import Any

import pytest
from django.db import connection

from dispatch.models import WebhookDelivery
from dispatch.webhooks import endpoints, sending
from tests.cast import World
from tests.races.conftest import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def due(world: World, settings: Any) -> World:
    """Twelve endpoints, each to be told of one ticket."""
    for number in range(12):
        endpoints.endpoint_register(url=f"https://hooks.shop.example/{number}", events=["ticket.opened"])
    world.ticket()
    return world


def test_each_is_taken_by_one(due: World) -> None:
    for _ in range(5):
        WebhookDelivery.objects.update(due_at="2026-01-01T00:00Z", tries=0)
        outcomes = together(*[sending.claim] * 4)
        taken = [call.delivery_id for found in outcomes for call in found]
        assert sorted(taken) == sorted(WebhookDelivery.objects.values_list("pk", flat=True))
        assert set(WebhookDelivery.objects.values_list("tries", flat=True)) == {1}


def test_control_looking_before_taking_takes_it_twice(due: World) -> None:
    """What the lock in the claim prevents."""
    looked = threading.Barrier(2)

    def naive() -> list[int]:
        found = list(WebhookDelivery.objects.filter(state="pending").values_list("pk", flat=True))
        looked.wait(10)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE dispatch_webhookdelivery SET tries = tries + 1 WHERE id = ANY (%s)", [found]
            )
        return found

    together(naive, naive)
    assert set(WebhookDelivery.objects.values_list("tries", flat=True)) == {2}


def test_one_sender_works_and_the_other_returns(due: World, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, seen = threading.Event(), threading.Event()

    def held(one: sending.Call) -> sending.Answer:
        inside.set()
        seen.wait(10)
        return sending.Answer(200, 1)

    monkeypatch.setattr(sending, "call", held)

    def second() -> int:
        inside.wait(10)
        try:
            return sending.send_due(for_seconds=0.2)
        finally:
            seen.set()

    first, other = together(lambda: sending.send_due(for_seconds=5), second)
    assert (first, other) == (12, 0)
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}
