"""Alive, fit for requests, ready: three questions, answered whatever else goes on."""

from typing import Any

import httpx
import pytest
import redis as redis_client
from django.db import OperationalError, connection

from config import health
from config.health import Health
from config.shedding import Shedding
from dispatch import pulse
from tests.config.test_shedding import Slow, client_of, full

KINDS = ("matcher", "worker", "simulator", "beat")


@pytest.fixture
def alive(transactional_db: None) -> None:
    """All kinds of processes were heard of just now."""
    for kind in KINDS:
        pulse.pulse_beat(kind=kind)


@pytest.fixture(autouse=True)
def own_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the health thread opened is not kept after its question: the test database is dropped in the end."""
    original = health.close_old_connections

    def close() -> None:
        original()
        connection.close()

    monkeypatch.setattr(health, "close_old_connections", close)


async def asked(path: str, app: Any = None) -> httpx.Response:
    async def nobody(*_: Any) -> None:
        raise AssertionError("passed on")

    async with client_of(Health(app or nobody)) as client:
        return await client.get(path, headers={"Host": "10.1.2.3"})


async def test_live_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "database", None)
    answer = await asked("/healthz/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


async def test_all_is_well(alive: None) -> None:
    answer = await asked("/healthz/ready")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["status"] == "ok"
    assert set(found["parts"]) == {"database", "migrations", "redis", *KINDS}
    assert found["parts"]["migrations"] == {"ok": True, "missing": 0}
    assert all(0 <= found["parts"][kind]["heard_seconds_ago"] < 45 for kind in KINDS)
    assert set((await asked("/healthz/web")).json()["parts"]) == {"database", "migrations"}


@pytest.mark.parametrize(
    ("part", "error", "web"),
    [
        ("database", OperationalError("connection to server at 10.9.9.9, user standby failed"), 503),
        ("redis", redis_client.ConnectionError("redis://:secret@10.9.9.9"), 200),
    ],
)
async def test_a_server_that_is_away_is_named_without_its_address(
    alive: None, monkeypatch: pytest.MonkeyPatch, part: str, error: Exception, web: int
) -> None:
    def away() -> dict[str, Any]:
        raise error

    monkeypatch.setattr(health, part, away)
    answer = await asked("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json()["parts"][part] == {"ok": False, "error": type(error).__name__}
    assert "10.9.9.9" not in answer.text
    # Without Redis, customers are served all the same: such a process stays in.
    assert (await asked("/healthz/web")).status_code == web
    assert (await asked("/healthz/live")).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status"), [("matcher", 503), ("worker", 503), ("beat", 503), ("simulator", 200)]
)
async def test_who_is_silent_is_named(
    alive: None, monkeypatch: pytest.MonkeyPatch, kind: str, status: int
) -> None:
    monkeypatch.setattr(pulse, "silent", lambda seconds: [kind] if seconds == 45.0 else [])
    answer = await asked("/healthz/ready")
    assert answer.status_code == status
    assert [one for one in KINDS if not answer.json()["parts"][one]["ok"]] == [kind]
    assert (await asked("/healthz/web")).status_code == 200


async def test_a_missing_migration_keeps_requests_away(alive: None, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = health._newest()
    monkeypatch.setattr(health, "_newest", lambda: newest | {("dispatch", "9999_of_tomorrow")})
    for path in ("/healthz/web", "/healthz/ready"):
        answer = await asked(path)
        assert answer.status_code == 503
        assert answer.json()["parts"]["migrations"] == {"ok": False, "missing": 1}


async def test_who_leaves_says_so_and_lives(alive: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "leaving", True)
    assert [(await asked(f"/healthz/{name}")).status_code for name in ("live", "web", "ready")] == [
        200,
        503,
        503,
    ]


async def test_a_database_that_hangs_is_answered_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    go = threading.Event()
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    monkeypatch.setattr(health, "web", lambda: {"database": {"ok": go.wait(10)}})
    async with client_of(Health(Slow())) as client:
        for _ in range(2):  # the second does not ask once more, and does not hang either
            answer = await client.get("/healthz/web")
            assert (answer.status_code, answer.json()["parts"]) == (
                503,
                {"database": {"ok": False, "error": "TimeoutError"}},
            )
        assert (await client.get("/healthz/live")).status_code == 200
        go.set()


async def test_it_is_answered_where_everything_else_is_shed() -> None:
    slow = Slow()
    async with client_of(Health(Shedding(slow, served=1, waiting=0))) as client:
        inside = await full(slow, client, "/a")
        assert (await client.get("/b")).status_code == 503
        assert (await client.get("/healthz/live")).status_code == 200
        slow.go.set()
        assert (await inside[0]).text == "served"


async def test_other_words_and_verbs() -> None:
    async with client_of(Health(Slow())) as client:
        assert (await client.get("/healthz/other")).status_code == 404
        assert (await client.post("/healthz/live")).status_code == 405
        assert (await client.head("/healthz/live")).status_code == 200
