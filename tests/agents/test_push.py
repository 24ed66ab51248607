"""Calls to devices: sealed, signed, taken by a real server and opened with the browser's keys; what failures do."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from agents.errors import NoPushKey, NotADevice
from agents.models import AgentStatus, PushDevice
from agents.push import Call, device_keep, device_remove, device_wishes, public_key, send
from agents.push.endpoints import Inside, endpoint_check, session
from agents.push.sending import MOST_FAILURES
from tests.cast import World
from tests.push import PushedTo, pushed_to, signed_by, text

pytestmark = pytest.mark.django_db(transaction=True)

CALL = Call("offer", "Offer: Refund, €4.00", "20 seconds to answer.", "/console/", 20)
CHROME = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"


@pytest.fixture
def browser(settings: Any) -> Iterator[PushedTo]:
    settings.PUSH_ANYWHERE = True
    with pushed_to() as opened:
        yield opened


@pytest.fixture
def anna(world: World) -> int:
    return world.agent("Anna").pk


def device(anna: int, browser: PushedTo, **more: Any) -> PushDevice:
    wishes = {"offers": True, "busy": False} | more
    made = device_keep(agent_id=anna, **browser.said, **wishes, user_agent=CHROME)
    assert made is not None
    return made


def test_the_whole_way(anna: int, browser: PushedTo) -> None:
    made = device(anna, browser)
    assert made.words == "Chrome, Android"
    assert send(device_id=made.pk, call=CALL)
    [one] = browser.received
    assert one.call == {
        "kind": "offer",
        "title": "Offer: Refund, €4.00",
        "body": "20 seconds to answer.",
        "path": "/console/",
        "seconds": 20,
        "quiet": False,
    }
    headers = {name.lower(): value for name, value in one.headers.items()}
    assert (headers["ttl"], headers["urgency"], headers["topic"]) == ("20", "high", "offer")
    assert headers["content-encoding"] == "aes128gcm"
    assert signed_by(headers["authorization"], public_key())
    made.refresh_from_db()
    assert made.last_ok_at is not None
    assert made.failures == 0


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_is_over_is_forgotten(anna: int, browser: PushedTo, status: int) -> None:
    made = device(anna, browser)
    browser.answer = status
    assert not send(device_id=made.pk, call=CALL)
    assert not PushDevice.objects.exists()


@pytest.mark.parametrize("status", [302, 400, 413, 429, 500])
def test_after_a_failure_there_is_a_pause_and_no_redirect_is_followed(
    anna: int, browser: PushedTo, status: int
) -> None:
    made = device(anna, browser)
    browser.answer = status
    before = timezone.now()
    assert not send(device_id=made.pk, call=CALL)
    assert not send(device_id=made.pk, call=CALL)  # in the pause nothing is sent
    assert len(browser.received) == 1
    made.refresh_from_db()
    assert made.failures == 1
    assert made.retry_at is not None
    assert timedelta(seconds=50) < made.retry_at - before < timedelta(seconds=90)
    browser.answer = 201
    PushDevice.objects.update(retry_at=timezone.now())
    assert send(device_id=made.pk, call=CALL)
    made.refresh_from_db()
    assert (made.failures, made.retry_at, made.stopped_at) == (0, None, None)


def test_after_many_failures_it_is_given_up_until_its_owner_says_yes_again(
    anna: int, browser: PushedTo
) -> None:
    made = device(anna, browser)
    browser.answer = 500
    for _ in range(MOST_FAILURES + 3):
        PushDevice.objects.update(retry_at=None)
        assert not send(device_id=made.pk, call=CALL)
    assert len(browser.received) == MOST_FAILURES
    assert PushDevice.objects.get().stopped_at is not None
    assert device_wishes(agent_id=anna, endpoint=browser.endpoint) == {"offers": False, "busy": False}
    browser.answer = 201
    again = device(anna, browser, busy=True)
    assert again.pk == made.pk
    assert send(device_id=made.pk, call=CALL)


def test_a_service_that_does_not_answer_is_a_failure(anna: int, browser: PushedTo) -> None:
    made = device(anna, browser)
    browser.server.shutdown()
    browser.server.server_close()
    assert not send(device_id=made.pk, call=CALL)
    made.refresh_from_db()
    assert made.failures == 1


@pytest.mark.parametrize("status", [one for one in AgentStatus if one != AgentStatus.ADMITTED])
def test_nobody_is_called_who_is_not_admitted(
    world: World, anna: int, browser: PushedTo, status: AgentStatus
) -> None:
    made = device(anna, browser)
    type(world.agents["Anna"]).objects.update(status=status)
    assert not send(device_id=made.pk, call=CALL)
    assert browser.received == []
    made.refresh_from_db()
    assert made.failures == 0


def test_two_consents_and_none_is_no_device(world: World, anna: int, browser: PushedTo) -> None:
    device(anna, browser, busy=True)
    assert device_wishes(agent_id=anna, endpoint=browser.endpoint) == {"offers": True, "busy": True}
    device(anna, browser, offers=False, busy=True)
    assert device_wishes(agent_id=anna, endpoint=browser.endpoint) == {"offers": False, "busy": True}
    # Somebody else can neither see nor end it.
    bernd = world.agent("Bernd").pk
    assert device_wishes(agent_id=bernd, endpoint=browser.endpoint) == {"offers": False, "busy": False}
    assert device_keep(agent_id=bernd, **browser.said, offers=False, busy=False) is None
    assert not device_remove(agent_id=bernd, device_id=PushDevice.objects.get().pk)
    assert PushDevice.objects.get().agent_id == anna
    # Who says yes in the same browser has it from then on.
    device(bernd, browser)
    assert PushDevice.objects.get().agent_id == bernd
    assert device_keep(agent_id=bernd, **browser.said, offers=False, busy=False) is None
    assert not PushDevice.objects.exists()


def test_the_eleventh_device_takes_the_place_of_the_first(anna: int, browser: PushedTo) -> None:
    for number in range(11):
        said = browser.said | {"endpoint": f"{browser.endpoint}/{number}"}
        device_keep(agent_id=anna, **said, offers=True, busy=False)
    kept = PushDevice.objects.order_by("id").values_list("endpoint", flat=True)
    assert [one.rsplit("/", 1)[1] for one in kept] == [str(number) for number in range(1, 11)]


def test_without_a_key_nobody_is_called(anna: int, browser: PushedTo, settings: Any) -> None:
    settings.PUSH_KEY = ""
    assert public_key() == ""
    with pytest.raises(NoPushKey):
        device(anna, browser)
    assert not PushDevice.objects.exists()


# --- Where we may send ------------------------------------------------------------------------------------------------

GOOD = "https://push.services.example/wpush/v2/gAAAA_b-c"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.services.example/x",
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://0x7f.0.0.0x1/x",
        "https://2130706433/x",
        "https://10.0.0.5/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://localhost/x",
        "https://printer/x",
        "https://printer.local/x",
        "https://db.internal./x",
        "https://push.services.example:8443/x",
        "https://push.services.example:http/x",
        "https://me@push.services.example/x",
        "https://push.services.example\\@10.0.0.5/x",
        "https://push.services.example/ x",
        "https://püsh.services.example/x",
        "https:///x",
        "file:///etc/passwd",
        "gopher://push.services.example/x",
        "",
        GOOD + "x" * 1000,
    ],
)
def test_an_address_that_no_push_service_has_is_refused(
    anna: int, browser: PushedTo, settings: Any, endpoint: str
) -> None:
    settings.PUSH_ANYWHERE = False
    with pytest.raises(NotADevice):
        device_keep(agent_id=anna, **browser.said | {"endpoint": endpoint}, offers=True, busy=True)
    assert not PushDevice.objects.exists()
    endpoint_check(GOOD)


@pytest.mark.parametrize(
    "wrong",
    [
        {"p256dh": ""},
        {"p256dh": text(b"\x04" + bytes(64))},  # not on the curve
        {"p256dh": "ä"},
        {"auth": text(b"too short")},
        {"auth": ""},
    ],
)
def test_keys_that_no_browser_has_are_refused(anna: int, browser: PushedTo, wrong: dict[str, str]) -> None:
    with pytest.raises(NotADevice):
        device_keep(agent_id=anna, **browser.said | wrong, offers=True, busy=True)
    assert not PushDevice.objects.exists()


def test_a_name_that_leads_inside_is_not_spoken_to(browser: PushedTo, settings: Any) -> None:
    """`localhost` stands for any name that its owner has pointed at an inner address."""
    settings.PUSH_ANYWHERE = False
    with session() as http:
        with pytest.raises(Inside):
            http.post(f"https://localhost:{browser.port}/push", data=b"x", timeout=5)
        with pytest.raises(requests.exceptions.InvalidSchema):
            http.post(browser.endpoint, data=b"x", timeout=5)
    assert browser.received == []


def test_control_without_the_guard_it_is(browser: PushedTo, settings: Any, anna: int) -> None:
    settings.PUSH_ANYWHERE = True
    assert send(device_id=device(anna, browser).pk, call=CALL)
    assert len(browser.received) == 1
