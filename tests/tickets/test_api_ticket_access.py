"""The API of one ticket: who is kept out, and what the cookie is good for."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from tests.callers import Caller, agent_of, anonymous, customer_of, problem
from tests.cast import World
from tests.untouched import nothing_changed
from tickets.access import token_of
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(world: World) -> Ticket:
    return world.ticket()


@pytest.fixture
def carla(ticket: Ticket) -> Caller:
    return customer_of(ticket)


class TestWhoIsKeptOut:
    PATHS = ("", "/events", "/messages")
    COMMANDS = ("messages", "request-human", "reopen", "close", "rating")

    def refused(self, caller: Caller, ticket: Ticket, status: int, code: str) -> None:
        body = {"body": "Hello", "score": 5, "solved": True}
        with nothing_changed():
            for path in self.PATHS:
                problem(caller.ask(f"tickets/{ticket.public_id}{path}"), status, code)
            for command in self.COMMANDS:
                answer = caller.tell(f"tickets/{ticket.public_id}/{command}", body)
                problem(answer, status, code)
                if status == 401:
                    assert answer.headers["WWW-Authenticate"] == "Ticket"

    def test_who_has_nothing(self, ticket: Ticket) -> None:
        self.refused(anonymous(), ticket, 401, "not_authenticated")

    def test_who_has_the_link_of_another_ticket(self, world: World, ticket: Ticket) -> None:
        self.refused(customer_of(world.ticket("Another")), ticket, 404, "ticket_not_found")

    def test_an_agent_with_an_api_token(self, world: World, ticket: Ticket) -> None:
        self.refused(agent_of(world.agent("Anna")), ticket, 401, "not_authenticated")

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "x",
            "A" * 43,
            "A" * 42 + "=",
            "ü" * 43,
            "A" * 10_000,
            "' OR 1=1 --",
            "../../etc/passwd",
            "\x00" * 43,
        ],
    )
    def test_a_malformed_token(self, ticket: Ticket, token: str) -> None:
        self.refused(Caller(f"Ticket {token}"), ticket, 404, "ticket_not_found")

    def test_a_changed_token(self, ticket: Ticket) -> None:
        token = token_of(ticket)
        self.refused(
            Caller(f"Ticket {token[:-2]}{'AA' if token[-2:] != 'AA' else 'BB'}"),
            ticket,
            404,
            "ticket_not_found",
        )

    def test_a_withdrawn_token(self, ticket: Ticket, carla: Caller) -> None:
        Ticket.objects.update(access_version=F("access_version") + 1)
        self.refused(carla, ticket, 404, "ticket_not_found")

    def test_an_expired_token(self, ticket: Ticket, carla: Caller) -> None:
        Ticket.objects.update(access_expires_at=timezone.now() - timedelta(seconds=1))
        self.refused(carla, ticket, 404, "ticket_not_found")

    @pytest.mark.parametrize("public_id", ["abcdefghjkmn", "x", "A" * 300, "1"])
    def test_no_such_ticket(self, ticket: Ticket, public_id: str) -> None:
        problem(customer_of(ticket).ask(f"tickets/{public_id}"), 404, "ticket_not_found")
        problem(anonymous().ask(f"tickets/{public_id}"), 401, "not_authenticated")

    @pytest.mark.parametrize("public_id", ["%00", "%ff", "a%2Fb", "ü", "a b", "a\x00"])
    def test_no_ticket_is_called_so(self, ticket: Ticket, public_id: str) -> None:
        problem(customer_of(ticket).ask(f"tickets/{public_id}"), 404, "not_found")


class TestTheCookie:
    def test_reads(self, ticket: Ticket) -> None:
        browser = anonymous()
        browser.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
        assert browser.ask(f"tickets/{ticket.public_id}").json()["number"] == ticket.number

    def test_of_another_ticket_does_not(self, world: World, ticket: Ticket) -> None:
        browser, other = anonymous(), world.ticket("Another")
        browser.cookies[f"t-{other.public_id}"] = token_of(other)
        problem(browser.ask(f"tickets/{ticket.public_id}"), 401, "not_authenticated")
        browser.cookies[f"t-{ticket.public_id}"] = token_of(other)
        problem(browser.ask(f"tickets/{ticket.public_id}"), 404, "ticket_not_found")

    def test_writes_with_the_csrf_token_only(self, ticket: Ticket) -> None:
        browser = anonymous()
        browser.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
        path = f"tickets/{ticket.public_id}/messages"
        with nothing_changed():
            problem(browser.tell(path, {"body": "Hello"}), 403, "csrf")
            browser.cookies["csrftoken"] = "a" * 32
            problem(browser.tell(path, {"body": "Hello"}), 403, "csrf")
        answer = browser.tell(path, {"body": "Hello"}, headers={"X-CSRFToken": "a" * 32})
        assert answer.status_code == 201, answer.content
