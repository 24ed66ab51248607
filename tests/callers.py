"""Callers of the REST interface, as programs are: JSON, no cookies unless given, CSRF checks on as in the product."""

from typing import Any

from django.utils import translation
from rest_framework.test import APIClient

from agents.models import Agent, User
from agents.tokens import account_token_make
from tickets.access import token_of
from tickets.models import Ticket

API = "/api/v1"


class Caller(APIClient):
    """Paths are relative to /api/v1; bodies are JSON unless `format` says otherwise."""

    def __init__(self, authorization: str = "", **headers: str) -> None:
        if authorization:
            headers["Authorization"] = authorization
        super().__init__(enforce_csrf_checks=True, headers=headers)

    def request(self, **request: Any) -> Any:
        with translation.override(None):  # the request's language stays its own, not the next test's
            return super().request(**request)

    def ask(self, path: str, **query: Any) -> Any:
        return self.get(f"{API}/{path}", query)

    def tell(self, path: str, data: Any = None, *, key: str | None = None, **more: Any) -> Any:
        headers = (
            {"Idempotency-Key": key, **more.pop("headers", {})}
            if key is not None
            else more.pop("headers", {})
        )
        more.setdefault("format", "json")
        return self.post(f"{API}/{path}", data, headers=headers, **more)

    def send(self, path: str, body: bytes, content_type: str = "application/json") -> Any:
        """A body as it is."""
        return self.generic("POST", f"{API}/{path}", body, content_type=content_type)


def anonymous() -> Caller:
    return Caller()


def customer_of(ticket: Ticket) -> Caller:
    return Caller(f"Ticket {token_of(ticket)}")


def account(user: User) -> Caller:
    return Caller(f"Token {account_token_make(user=user)}")


def agent_of(agent: Agent) -> Caller:
    return account(agent.user)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Assert that this is the problem with this status and code, in full shape; returns its body."""
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json"), (
        response.content
    )
    body: dict[str, Any] = response.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"] == f"urn:standby:problem:{code}"
    assert body["detail"]
    return body
