"""Every operation of the API against its own description, called by schemathesis: as the schema says, and otherwise.

In process, against the test database, the same calls at each run; what an operation did is rolled back before the next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.cast import World
from tests.config.test_api_roles import caller_of, scene

assert scene  # a fixture
pytestmark = pytest.mark.django_db

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = {GenerationMode.POSITIVE: 2, GenerationMode.NEGATIVE: 1}  # an operation
NAMES = {
    "public_id": "id", "attachment_id": "file", "offer_id": "offer", "run_id": "run", "agent_id": "agent",
    "payout_id": "payout", "token_id": "token", "webhook_id": "webhook", "delivery_id": "delivery", "month": "month",
}  # fmt: skip

# Who has the right to an operation, by its first tag; everybody else may not change anything by it.
RIGHTFUL = {
    "customers": "own customer",
    "agents": "holder",
    "shift": "holder",
    "offers": "holder",
    "desk": "holder",
    "decisions": "admin",
    "mail": "anonymous",
    "staff": "admin",
    "webhooks": "admin",
}


@schemathesis.serializer("message/rfc822")
def mail(_context: Any, value: Any) -> bytes:
    """A mail goes as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


JUDGED_BY_CONTENT = {"mail_take", "token"}  # a signature, a password: what is made up is refused

load_all_checks()
SCHEMA = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))  # type: ignore[no-untyped-call]
SCHEMA.app = get_wsgi_application()


@pytest.fixture(autouse=True)
def connection_stays() -> Iterator[None]:
    """The handler ends a request by closing what it finds unusable: here it is the test's own transaction."""
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    yield
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


@contextmanager
def taken_back() -> Iterator[None]:
    """What is done within is undone. Outermost services may be called in it, as in the transaction of the test."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        yield
        transaction.set_rollback(True)


def authorization(role: str, world: World, ticket: Any) -> dict[str, str]:
    headers: dict[str, Any] = dict(caller_of(role, world, ticket)._base_environ())
    given_as = headers.get("HTTP_AUTHORIZATION", "")
    return {"Authorization": given_as} if given_as else {}


def calls(case: Any, scene: dict[str, Any], mode: GenerationMode) -> Any:
    """A strategy: rows of the scene in the path where the data is right; anything where it is not."""
    wanted = {one.name: str(scene[NAMES[one.name]]) for one in case.path_parameters}
    known = {"path_parameters": wanted} if mode == GenerationMode.POSITIVE and wanted else {}
    return case.as_strategy(generation_mode=mode, **known)


def run(
    operation: Any, scene: dict[str, Any], mode: GenerationMode, headers: dict[str, str], found: list[str]
) -> set[int]:
    """Call it some times; complaints go into `found`. Returns the statuses."""
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES[mode],
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=calls(operation, scene, mode))
    def one(case: Case) -> None:
        for name in ("Authorization", "Cookie"):
            case.headers.pop(name, None)
        case.cookies.clear()
        response = case.call(headers=headers)
        statuses.add(response.status_code)
        try:
            case.validate_response(response, checks=CHECKS)  # type: ignore[arg-type]
        except BaseException as failure:  # noqa: BLE001  groups of them; all are told together
            found.append(
                f"{operation.label} {mode.value}: {failure!r} {getattr(failure, 'exceptions', '')} {case.as_curl_command()}"
            )
        if response.status_code >= 400 and response.headers["content-type"] != ["application/problem+json"]:
            found.append(f"{operation.label}: {response.status_code} is no problem")

    one()
    return statuses


def test_answers_are_as_described(world: World, scene: dict[str, Any]) -> None:
    headers = {role: authorization(role, world, scene["ticket"]) for role in set(RIGHTFUL.values())}
    found: list[str] = []
    refused = []
    for result in SCHEMA.get_all_operations():
        operation = result.ok()
        role = RIGHTFUL[operation.tags[0]]
        with taken_back():
            statuses = run(operation, scene, GenerationMode.POSITIVE, headers[role], found)
        if statuses & {401, 403} and operation.definition.raw["operationId"] not in JUDGED_BY_CONTENT:
            refused.append(f"{operation.label}: {statuses}")
        with taken_back():
            try:
                run(operation, scene, GenerationMode.NEGATIVE, headers[role], found)
            except Exception as error:
                if "Cannot generate" not in str(error) and "Unsatisfiable" not in type(error).__name__:
                    raise
    assert not found, "\n".join(found)
    assert refused == []
