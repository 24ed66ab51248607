"""Alerts of what is the matter: when they open, are told again until somebody sees to them, and are over."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from agents.models import User
from dispatch import alert_looks, alerts, pulse, signals
from dispatch.errors import AlertOver, MayNotIntervene
from dispatch.models import (
    Alert,
    AlertRule,
    LeadAction,
    PromisedAnswer,
    Pulse,
    Route,
    WebhookDelivery,
    WebhookEndpoint,
)
from dispatch.rules.alerting import DEFAULTS, at_risk
from tests.cast import World
from tests.dispatch.test_alerts import there
from tests.dispatch.test_leading import lead
from tests.dispatch.test_wallboard import signed_in
from tests.untouched import nothing_changed
from tickets import kept
from tickets.models import LinkRequest, MailIn, Ticket

__all__ = ["lead"]  # a fixture
pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("root@admins.example", "x")


@pytest.fixture
def heard(db: None) -> list[tuple[str, str, str]]:
    """(event, kind, subject) of what is passed on."""
    found: list[tuple[str, str, str]] = []

    def receive(event: str, alert: Alert, **_: Any) -> None:
        found.append((event, alert.kind, alert.subject))

    signals.alert_changed.connect(receive, weak=False)
    yield found  # type: ignore[misc]
    signals.alert_changed.disconnect(receive)


def rule(kind: str, **values: int) -> None:
    default = DEFAULTS[kind]._asdict()
    AlertRule.objects.update_or_create(kind=kind, defaults=values, create_defaults=default | values)
    kept.forget()


def only(kind: str) -> None:
    for one in DEFAULTS:
        rule(one, active=one == kind)


def open_now() -> list[tuple[str, str]]:
    alerts.conditions_refresh()
    found = Alert.objects.filter(closed_at__isnull=True).order_by("kind", "subject")
    return list(found.values_list("kind", "subject"))


def waited(ticket: Ticket, seconds: int) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(waiting_since=Now() - timedelta(seconds=seconds))


def test_a_skill_that_nobody_online_has(world: World) -> None:
    """Refunds need payments 2: Ben has 1. Not before the ticket has waited for a minute."""
    only("skill_away")
    world.agent("Ben", payments=1)
    world.agent("Anna")
    there(world, "Ben")
    ticket = world.ticket()
    assert open_now() == []
    waited(ticket, 61)
    assert open_now() == [("skill_away", "payments")]
    rule("skill_away", threshold=300)
    assert open_now() == []
    rule("skill_away", threshold=30)
    assert open_now() == [("skill_away", "payments")]
    there(world, "Anna")
    assert open_now() == []


def test_a_target_at_risk_before_it_is_missed(world: World) -> None:
    only("target_risk")
    Route.objects.update(target_seconds=100)
    kept.forget()
    ticket = world.ticket()
    waited(ticket, 70)
    assert open_now() == []
    waited(ticket, 80)
    assert open_now() == [("target_risk", "refund")]
    rule("target_risk", threshold=95)
    assert open_now() == []
    assert (at_risk(74.9, 100, 75), at_risk(75, 100, 75)) == (False, True)
    with pytest.raises(IntegrityError), transaction.atomic():
        AlertRule.objects.filter(kind="target_risk").update(threshold=100)


def test_a_silent_worker_and_mails_that_pile_up(world: World) -> None:
    rule("skill_away", active=False)
    rule("target_risk", active=False)
    for kind in ("beat", "matcher", "worker", "simulator"):
        pulse.pulse_beat(kind=kind)
    ticket = world.ticket()
    assert open_now() == []
    Pulse.objects.filter(kind="worker").update(heard_at=Now() - timedelta(minutes=2))
    Ticket.objects.filter(pk=ticket.pk).update(created_at=Now() - timedelta(minutes=11))
    assert open_now() == [("outbox", ""), ("silent", "worker")]
    pulse.pulse_beat(kind="worker")
    Ticket.objects.update(link_mailed_at=Now())
    assert open_now() == []


def stuck(kind: str, ticket: Ticket, minutes: int) -> Any:
    """One of a kind that waits to be sent since so many minutes, and how it is sent: (rows, column, moment that counts)."""
    since = Now() - timedelta(minutes=minutes)
    if kind == "promise":
        made = PromisedAnswer.objects.create(ticket=ticket, due_at=Now() + timedelta(hours=1), made_at=since)
        return PromisedAnswer.objects.filter(pk=made.pk), {"mailed_at": Now()}, "made_at"
    if kind == "links":
        asked = LinkRequest.objects.create(email="carla@home.example", language="en", asked_at=since)
        return LinkRequest.objects.filter(pk=asked.pk), {"sent_at": Now()}, "asked_at"
    if kind == "left_out":
        came = MailIn.objects.create(
            key="a", outcome="replied", ticket=ticket, left_out=[["x.exe", "no"]], received_at=since
        )
        return MailIn.objects.filter(pk=came.pk), {"left_out_mailed_at": Now()}, "received_at"
    endpoint = WebhookEndpoint.objects.create(url="https://a.example", events=["ticket.opened"])
    told = WebhookDelivery.objects.create(
        endpoint=endpoint, message_id="m", type="ticket.opened", data={}, due_at=since
    )
    return WebhookDelivery.objects.filter(pk=told.pk), {"state": "delivered"}, "due_at"


@pytest.mark.parametrize("kind", ["promise", "links", "left_out", "webhook"])
def test_each_kind_that_is_stuck_opens_the_alert(world: World, kind: str) -> None:
    only("outbox")
    ticket = world.ticket()
    Ticket.objects.update(link_mailed_at=Now())
    rows, sent, moment = stuck(kind, ticket, 9)
    assert open_now() == []
    rows.update(**{moment: Now() - timedelta(minutes=11)})
    assert open_now() == [("outbox", "")]
    since = rows.values_list(moment, flat=True).get()
    found = alert_looks.oldest_unsent(10)
    assert found.pop(kind) == since
    assert set(found.values()) == {None}
    assert set(found) | {kind} == {
        "link", "letter", "notice", "away", "promise", "links", "left_out", "webhook",
    }  # fmt: skip
    rows.update(**sent)
    assert open_now() == []


def test_what_nobody_waits_for_is_not_stuck(world: World) -> None:
    only("outbox")
    ticket = world.ticket()
    Ticket.objects.update(link_mailed_at=Now())
    promised, _sent, _moment = stuck("promise", ticket, 11)
    stuck("links", ticket, 60 * 25)  # given up
    stuck("left_out", ticket, 60 * 25)
    stuck("webhook", ticket, 11)
    WebhookEndpoint.objects.update(stopped_by="person", stopped_at=Now())
    assert open_now() == [("outbox", "")]
    promised.update(ended_at=Now())
    assert open_now() == []
    promised.update(ended_at=None)
    assert open_now() == [("outbox", "")]
    Ticket.objects.update(mails_stopped_at=Now())
    assert open_now() == []


def test_told_again_until_somebody_sees_to_it_and_when_it_is_over(
    world: World,
    admin: User,
    lead: User,
    heard: list[tuple[str, str, str]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    only("skill_away")
    ticket = world.ticket()
    waited(ticket, 61)

    def look() -> list[str]:
        with django_capture_on_commit_callbacks(execute=True):
            alerts.conditions_refresh()
            for alert_id in alerts.due():
                alerts.alert_mail(alert_id=alert_id)
        found = [one.subject for one in outbox.outbox]
        outbox.outbox.clear()
        return found

    def later(minutes: int) -> None:
        ago = timedelta(minutes=minutes)
        Alert.objects.update(
            opened_at=F("opened_at") - ago, mailed_at=F("mailed_at") - ago, told_at=F("told_at") - ago
        )

    says = "Nobody with this skill is online, and tickets wait for it: Payments"
    assert [look(), look()] == [[says], []]
    later(59)
    assert look() == []
    later(1)
    assert [look(), look()] == [[says], []]
    alert = Alert.objects.get()
    nina = world.agent("Nina", payments=0).user
    with nothing_changed(), pytest.raises(MayNotIntervene):
        alerts.acknowledge(lead=nina, alert_id=alert.pk)
    with django_capture_on_commit_callbacks(execute=True):
        alerts.acknowledge(lead=lead, alert_id=alert.pk)
    with nothing_changed(), pytest.raises(AlertOver):
        alerts.acknowledge(lead=admin, alert_id=alert.pk)
    assert LeadAction.objects.get().data == {"alert": alert.pk, "kind": "skill_away", "subject": "payments"}
    later(600)
    assert look() == []
    there(world)
    assert look() == ["Over: " + says]
    assert heard == [
        (event, "skill_away", "payments") for event in ("opened", "repeated", "acknowledged", "closed")
    ]


def test_open_alerts_stand_on_the_wallboard_with_what_to_do(world: World, lead: User) -> None:
    only("skill_away")
    waited(world.ticket(), 61)
    alerts.conditions_refresh()
    client = signed_in("view_halfhour", "intervene")
    text = client.get("/lead/").content.decode()
    assert "tickets wait for it: Payments" in text
    assert "Call people in, or reassign the tickets" in text
    assert "Nothing is heard of the clock (beat)" in text  # no pulse was written: the page has looked itself
    alert = Alert.objects.get()
    assert client.post(f"/lead/alerts/{alert.pk}/acknowledge").status_code == 302
    assert "sees to it." in client.get("/lead/").content.decode()
    reads = signed_in("view_halfhour")
    assert reads.post(f"/lead/alerts/{alert.pk}/acknowledge").status_code == 403
    assert "/acknowledge" not in reads.get("/lead/").content.decode()
