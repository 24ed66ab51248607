"""/metrics: for whom a setting names, for nobody else, and without a word about anybody."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db import OperationalError, connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from config import metrics
from config.metrics import Metrics
from dispatch import figures

TOKEN = "t" * 32


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Figures as if counted; the test of those is tests/dispatch/test_figures.py."""
    monkeypatch.setattr(figures, "collect", lambda: [figures.Sample("standby_queue_tickets", ("first",), 3)])
    monkeypatch.setattr(metrics, "close_old_connections", lambda: None)
    yield
    connection.close()


async def asked(peer: str = "10.0.0.7", **headers: str) -> httpx.Response:
    async def nobody(*_: object) -> None:
        raise AssertionError("passed on")

    transport = httpx.ASGITransport(app=Metrics(nobody), client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://10.1.2.3") as client:
        return await client.get("/metrics", headers=headers)


@pytest.mark.parametrize(
    ("token", "networks", "peer", "headers", "status"),
    [
        ("", [], "127.0.0.1", {}, 404),  # nobody, by default
        ("", [], "127.0.0.1", {"Authorization": "Bearer "}, 404),
        (TOKEN, [], "10.0.0.7", {}, 404),
        (TOKEN, [], "10.0.0.7", {"Authorization": "Bearer nearly"}, 404),
        (TOKEN, [], "10.0.0.7", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("", ["10.0.0.0/8"], "10.0.0.7", {}, 200),
        ("", ["10.0.0.0/8"], "192.0.2.1", {}, 404),
        ("", ["10.0.0.0/8"], "192.0.2.1", {"X-Forwarded-For": "10.0.0.7"}, 404),
        (
            "",
            ["10.0.0.0/8"],
            "10.0.0.7",
            {"X-Forwarded-For": "192.0.2.1"},
            404,
        ),  # through the proxy, which is inside
    ],
)
async def test_who_may_read(
    settings: Any, token: str, networks: list[str], peer: str, headers: dict[str, str], status: int
) -> None:
    settings.METRICS_TOKEN, settings.METRICS_NETWORKS = token, networks
    answer = await asked(peer, **headers)
    assert answer.status_code == status
    assert ("standby_queue_tickets" in answer.text) == (status == 200)


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_the_text_is_of_the_format(client: Client) -> None:
    before = _count("t/<slug:public_id>/news", "4xx")
    client.get("/t/nobody-has-this-ticket/news")
    client.get("/.env")
    text = metrics.exposition().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["standby_queue_tickets"].samples[0].value == 3
    assert families["standby_figures_up"].samples[0].value == 1
    assert _count("t/<slug:public_id>/news", "4xx") == before + 1
    assert _count("none", "4xx") >= 1
    assert "nobody-has-this-ticket" not in text
    assert ".env" not in text


def _count(route: str, status: str) -> float:
    value = metrics.counted.get_sample_value(
        "standby_http_request_seconds_count", {"method": "GET", "route": route, "status": status}
    )
    return value or 0


def test_a_database_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[figures.Sample]:
        raise OperationalError

    monkeypatch.setattr(figures, "collect", away)
    text = metrics.exposition().decode()
    assert "standby_figures_up 0.0" in text
    assert "standby_queue_tickets" not in text
