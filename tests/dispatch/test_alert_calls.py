"""Alerts on team leads' devices: who is told, when it rings, that it is over; whose a browser is."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client
from kombu.exceptions import OperationalError

from agents.models import PushDevice, User
from agents.push import alerts_keep, device_keep, device_remove
from dispatch import alert_calls, alerts, erasure, export
from dispatch.models import Alert, AlertKind
from tests.cast import PASSWORD, World
from tests.console import text_of
from tests.dispatch.test_alert_conditions import only, waited
from tests.dispatch.test_alerts import there
from tests.push import PushedTo, pushed_to
from tests.untouched import nothing_changed

pytestmark = pytest.mark.django_db(transaction=True)
SAYS = "Nobody with this skill is online, and tickets wait for it: Payments"


@pytest.fixture
def browser(settings: Any) -> Iterator[PushedTo]:
    settings.PUSH_ANYWHERE = True
    with pushed_to() as opened:
        yield opened


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker is here: what is asked of the broker after the commit is done then."""

    def sent(name: str, args: list[Any], **_: Any) -> None:
        if name == "dispatch.tasks.alert_call":
            current_app.tasks[name](*args)

    monkeypatch.setattr(current_app._get_current_object(), "send_task", sent)


def someone(name: str, *rights: str, **more: Any) -> User:
    user = User.objects.create_user(f"{name}@team.example", PASSWORD, name=name, **more)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    return user


def agrees(user: User, browser: PushedTo) -> PushDevice:
    made = alerts_keep(user_id=user.pk, **browser.said, wanted=True)
    assert made is not None
    return made


def shown(browser: PushedTo) -> list[tuple[str, bool]]:
    """(title, quiet) of what came since the last look."""
    found = [(call["title"], call["quiet"]) for call in browser.calls]
    browser.received.clear()
    return found


def later(minutes: int) -> None:
    ago = timedelta(minutes=minutes)
    Alert.objects.update(
        opened_at=F("opened_at") - ago,
        closed_at=F("closed_at") - ago,
        mailed_at=F("mailed_at") - ago,
        told_at=F("told_at") - ago,
        called_at=F("called_at") - ago,
    )


def look() -> None:
    alerts.conditions_refresh()
    for alert_id in alerts.due():
        alerts.alert_mail(alert_id=alert_id)


def test_it_rings_again_while_nobody_sees_to_it_and_its_end_takes_its_place(
    world: World, browser: PushedTo
) -> None:
    agrees(someone("lea", "be_alerted"), browser)
    only("skill_away")
    ticket = world.ticket()
    waited(ticket, 61)
    look()
    [call] = browser.calls
    tag = call.pop("kind")
    assert call == {
        "title": SAYS,
        "body": "Call people in, or reassign the tickets to a pool that can help.",
        "path": "/lead/",
        "seconds": 3600,
        "quiet": False,
    }
    assert len(tag) <= 32  # RFC 8030: the topic of a message
    assert shown(browser) == [(SAYS, False)]
    look()
    later(59)
    look()
    assert shown(browser) == []
    later(1)
    look()
    assert shown(browser) == [(SAYS, False)]
    there(world)
    look()
    [call] = browser.calls
    assert call["kind"] == tag
    headers = {name.lower(): value for name, value in browser.received[0].headers.items()}
    assert headers["urgency"] == "normal"
    assert shown(browser) == [("Over: " + SAYS, True)]


def test_what_comes_and_goes_is_seen_and_not_heard_each_time(world: World, browser: PushedTo) -> None:
    agrees(someone("lea", "be_alerted", language="de"), browser)
    kind = AlertKind.SILENT

    def comes_and_goes() -> list[tuple[str, bool]]:
        alerts._turn(kind, {"worker"})
        alerts._turn(kind, set())
        return shown(browser)

    says = "Von den Workern ist nichts zu hören"
    assert comes_and_goes() == [(says, False), ("Vorbei: " + says, True)]
    later(5)
    assert comes_and_goes() == [(says, True), ("Vorbei: " + says, True)]
    later(11)
    assert comes_and_goes() == [(says, False), ("Vorbei: " + says, True)]
    # Late or twice: no second ring, and nothing of one that was over before it was told.
    alert = Alert.objects.latest("pk")
    assert alert_calls.call(event="opened", alert_id=alert.pk) == 0
    alerts._turn(kind, {"beat"})
    shown(browser)
    assert alert_calls.call(event="opened", alert_id=Alert.objects.latest("pk").pk) == 1
    assert [quiet for _title, quiet in shown(browser)] == [True]


def test_what_waits_for_people_is_one_notification_without_names(world: World, browser: PushedTo) -> None:
    agrees(someone("lea", "be_alerted"), browser)
    alerts._turn(AlertKind.ESCALATION, {"1"})
    alerts._turn(AlertKind.ESCALATION, {"1", "2"})
    assert len({call["kind"] for call in browser.calls}) == 1
    assert browser.calls[0]["body"] == "It waits for a person of the team."
    assert shown(browser) == [("Escalation: 1", False), ("Escalation: 2", True)]
    alerts._turn(AlertKind.ESCALATION, set())
    assert shown(browser) == []  # who answered knows


def test_only_who_may_be_alerted_can_log_in_and_said_yes(world: World, browser: PushedTo) -> None:
    lea = someone("lea", "be_alerted")

    def told() -> int:
        Alert.objects.all().delete()
        alerts._turn(AlertKind.OUTBOX, {""})
        return len(shown(browser))

    assert told() == 0
    agrees(lea, browser)
    assert told() == 1
    User.objects.filter(pk=lea.pk).update(is_active=False)
    assert told() == 0
    User.objects.filter(pk=lea.pk).update(is_active=True)
    lea.user_permissions.clear()
    assert told() == 0
    User.objects.filter(pk=lea.pk).update(is_superuser=True)
    assert told() == 1
    assert alerts_keep(user_id=lea.pk, **browser.said, wanted=False) is None
    assert told() == 0
    assert not PushDevice.objects.exists()


def test_an_alert_opens_all_the_same_while_the_broker_is_away(
    world: World, browser: PushedTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    agrees(someone("lea", "be_alerted"), browser)

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(current_app._get_current_object(), "send_task", away)
    alerts._turn(AlertKind.OUTBOX, {""})
    assert Alert.objects.filter(closed_at__isnull=True).count() == 1
    assert shown(browser) == []


def test_a_browser_is_one_persons_with_both_roles_words(world: World, browser: PushedTo) -> None:
    anna, lea = world.agent("Anna"), someone("lea", "be_alerted")
    device_keep(agent_id=anna.pk, **browser.said, offers=True, busy=False)
    agrees(anna.user, browser)  # she leads, too
    both = PushDevice.objects.get()
    assert (both.agent_id, both.user_id, both.offers) == (anna.pk, anna.user_id, True)
    assert device_remove(agent_id=anna.pk, device_id=both.pk)
    both.refresh_from_db()
    assert (both.agent_id, both.user_id, both.offers, both.busy) == (None, anna.user_id, False, False)
    device_keep(agent_id=anna.pk, **browser.said, offers=False, busy=True)
    assert PushDevice.objects.get().user_id == anna.user_id
    # Somebody else says yes there: nothing of hers comes to it any more.
    agrees(lea, browser)
    hers = PushDevice.objects.get()
    assert (hers.agent_id, hers.user_id, hers.busy) == (None, lea.pk, False)
    device_keep(agent_id=anna.pk, **browser.said, offers=True, busy=False)
    assert PushDevice.objects.get().user_id is None
    for wrong in ({"agent": None}, {"offers": False}, {"agent": None, "offers": False}):
        with nothing_changed(), pytest.raises(IntegrityError), transaction.atomic():
            PushDevice.objects.update(**wrong)


def test_an_agents_export_has_it_and_erasing_forgets_it(world: World, browser: PushedTo) -> None:
    anna = world.agent("Anna")
    agrees(anna.user, browser)
    [row] = export._devices(anna)
    assert row.user_id == anna.user_id
    erasure._desk(anna.pk, [])
    assert not PushDevice.objects.exists()


def test_the_page_is_for_who_is_alerted_and_each_has_their_own(world: World, browser: PushedTo) -> None:
    lea, otto, reads = Client(), Client(), Client()
    lea.force_login(someone("lea", "be_alerted", "view_halfhour"))
    otto.force_login(someone("otto", "be_alerted"))
    reads.force_login(someone("rita", "view_halfhour"))
    assert "/lead/devices" in text_of(lea.get("/lead/"))
    said = browser.said | {"alerts": "1"}
    assert lea.post("/lead/devices/here", said).json() == {"alerts": True, "kept": True}
    state = {"endpoint": browser.endpoint}
    assert lea.post("/lead/devices/state", state).json() == {"alerts": True}
    assert otto.post("/lead/devices/state", state).json() == {"alerts": False}
    device = PushDevice.objects.get()
    assert browser.endpoint not in text_of(lea.get("/lead/devices"))
    with nothing_changed():
        otto.post(f"/lead/devices/{device.pk}/remove")
        bad = otto.post("/lead/devices/here", said | {"auth": ""})
        assert (bad.status_code, bad.json()["code"]) == (400, "not_a_device")
        assert "/lead/devices" not in text_of(reads.get("/lead/"))
        assert reads.post("/lead/devices/here", said).status_code == 403
        assert Client().post("/lead/devices/here", said).status_code == 302
    answer = lea.post(f"/lead/devices/{device.pk}/remove", follow=True)
    assert "No alerts come to that device any more." in text_of(answer)
    assert not PushDevice.objects.exists()
