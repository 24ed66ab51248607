"""Every route of the API × everybody who may knock: the status each of them gets. A route that is missing here fails."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from agents.models import Agent, EntryKind, User
from agents.pay import credit, runs
from agents.pay.accounts import account_save
from agents.tokens import SCOPES, Made, token_make
from dispatch import presence
from dispatch.backoffice.roles import ROLES as PARTS
from dispatch.backoffice.roles import roles_write
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from dispatch.webhooks.endpoints import endpoint_register, ping
from tests.callers import Caller, account, agent_of, anonymous, customer_of
from tests.cast import PASSWORD, World
from tickets.attachments import inspect
from tickets.conversation import customer_reply
from tickets.models import Attachment, Customer, Ticket

pytestmark = pytest.mark.django_db

ROLES = (
    "anonymous",
    "own customer",
    "other customer",
    "other agent",
    "holder",
    "admin",
    "system",
    "other system",
)

# Route, method, body → status by role, in the order of ROLES; without the last two: tokens of other systems are worth nothing
# there. “system” has a token with the scope that the route wants, “other system” one with all others. Customers of tickets
# that the holder does not hold any more play no part: the ticket is held by Anna, in her first shift, and Bernd is online too,
# in his.
TABLE: list[tuple[str, str, dict[str, Any] | None, tuple[int, ...]]] = [
    ("topics", "GET", None, (200, 200, 200, 200, 200, 200)),
    ("promise", "GET", None, (200, 200, 200, 200, 200, 200)),
    ("mail", "POST", {"text": "Hello"}, (401, 401, 401, 401, 401, 401)),  # it is the signature that counts
    ("tickets", "POST", {"text": "Hello"}, (201, 201, 201, 201, 201, 201)),
    ("tickets/<id>", "GET", None, (401, 200, 404, 401, 401, 401)),
    ("tickets/<id>/events", "GET", None, (401, 200, 404, 401, 401, 401)),
    ("tickets/<id>/messages", "GET", None, (401, 200, 404, 401, 401, 401)),
    ("tickets/<id>/messages", "POST", {"body": "Hello"}, (401, 201, 404, 401, 401, 401)),
    ("tickets/<id>/request-human", "POST", None, (401, 200, 404, 401, 401, 401)),
    ("tickets/<id>/answer", "POST", {"helped": True}, (401, 409, 404, 401, 401, 401)),
    ("tickets/<id>/reopen", "POST", None, (401, 409, 404, 401, 401, 401)),
    ("tickets/<id>/sign", "POST", {"typing": True, "read": 2}, (401, 204, 404, 401, 401, 401)),
    ("tickets/<id>/address", "POST", {"email": "c@customers.example"}, (401, 409, 404, 401, 401, 401)),
    ("tickets/<id>/erase", "POST", None, (401, 204, 404, 401, 401, 401)),
    ("tickets/<id>/close", "POST", None, (401, 200, 404, 401, 401, 401)),
    ("tickets/<id>/rating", "POST", {"score": 5, "solved": True}, (401, 409, 404, 401, 401, 401)),
    ("tickets/<id>/attachments/<file>", "GET", None, (401, 200, 404, 404, 200, 404)),
    (
        "token",
        "POST",
        {"email": "anna@agents.example", "password": PASSWORD},
        (200, 200, 200, 200, 200, 200),  # whoever asks: it is the password that counts
    ),
    ("token", "DELETE", None, (401, 401, 401, 204, 204, 204)),
    ("me", "GET", None, (401, 401, 401, 200, 200, 403)),
    ("earnings", "GET", None, (401, 401, 401, 200, 200, 403)),
    ("earnings/sums", "GET", None, (401, 401, 401, 200, 200, 403)),
    ("earnings/<month>/statement.pdf", "GET", None, (401, 401, 401, 200, 200, 403)),
    ("earnings/<month>/statement.csv", "GET", None, (401, 401, 401, 200, 200, 403)),
    ("payouts", "GET", None, (401, 401, 401, 200, 200, 403)),
    ("payouts/<payout>/statement.pdf", "GET", None, (401, 401, 401, 404, 200, 403)),
    ("payouts/<payout>/statement.csv", "GET", None, (401, 401, 401, 404, 200, 403)),
    ("shift", "GET", None, (401, 401, 401, 200, 200, 403)),
    ("shift/online", "POST", None, (401, 401, 401, 200, 200, 403)),
    ("shift/pause", "POST", {"epoch": 1}, (401, 401, 401, 200, 200, 403)),
    ("shift/finish", "POST", {"epoch": 1}, (401, 401, 401, 200, 200, 403)),
    ("shift/offline", "POST", {"epoch": 1}, (401, 401, 401, 200, 200, 403)),
    ("shift/beat", "POST", {"epoch": 1}, (401, 401, 401, 200, 200, 403)),
    ("me/auto-accept", "POST", {"auto_accept": True}, (401, 401, 401, 200, 200, 403)),
    ("me/keys", "GET", None, (401, 401, 401, 200, 200, 403)),
    ("me/keys", "POST", {"keys": {"accept": "y"}}, (401, 401, 401, 200, 200, 403)),
    ("offers", "GET", None, (401, 401, 401, 200, 200, 403)),
    ("offers/<offer>", "GET", None, (401, 401, 401, 404, 200, 403)),
    ("offers/<offer>/accept", "POST", {"epoch": 1}, (401, 401, 401, 404, 200, 403)),
    ("offers/<offer>/decline", "POST", {"epoch": 1}, (401, 401, 401, 404, 409, 403)),
    ("desk", "GET", None, (401, 401, 401, 200, 200, 403)),
    ("desk/<id>", "GET", None, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/reply", "POST", {"epoch": 1, "body": "Hello"}, (401, 401, 401, 404, 201, 403)),
    ("desk/<id>/note", "POST", {"epoch": 1, "body": "Hello"}, (401, 401, 401, 404, 201, 403)),
    ("desk/<id>/resolve", "POST", {"epoch": 1}, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/resolve-undo", "POST", {"epoch": 1}, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/done", "POST", {"epoch": 1}, (401, 401, 401, 404, 409, 403)),
    ("desk/<id>/hand-back", "POST", {"epoch": 1}, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/sign", "POST", {"typing": True, "read": 2}, (401, 401, 401, 404, 204, 403)),
    ("desk/<id>/draft", "GET", None, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/draft", "POST", {"kind": "note", "body": "Hm"}, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/canned-replies", "GET", None, (401, 401, 401, 404, 200, 403)),
    (
        "desk/<id>/reveal",
        "POST",
        {"epoch": 1, "place": "email", "reason": "contact"},
        (401, 401, 401, 404, 200, 403),
    ),
    ("desk/<id>/targets", "GET", None, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/transfer", "POST", {"epoch": 1, "note": "No."}, (401, 401, 401, 404, 409, 403)),
    ("desk/<id>/escalate", "POST", {"epoch": 1, "reason": "Look."}, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/snooze", "POST", {"epoch": 1, "until": "<soon>"}, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/wake", "POST", {"epoch": 1}, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/duplicates", "GET", None, (401, 401, 401, 404, 200, 403)),
    ("desk/<id>/merge", "POST", {"epoch": 1, "ticket": "nothing"}, (401, 401, 401, 404, 404, 403)),
    ("desk/<id>/end", "POST", {"epoch": 1, "kind": "spam"}, (401, 401, 401, 404, 200, 403)),
    ("staff/tickets", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("staff/tickets", "POST", {"text": "Hello"}, (401, 401, 401, 403, 403, 201, 201, 403)),
    ("staff/tickets/<id>", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("staff/tickets/<id>/events", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("staff/offers", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("staff/agents", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("staff/shifts", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("staff/pools", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("staff/skills", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("webhooks", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    (
        "webhooks",
        "POST",
        {"url": "https://hooks.shop.example/x", "events": ["ticket.opened"]},
        (401, 401, 401, 403, 403, 201, 201, 403),
    ),
    ("webhooks/<webhook>", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("webhooks/<webhook>/change", "POST", {"enabled": True}, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("webhooks/<webhook>/rotate", "POST", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    ("webhooks/<webhook>/test", "POST", None, (401, 401, 401, 403, 403, 202, 202, 403)),
    ("webhooks/<webhook>/deliveries", "GET", None, (401, 401, 401, 403, 403, 200, 200, 403)),
    (
        "webhooks/<webhook>/deliveries/<delivery>/again",
        "POST",
        None,
        (401, 401, 401, 403, 403, 202, 202, 403),
    ),
    (
        "webhooks/<webhook>/remove",
        "POST",
        None,
        (401, 401, 401, 403, 403, 204, 204, 403),
    ),
    ("staff/tokens", "GET", None, (401, 401, 401, 403, 403, 200)),
    (
        "staff/tokens",
        "POST",
        {"name": "Warehouse", "scopes": ["tickets:read"]},
        (401, 401, 401, 403, 403, 201),
    ),
    ("staff/tokens/<token>/revoke", "POST", None, (401, 401, 401, 403, 403, 200)),
    ("runs/<run>", "GET", None, (401, 401, 401, 403, 403, 200)),
    ("tickets/<id>/why-not/<agent>", "GET", None, (401, 401, 401, 403, 403, 200)),
]
# What the customer of the scene said of herself. It is in no answer to anybody else, but where it was asked for.
SECRETS = ("carla@", "Lindqvist", "2345617", "Elm Grove", "March 1985")
OF_STAFF = ("runs/<run>", "tickets/<id>/why-not/<agent>", "staff/", "webhooks")
TELLS = "Call +49 171 2345617. I live at 17 Elm Grove, Bristol BS6 6AB, born 12 March 1985. C. Lindqvist"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def routes() -> Iterator[tuple[str, Any]]:
    """(path below /api/v1/ with <names>, view class) of every route there is."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Any]]:
        for one in patterns:
            path = prefix + str(one.pattern)
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, path)
            elif path.startswith("api/v1/"):
                yield path.removeprefix("api/v1/"), one.callback.view_class  # type: ignore[attr-defined]

    names = {
        "public_id": "id",
        "attachment_id": "file",
        "offer_id": "offer",
        "run_id": "run",
        "agent_id": "agent",
        "payout_id": "payout",
        "token_id": "token",
        "webhook_id": "webhook",
        "delivery_id": "delivery",
    }
    for path, view in walk(get_resolver().url_patterns, ""):
        yield re.sub(r"<\w+:(\w+)>", lambda found: f"<{names.get(found[1], found[1])}>", path), view


def test_the_table_has_every_route_and_method() -> None:
    there = {
        (path, method)
        for path, view in routes()
        for method in METHODS
        if hasattr(view, method.lower()) and method != "OPTIONS"
    }
    assert there == {(path, method) for path, method, _body, _expected in TABLE}


@pytest.fixture
def scene(world: World) -> dict[str, Any]:
    """Anna holds a ticket with a file; Bernd is online and holds nothing."""
    anna = world.agent("Anna")
    epoch = presence.go_online(agent_id=anna.pk).epoch
    ticket = world.ticket("Where is my refund? I am carla@customers.example, Lindqvist.")
    Customer.objects.filter(pk=ticket.customer_id).update(name="Carla Lindqvist")
    ticket = Ticket.objects.select_related("customer").get(pk=ticket.pk)
    match_pool(world.pool.pk)
    offer = Offer.objects.get()
    offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=epoch)
    customer_reply(ticket=ticket, body=TELLS, files=[inspect("Lindqvist.txt", b"hello")])
    presence.go_online(agent_id=world.agent("Bernd").pk)
    hook = endpoint_register(url="https://hooks.shop.example/x", events=["ticket.held"]).endpoint
    return {
        "id": ticket.public_id,
        "offer": offer.pk,
        "run": offer.run_id,
        "agent": anna.pk,
        "file": Attachment.objects.get().pk,
        "ticket": ticket,
        "payout": paid_out(anna),
        "month": "2026-11",
        "token": system(world, ["offers:read"]).token.pk,
        "webhook": hook.pk,
        "delivery": ping(endpoint_id=hook.pk).pk,
    }


def paid_out(agent: Agent) -> int:
    """Number of an approved payout of this agent."""
    account_save(agent_id=agent.pk, holder="Anna", iban="DE89370400440532013000")
    credit(
        agent_id=agent.pk,
        kind=EntryKind.TICKET,
        amount_cents=5000,
        currency="EUR",
        reference="offer:0",
        memo="",
    )
    one, other = (User.objects.create_user(f"{name}@staff.example", PASSWORD) for name in ("one", "other"))
    run, _made = runs.payout_run_make(up_to=timezone.localdate(), made_by_id=one.pk)
    runs.payout_run_approve(run_id=run.pk, by_id=other.pk)
    return run.payouts.get().pk


def system(world: World, scopes: list[str]) -> Made:
    """A token of another system."""
    boss, _made = User.objects.get_or_create(email="boss@staff.example", is_superuser=True)
    return token_make(by=boss, name="Warehouse", scopes=scopes)


def scope_of(path: str, method: str) -> str:
    view = next(view for one, view in routes() if one == path)
    return str(getattr(view, "scopes", {}).get(method.lower(), ""))


def caller_of(role: str, world: World, ticket: Ticket, scope: str = "") -> Caller:
    if role.endswith("system"):
        wanted = [one for one in SCOPES if (one == scope) == (role == "system")]
        return Caller(f"Bearer {system(world, wanted or list(SCOPES)).secret}")
    if role == "own customer":
        return customer_of(ticket)
    if role == "other customer":
        return customer_of(world.ticket("Another"))
    if role == "other agent":
        return agent_of(world.agents["Bernd"])
    if role == "holder":
        return agent_of(world.agents["Anna"])
    if role == "admin":
        return account(User.objects.create_superuser("admin@staff.example", PASSWORD))
    return anonymous()


def asked(caller: Caller, method: str, path: str, body: dict[str, Any] | None) -> Any:
    if method == "GET":
        return caller.ask(path)
    return caller.delete(f"/api/v1/{path}") if method == "DELETE" else caller.tell(path, body)


@pytest.mark.parametrize(
    ("path", "method", "body", "expected"), TABLE, ids=[f"{one[1]} {one[0]}" for one in TABLE]
)
def test_who_may(
    world: World,
    scene: dict[str, Any],
    path: str,
    method: str,
    body: dict[str, Any] | None,
    expected: tuple[int, ...],
) -> None:
    """In this order, so that those who are refused come before the one who changes something: refused first."""
    here = re.sub(r"<(\w+)>", lambda found: str(scene[found[1]]), path)
    if body and body.get("until") == "<soon>":
        body = body | {"until": (timezone.now() + timedelta(hours=1)).isoformat()}
    got = {}
    if len(expected) < len(ROLES):
        expected = (*expected, expected[0], expected[0])
    for role, _status in sorted(zip(ROLES, expected, strict=True), key=lambda pair: -pair[1]):
        caller = caller_of(role, world, scene["ticket"], scope_of(path, method))
        answer = asked(caller, method, here, body)
        got[role] = answer.status_code
        if role != "own customer" and path != "desk/<id>/reveal":
            said = str(answer.headers) + ("" if answer.streaming else answer.content.decode(errors="replace"))
            assert [secret for secret in SECRETS if secret.lower() in said.lower()] == [], (role, said)
    assert got == dict(zip(ROLES, expected, strict=True))


# Accounts of the team (dispatch/backoffice/roles.py) → what lists of staff answer to them. Pool admins see nothing there, since
# it is not confined to pools; who looks after tokens and webhooks are admins.
TEAM = {"pool_admin": 403, "team_lead": 200, "auditor": 200}


def test_what_the_team_may(world: World, scene: dict[str, Any]) -> None:
    """Read, as far as they see all; change nothing. Elsewhere they are nobody in particular, as an admin is."""
    roles_write()
    wrong = []
    for role, reads in TEAM.items():
        user = User.objects.create_user(f"{role}@staff.example", PASSWORD, is_staff=True)
        user.groups.add(Group.objects.get(name=PARTS[role].group))
        world.pool.admins.add(user)
        caller = account(user)
        for path, method, body, expected in TABLE:
            if (path, method) in (("tickets", "POST"), ("token", "POST"), ("token", "DELETE")):
                continue  # everybody's, and the end of what they are signed in by
            here = re.sub(r"<(\w+)>", lambda found: str(scene[found[1]]), path)
            should = expected[ROLES.index("admin")]
            if path.startswith(OF_STAFF):
                sees = method == "GET" and not path.startswith(("staff/tokens", "webhooks"))
                should = reads if sees else 403
            answer = asked(caller, method, here, body)
            if answer.status_code != should:
                wrong.append(f"{role} {method} {path}: {answer.status_code}, not {should}")
            said = "" if answer.streaming else answer.content.decode(errors="replace")
            wrong += [f"{role} {path}: {secret}" for secret in SECRETS if secret.lower() in said.lower()]
    assert wrong == []


@pytest.mark.parametrize("path", sorted({one[0] for one in TABLE}))
def test_other_methods_are_refused(world: World, scene: dict[str, Any], path: str) -> None:
    here = re.sub(r"<(\w+)>", lambda found: str(scene[found[1]]), path)
    allowed = {method for one, method, _body, _expected in TABLE if one == path}
    who = "own customer" if path.startswith("ticket") else "holder"
    caller = caller_of("admin" if path.startswith(OF_STAFF) else who, world, scene["ticket"])
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - allowed:
        answer = caller.generic(method, f"/api/v1/{here}")
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == allowed


def test_files_are_needed_for_nothing_else(world: World, scene: dict[str, Any]) -> None:
    """A file in a body that takes none is refused by its media type, not lost."""
    answer = customer_of(scene["ticket"]).tell(
        f"tickets/{scene['id']}/reopen", {"files": SimpleUploadedFile("a.txt", b"x")}, format="multipart"
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
