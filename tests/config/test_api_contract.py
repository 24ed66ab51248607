"""Every operation of the API against its own description, called by schemathesis: as the schema says, and otherwise.

In process, against the test database, the same calls at each run; what an operation did is rolled back before the next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import Group
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

from agents.models import User
from agents.tokens import SCOPES, account_token_make
from dispatch.backoffice.roles import ROLES as PARTS
from dispatch.backoffice.roles import roles_write
from tests.cast import PASSWORD, World
from tests.config.test_api_roles import caller_of, scene, system
from tests.untouched import rows

assert scene  # a fixture
pytestmark = pytest.mark.django_db

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = {GenerationMode.POSITIVE: 2, GenerationMode.NEGATIVE: 1}  # an operation
NAMES = {
    "public_id": "id", "attachment_id": "file", "offer_id": "offer", "run_id": "run", "agent_id": "agent",
    "payout_id": "payout", "token_id": "token", "webhook_id": "webhook", "delivery_id": "delivery", "month": "month",
}  # fmt: skip

# Who has the right to an operation, by its first tag: these are called most.
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


# Everybody who may knock. Who may change something by operations of a tag; everybody else may not change anything by them.
ROLES = (
    "anonymous", "own customer", "other customer", "other agent", "holder",
    "pool admin", "lead", "auditor", "admin", "system", "other system",
)  # fmt: skip
CHANGES = {
    "customers": {"own customer"},
    "agents": {"holder", "other agent"},  # each their own
    "shift": {"holder", "other agent"},
    "offers": {"holder"},
    "desk": {"holder"},
    "decisions": set[str](),
    "mail": set[str](),
    "staff": {"admin", "system"},
    "webhooks": {"admin", "system"},
}
# A customer needs no account; it is the password that counts; and each ends what they are signed in by.
EVERYBODY = {"ticket_open", "token", "token_end"}
COUNTED = ("agents_apitoken",)  # when a token was last used


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


def callers(world: World, ticket: Any) -> dict[str, dict[str, str]]:
    """Role → headers. “system” has every scope, “other system” one that no operation of a tag wants."""
    roles_write()
    found = {}
    for role in ROLES:
        if role in STAFF:
            user = User.objects.create_user(f"{STAFF[role]}@staff.example", PASSWORD, is_staff=True)
            user.groups.add(Group.objects.get(name=PARTS[STAFF[role]].group))
            found[role] = {"Authorization": f"Token {account_token_make(user=user)}"}
        elif role == "system":
            found[role] = {"Authorization": f"Bearer {system(world, list(SCOPES)).secret}"}
        elif role == "other system":
            found[role] = {"Authorization": f"Bearer {system(world, ['offers:read']).secret}"}
        else:
            found[role] = authorization(role, world, ticket)
    world.pool.admins.add(User.objects.get(email="pool_admin@staff.example"))
    return found


STAFF = {"pool admin": "pool_admin", "lead": "team_lead", "auditor": "auditor"}


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


def test_everybody_else_changes_nothing(world: World, scene: dict[str, Any]) -> None:
    """Each operation as its description wants it, by each role that has no business there, one example for all of them."""
    headers = callers(world, scene["ticket"])
    found: list[str] = []
    got: dict[str, dict[str, int]] = {}
    for result in SCHEMA.get_all_operations():
        operation = result.ok()
        raw = operation.definition.raw
        if raw["operationId"] in EVERYBODY:
            continue
        reads = operation.method == "get"
        others = [role for role in ROLES if reads or role not in CHANGES[operation.tags[0]]]
        mine = {role: headers[role] for role in others}
        got[operation.label] = what_changes(operation, scene, mine, found)
    assert found == []
    for label, statuses in got.items():
        if not label.startswith("GET"):
            assert set(statuses.values()) <= {401, 403, 404}, (label, statuses)


def test_the_look_sees_what_one_of_them_changes(world: World, scene: dict[str, Any]) -> None:
    """The control: an admin among the others removes a webhook."""
    headers = {role: authorization(role, world, scene["ticket"]) for role in ("anonymous", "admin", "holder")}
    found: list[str] = []
    [operation] = [
        one
        for result in SCHEMA.get_all_operations()
        if (one := result.ok()).path.endswith("/webhooks/{webhook_id}/remove")
    ]
    got = what_changes(operation, scene, headers, found)
    assert got == {"anonymous": 401, "admin": 204, "holder": 403}
    assert f"{operation.label}: dispatch_webhookendpoint has changed" in found


def what_changes(
    operation: Any, scene: dict[str, Any], headers: dict[str, dict[str, str]], found: list[str]
) -> dict[str, int]:
    """Their statuses; tables that have another content afterwards go into `found`. All is taken back."""
    with taken_back():
        before = rows()
        statuses = as_each(operation, scene, headers, found)
        after = rows()
        found += [
            f"{operation.label}: {table} has changed"
            for table in sorted(before.keys() | after.keys())
            if table not in COUNTED and after.get(table) != before.get(table)
        ]
    return statuses


def as_each(
    operation: Any, scene: dict[str, Any], headers: dict[str, dict[str, str]], found: list[str]
) -> dict[str, int]:
    """One right example, sent by each role. Returns their statuses."""
    statuses: dict[str, int] = {}

    @settings(
        max_examples=1,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=calls(operation, scene, GenerationMode.POSITIVE))
    def one(case: Case) -> None:
        for name in ("Authorization", "Cookie"):
            case.headers.pop(name, None)
        case.cookies.clear()
        for role, given_as in headers.items():
            response = case.call(headers=given_as)
            statuses[role] = response.status_code
            if response.status_code >= 500:
                found.append(f"{operation.label} {role}: {response.status_code}")

    one()
    return statuses
