"""POST /api/v1/mail: signed mails do what fetched ones do; all else is refused and changes nothing."""

import base64
import time

import pytest
from django.test import Client

from tests.cast import World
from tests.tickets.mail_styles import plain
from tests.untouched import nothing_changed
from tickets import api_mail
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
SECRET = "a secret that both of the sides know"
RAW = plain("Where is it?")


@pytest.fixture(autouse=True)
def secret(settings: pytest.FixtureRequest) -> None:
    settings.MAIL_IN_SECRET = SECRET  # type: ignore[attr-defined]


def hand_over(
    raw: bytes = RAW, *, secret: str = SECRET, ago: int = 0, signed: bytes | None = None, **heads: str
):  # type: ignore[no-untyped-def]
    stamp = str(int(time.time()) - ago)
    signature = api_mail.signature_of(secret, "m1", stamp, raw if signed is None else signed)
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    } | {name.replace("_", "-"): value for name, value in heads.items()}
    return Client().post("/api/v1/mail", raw, content_type="message/rfc822", headers=headers)


def test_takes_a_mail_once(world: World) -> None:
    answer = hand_over()
    ticket = Ticket.objects.get()
    assert (answer.status_code, answer.json()) == (
        200,
        {"outcome": "opened", "number": ticket.number, "first": True},
    )
    with nothing_changed():
        assert hand_over().json() == {"outcome": "opened", "number": ticket.number, "first": False}


def test_one_of_several_signatures_is_enough(world: World) -> None:
    """While the secret changes, both are sent."""
    stamp = str(int(time.time()))
    right = base64.b64encode(api_mail.signature_of(SECRET, "m1", stamp, RAW)).decode()
    answer = hand_over(webhook_timestamp=stamp, webhook_signature=f"v1,AAAA v2,x v1,{right}")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "another secret of enough characters!"},
        {"signed": b"another mail"},
        {"ago": 400},
        {"ago": -400},
        {"webhook_id": "m2"},
        {"webhook_id": ""},
        {"webhook_timestamp": "now"},
        {"webhook_signature": ""},
        {"webhook_signature": "v1,?"},
    ],
)  # fmt: skip
def test_is_refused_and_changes_nothing(world: World, wrong: dict[str, str]) -> None:
    with nothing_changed():
        answer = hand_over(**wrong)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")


def test_without_a_secret_nothing_is_taken(world: World, settings: pytest.FixtureRequest) -> None:
    settings.MAIL_IN_SECRET = ""  # type: ignore[attr-defined]
    with nothing_changed():
        assert hand_over(secret="").status_code == 401


def test_more_than_a_mail_is_refused_before_it_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_mail, "MAX_BODY_WITH_FILES", 100)
    with nothing_changed():
        answer = hand_over(b"x" * 101)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
