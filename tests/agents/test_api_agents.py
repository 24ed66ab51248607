"""/api/v1/ of agents: token, me, earnings, and who is kept out."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis.exceptions import RedisError

from agents.models import AccountToken, AgentStatus, EntryKind, User
from agents.pay import credit
from agents.tokens import MOST, account_token_make, account_token_of, digest_of
from config.throttles import Scoped
from tests.callers import API, Caller, account, agent_of, anonymous, problem
from tests.cast import PASSWORD, World
from tests.untouched import nothing_changed
from tickets.redis import client as redis

pytestmark = pytest.mark.django_db


class TestToken:
    def test_for_the_password(self, world: World) -> None:
        anna = world.agent("Anna")
        answer = anonymous().tell("token", {"email": "ANNA@agents.example", "password": PASSWORD})
        assert (answer.status_code, set(answer.json())) == (200, {"token"})
        token = answer.json()["token"]
        assert token.startswith("sba_")
        assert Caller(f"Token {token}").ask("me").json()["name"] == "Anna"
        assert list(AccountToken.objects.values_list("user", "digest")) == [(anna.user_id, digest_of(token))]

    def test_each_program_has_its_own(self, world: World) -> None:
        world.agent("Anna")
        asked = {"email": "anna@agents.example", "password": PASSWORD}
        one, other = (anonymous().tell("token", asked).json()["token"] for _ in range(2))
        assert one != other
        assert [Caller(f"Token {token}").ask("me").status_code for token in (one, other)] == [200, 200]

    def test_ended_by_the_program_alone(self, world: World) -> None:
        anna, bernd = world.agent("Anna"), world.agent("Bernd")
        here, elsewhere, other = agent_of(anna), agent_of(anna), agent_of(bernd)
        session = Client()
        session.force_login(anna.user)
        ended = here.delete(f"{API}/token")
        assert (ended.status_code, ended.content) == (204, b"")
        problem(here.ask("me"), 401, "authentication_failed")
        with nothing_changed():
            problem(here.delete(f"{API}/token"), 401, "authentication_failed")
            problem(anonymous().delete(f"{API}/token"), 401, "not_authenticated")
            assert session.delete(f"{API}/token").status_code == 401  # a browser logs out instead
        assert [one.ask("me").status_code for one in (elsewhere, other)] == [200, 200]

    def test_of_more_than_twenty_the_longest_unused_ends(self, world: World) -> None:
        anna = world.agent("Anna")
        tokens = [account_token_make(user=anna.user) for _ in range(MOST)]
        used = timezone.now() - timedelta(minutes=6)
        AccountToken.objects.update(used_at=used)
        assert account_token_of(tokens[0]) is not None  # so it is not the longest unused any more
        tokens.append(account_token_make(user=anna.user))
        good = [account_token_of(token) is not None for token in tokens]
        assert good == [True, False, *[True] * (MOST - 1)]
        assert AccountToken.objects.filter(used_at=used).count() == 0  # each has just been used

    def test_its_use_is_noted_each_five_minutes(self, world: World) -> None:
        anna = agent_of(world.agent("Anna"))
        with CaptureQueriesContext(connection) as queries:
            anna.ask("me")
        assert not [one for one in queries if "UPDATE" in one["sql"]]
        before = timezone.now() - timedelta(minutes=6)
        AccountToken.objects.update(used_at=before)
        anna.ask("me")
        [noted] = AccountToken.objects.values_list("used_at", flat=True)
        assert noted > before + timedelta(minutes=5)

    @pytest.mark.parametrize(
        "change",
        [{"password": "wrong"}, {"password": f" {PASSWORD}"}, {"email": "nobody@agents.example"}],
    )
    def test_not_for_wrong_credentials(self, world: World, change: dict[str, str]) -> None:
        world.agent("Anna")
        with nothing_changed():
            answer = anonymous().tell(
                "token", {"email": "anna@agents.example", "password": PASSWORD, **change}
            )
            problem(answer, 401, "authentication_failed")
        assert answer.headers["WWW-Authenticate"] == "Token"

    def test_wrong_passwords_are_counted_by_address(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """From anywhere: what a client's own address may ask is another limit."""
        anna, bernd = world.agent("Anna"), world.agent("Bernd")
        monkeypatch.setattr(Scoped, "THROTTLE_RATES", {"token": "1000/min", "token_guesses": "5/5min"})
        redis().flushdb()
        right = {"email": anna.user.email, "password": PASSWORD}
        for _ in range(7):  # programs that sign in are no guesses
            assert anonymous().tell("token", right).status_code == 200
        problem(anonymous().tell("token", {"email": anna.user.email}), 400, "invalid")
        problem(anonymous().send("token", b"{"), 400, "parse_error")
        for number in range(5):
            guess = {
                "email": ("Anna@Agents.example", " anna@agents.example ")[number % 2],
                "password": f"p{number}",
            }
            problem(anonymous().tell("token", guess), 401, "authentication_failed")
        with nothing_changed():
            answer = anonymous().tell("token", right)
            problem(answer, 429, "throttled")
        assert 290 < int(answer.headers["Retry-After"]) <= 300
        # Who has no account is told the same; another account is another matter.
        stranger = {"email": "nobody@agents.example", "password": "p"}
        assert [anonymous().tell("token", stranger).status_code for _ in range(6)] == [401] * 5 + [429]
        for _ in range(6):
            assert (
                anonymous().tell("token", {"email": bernd.user.email, "password": PASSWORD}).status_code
                == 200
            )

    def test_a_right_password_is_no_guess_whatever_else_is_in_the_way(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anna = world.agent("Anna")
        Authenticator.objects.create(user=anna.user, type=Authenticator.Type.TOTP, data={"secret": "x"})
        monkeypatch.setattr(Scoped, "THROTTLE_RATES", {"token": "1000/min", "token_guesses": "2/5min"})
        redis().flushdb()
        for _ in range(3):
            answer = anonymous().tell("token", {"email": "anna@agents.example", "password": PASSWORD})
            problem(answer, 403, "second_factor")

    def test_who_asks_too_often_uses_up_no_guesses_of_others(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anna = world.agent("Anna")
        monkeypatch.setattr(Scoped, "THROTTLE_RATES", {"token": "1/min", "token_guesses": "2/5min"})
        redis().flushdb()
        sent = {"email": anna.user.email, "password": "wrong"}
        assert [anonymous().tell("token", sent).status_code for _ in range(5)] == [401, 429, 429, 429, 429]
        elsewhere = anonymous().tell("token", {**sent, "password": PASSWORD}, REMOTE_ADDR="192.0.2.7")
        assert elsewhere.status_code == 200

    def test_it_opens_while_redis_is_away(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        anna = world.agent("Anna")

        def away() -> Any:
            raise RedisError

        monkeypatch.setattr("tickets.redis.client", away)  # counting
        monkeypatch.setattr("config.throttles.client", away)  # and taking back
        sent = {"email": anna.user.email, "password": PASSWORD}
        assert anonymous().tell("token", sent).status_code == 200
        problem(anonymous().tell("token", {**sent, "password": "wrong"}), 401, "authentication_failed")

    def test_not_for_a_disabled_account(self, world: World) -> None:
        anna = world.agent("Anna")
        program = agent_of(anna)
        anna.user.is_active = False
        anna.user.save()
        answer = anonymous().tell("token", {"email": "anna@agents.example", "password": PASSWORD})
        problem(answer, 401, "authentication_failed")
        problem(program.ask("me"), 401, "authentication_failed")

    def test_not_with_a_second_factor(self, world: World) -> None:
        anna = world.agent("Anna")
        Authenticator.objects.create(user=anna.user, type=Authenticator.Type.TOTP, data={"secret": "x"})
        with nothing_changed():
            answer = anonymous().tell("token", {"email": "anna@agents.example", "password": PASSWORD})
            problem(answer, 403, "second_factor")
            # Who does not know the password does not learn of it.
            answer = anonymous().tell("token", {"email": "anna@agents.example", "password": "wrong"})
            problem(answer, 401, "authentication_failed")

    def test_not_for_staff_who_are_no_agents(self, world: World) -> None:
        User.objects.create_superuser("admin@staff.example", PASSWORD)
        with nothing_changed():
            answer = anonymous().tell("token", {"email": "admin@staff.example", "password": PASSWORD})
            problem(answer, 403, "not_an_agent")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"email": "anna@agents.example"},
            {"email": "anna", "password": "p"},
            {"email": "anna@agents.example", "password": ""},
            {"email": "anna@agents.example", "password": None},
            {"email": "anna@agents.example", "password": "\ud800"},
            {"email": "anna@agents.example", "password": "\x00"},
            {"email": "anna@agents.example", "password": "p" * 1001},
            {"email": "\x00@agents.example", "password": "p"},
            {"email": ["anna@agents.example"], "password": "p"},
            ["anna@agents.example", "p"],
        ],
    )
    def test_wrong_input(self, world: World, body: object) -> None:
        world.agent("Anna")
        with nothing_changed():
            problem(anonymous().send("token", json.dumps(body).encode()), 400, "invalid")


class TestMe:
    def test_names_come_in_the_readers_language(self, world: World) -> None:
        anna = agent_of(world.agent("Anna"))
        german = anna.get(f"{API}/me", headers={"Accept-Language": "de"}).json()
        assert [skill["name"] for skill in german["skills"]] == ["Karten", "Zahlungen"]

    @pytest.mark.parametrize("path", ["me", "earnings"])
    def test_who_is_kept_out(self, world: World, path: str) -> None:
        answer = anonymous().ask(path)
        problem(answer, 401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == "Token"
        admin = User.objects.create_superuser("admin@staff.example", PASSWORD)
        problem(account(admin).ask(path), 403, "not_an_agent")

    @pytest.mark.parametrize("key", ["", "x", "a" * 40, "ü" * 40, "a b", "\x00" * 40, "a" * 10_000])
    def test_a_malformed_token(self, world: World, key: str) -> None:
        answer = Caller(f"Token {key}").ask("me")
        problem(answer, 401, "authentication_failed")
        assert answer.headers["WWW-Authenticate"] == "Token"

    def test_a_suspended_agent_still_reads(self, world: World) -> None:
        anna = world.agent("Anna")
        anna.status = AgentStatus.SUSPENDED
        anna.save()
        assert agent_of(anna).ask("me").status_code == 200

    def test_the_session_of_the_browser(self, world: World) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(world.agent("Anna").user, backend="django.contrib.auth.backends.ModelBackend")
        assert browser.get(f"{API}/me").json()["name"] == "Anna"
        with nothing_changed():
            problem(browser.post(f"{API}/shift/online", content_type="application/json"), 403, "csrf")
        browser.cookies["csrftoken"] = "a" * 32
        answer = browser.post(
            f"{API}/shift/online", content_type="application/json", headers={"X-CSRFToken": "a" * 32}
        )
        assert answer.json()["shift"]["state"] == "online"


class TestEarnings:
    def test_newest_first_page_by_page(self, world: World) -> None:
        anna, bernd = world.agent("Anna"), world.agent("Bernd")
        for number in range(120):
            credit(
                agent_id=(bernd if number % 5 == 4 else anna).pk,
                kind=EntryKind.TICKET,
                amount_cents=number + 1,
                currency="EUR",
                reference=f"offer:{number}",
                memo="S-1 · Refund",
            )
        caller = agent_of(anna)
        first = caller.ask("earnings").json()
        second = caller.get(first["next"]).json()
        assert (len(first["results"]), first["previous"], second["next"]) == (50, None, None)
        assert [line["amount_cents"] for line in first["results"] + second["results"]] == [
            number + 1 for number in reversed(range(120)) if number % 5 != 4
        ]
        assert caller.get(second["previous"]).json()["results"] == first["results"]

    @pytest.mark.parametrize("position", ["abc", "\x00", "1;DROP TABLE", "-5", "1.5", "9" * 50, "²"])
    def test_a_forged_cursor(self, world: World, position: str) -> None:
        cursor = base64.b64encode(f"p={position}".encode()).decode()
        answer = agent_of(world.agent("Anna")).ask("earnings", cursor=cursor)
        if position == "9" * 50:
            assert answer.status_code == 200
        else:
            problem(answer, 404, "not_found")

    @pytest.mark.parametrize("cursor", ["x", "ü"])
    def test_a_broken_cursor(self, world: World, cursor: str) -> None:
        problem(agent_of(world.agent("Anna")).ask("earnings", cursor=cursor), 404, "not_found")
