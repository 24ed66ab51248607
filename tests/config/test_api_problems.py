"""What all of the API has in common: problems in one shape and the reader's language, limits, a Redis that is away, schema."""

import time
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import OperationalError
from django.test import override_settings
from redis.exceptions import ConnectionError as RedisAway

from config.throttles import Scoped
from tests.callers import API, anonymous, customer_of, problem
from tests.cast import World
from tests.untouched import nothing_changed
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v1/", "/api/", "/api/v2/tickets", "/api/v1/topics/", "/api/v1/offers/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_such_address(world: World, path: str, method: str) -> None:
    problem(anonymous().generic(method, path), 404, "not_found")


def test_a_wrong_host(world: World) -> None:
    problem(anonymous().get(f"{API}/topics", headers={"Host": "evil.example"}), 400, "bad_request")


def test_a_body_of_unknown_length(world: World) -> None:
    """Sent in chunks: Django would read nothing of it."""
    with nothing_changed():
        answer = anonymous().generic(
            "POST",
            f"{API}/tickets",
            b'{"text": "Hello"}',
            content_type="application/json",
            CONTENT_LENGTH="",
            HTTP_TRANSFER_ENCODING="chunked",
        )
        problem(answer, 411, "length_required")


def test_answers_are_for_the_asker_only(world: World) -> None:
    ticket = world.ticket()
    assert customer_of(ticket).ask(f"tickets/{ticket.public_id}").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "method", "body", "words"),
    [
        ("tickets", "POST", '{"text": ""}', "Bitte schreiben Sie"),
        ("tickets", "POST", "{", "JSON"),
        ("tickets", "POST", '{"text": null}', "Einige Angaben stimmen nicht."),
        ("nothing", "GET", "", "Unter dieser Adresse gibt es nichts."),
        ("me", "GET", "", "Anmeldedaten fehlen."),
        ("topics", "PUT", "{}", "nicht erlaubt"),
    ],
)
def test_in_german(world: World, path: str, method: str, body: str, words: str) -> None:
    answer = anonymous().generic(
        method,
        f"{API}/{path}",
        body.encode(),
        content_type="application/json",
        headers={"Accept-Language": "de"},
    )
    assert words in answer.json()["detail"]
    assert answer.headers["Content-Language"] == "de"


def test_any_accept_header_gets_json(world: World) -> None:
    for accept in ("text/html", "application/xml", "nonsense", "*/*;q=0", ""):
        assert anonymous().get(f"{API}/topics", headers={"Accept": accept}).json()


def test_a_database_that_is_away_is_said_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: Any) -> None:
        raise OperationalError("connection refused at 10.0.0.7")

    monkeypatch.setattr("tickets.api.ticket_open", away)
    answer = anonymous().tell("tickets", {"text": "Hello"})
    problem(answer, 503, "try_again")
    assert answer.headers["Retry-After"] == "2"
    assert b"10.0.0.7" not in answer.content


def test_a_fault_of_ours_tells_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("tickets.api.ticket_open", broken)
    caller = anonymous()
    caller.raise_request_exception = False
    answer = caller.tell("tickets", {"text": "Hello"})
    problem(answer, 500, "server_error")
    assert b"secret" not in answer.content


class TestLimits:
    @pytest.fixture(autouse=True)
    def two_a_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            Scoped, "THROTTLE_RATES", {"ticket_open": "2/min", "token": "2/min", "token_guesses": "9/5min"}
        )
        caches["default"].clear()

    def test_of_new_tickets(self, world: World) -> None:
        for _ in range(2):
            assert anonymous().tell("tickets", {"text": "Hello"}).status_code == 201
        with nothing_changed():
            answer = anonymous().tell("tickets", {"text": "Hello"})
            problem(answer, 429, "throttled")
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        # Another address is another count, and what the client itself claims to be its address counts nothing.
        assert anonymous().tell("tickets", {"text": "Hello"}, REMOTE_ADDR="10.1.1.1").status_code == 201
        answer = anonymous().tell("tickets", {"text": "Hello"}, headers={"X-Forwarded-For": "10.1.1.2"})
        problem(answer, 429, "throttled")

    def test_of_passwords_tried(self, world: World) -> None:
        world.agent("Anna")
        tried = {"email": "anna@agents.example", "password": "wrong"}
        for _ in range(2):
            problem(anonymous().tell("token", tried), 401, "authentication_failed")
        problem(anonymous().tell("token", tried), 429, "throttled")

    def test_of_nothing_else(self, world: World) -> None:
        ticket = world.ticket()
        for _ in range(4):
            assert customer_of(ticket).ask(f"tickets/{ticket.public_id}").status_code == 200

    def test_open_when_redis_is_away(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def away() -> Any:
            raise RedisAway("connection refused")

        monkeypatch.setattr("tickets.redis.client", away)
        for _ in range(4):
            assert anonymous().tell("tickets", {"text": "Hello"}).status_code == 201


@override_settings(
    CACHES={
        "default": {
            "BACKEND": "config.caches.ProcessCache",
            "LOCATION": "unix:///nowhere/redis.sock",
        }
    },
    REDIS_URL="unix:///nowhere/redis.sock",
)
def test_a_ticket_is_opened_without_redis(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: pytest.fail("its customer waits for Redis"))
    assert anonymous().tell("tickets", {"text": "Hello"}).status_code == 201
    assert Ticket.objects.count() == 1


def test_the_schema_is_valid_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn")
    schema = capsys.readouterr().out
    for word in (
        "Idempotency-Key",
        "ticketToken",
        "tokenAuth",
        "cookieAuth",
        "application/problem+json",
        "offer_expired",
    ):
        assert word in schema
    assert anonymous().get("/api/schema/").status_code == 200
