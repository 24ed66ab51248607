"""Webhooks from the change to a real receiver that verifies them with the standard's own library: recorded with the change,
sent at least once, tried again, given up, stopped."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from agents.models import User
from dispatch import alerts, tasks
from dispatch.errors import WebhookStopped
from dispatch.models import Alert, WebhookDelivery, WebhookEndpoint, WebhookTry
from dispatch.webhooks import endpoints, sending
from dispatch.webhooks.endpoints import Registered
from dispatch.webhooks.events import TYPES
from tests.cast import World
from tests.console import Person
from tests.dispatch.scenes import earlier, rated
from tests.receiver import Receiver, receiver
from tests.waiting import until
from tickets import events
from tickets.lifecycle import ticket_close
from tickets.models import Ticket
from tickets.timeline import advance

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_ANYWHERE = True
    with receiver() as opened:
        yield opened


def registered(shop: Receiver, *events: str, path: str = "/hooks") -> Registered:
    return endpoints.endpoint_register(url=shop.url(path), events=events or list(TYPES))


def due_now() -> None:
    WebhookDelivery.objects.filter(state="pending").update(due_at=Now())


def send() -> int:
    return sending.send_due(for_seconds=30)  # it returns when nothing is due


class TestRecording:
    def test_the_life_of_a_ticket(self, world: World, shop: Receiver) -> None:
        made = registered(shop)
        person = Person(world, "Anna").online()
        rated(person, 5, comment="Thank you, Carla")
        ticket = Ticket.objects.get()
        told = WebhookDelivery.objects.order_by("pk")
        assert list(told.values_list("type", flat=True)) == [
            "ticket.opened",
            "ticket.held",
            "ticket.resolved",
            "ticket.rated",
        ]
        assert told[0].data == {
            "ticket": ticket.public_id,
            "number": ticket.number,
            "seq": 1,
            "state": "waiting",
            "change": {"topic": "refund", "language": "en", "channel": "form", "assisted": False},
        }
        assert told[1].data["change"] == {}  # not the agent's name
        assert (told[3].data["state"], told[3].data["change"]) == ("resolved", {"score": 5, "solved": True})
        assert send() == 4
        assert [one.headers["webhook-id"] for one in shop.taken] == [one.message_id for one in told]
        for one in shop.taken:
            verified = Webhook(made.secret).verify(one.body, one.headers)
            assert verified["data"]["url"].endswith(f"/api/v1/staff/tickets/{ticket.public_id}")
            assert b"Carla" not in one.body
            assert b"refund?" not in one.body
        assert send() == 0

    def test_it_is_the_changes_own_transaction(self, world: World, shop: Receiver) -> None:
        registered(shop)
        ticket = world.ticket()
        with transaction.atomic():
            advance(Ticket.objects.filter(pk=ticket.pk), events.CLOSED, state="closed", closed_at=Now())
            assert WebhookDelivery.objects.filter(type="ticket.closed").count() == 1
            transaction.set_rollback(True)
        assert list(WebhookDelivery.objects.values_list("type", flat=True)) == ["ticket.opened"]

    def test_only_what_was_asked_for_and_never_practice(self, world: World, shop: Receiver) -> None:
        registered(shop, "ticket.closed")
        stopped = registered(shop, "ticket.closed").endpoint
        endpoints.endpoint_change(endpoint_id=stopped.pk, enabled=False)
        ticket_close(ticket=world.ticket())
        practice = world.ticket()
        Ticket.objects.filter(pk=practice.pk).update(channel="practice", state="resolved")
        advance(Ticket.objects.filter(pk=practice.pk), events.CLOSED, state="closed")
        [one] = WebhookDelivery.objects.all()
        assert (one.type, one.data["state"]) == ("ticket.closed", "closed")

    def test_alerts_open_and_close(self, world: World, shop: Receiver) -> None:
        registered(shop, "alert.opened", "alert.closed")
        ticket = world.ticket()
        Ticket.objects.filter(pk=ticket.pk).update(flagged_at=Now())
        alerts.nobody_left_refresh()
        alerts.nobody_left_refresh()
        Ticket.objects.filter(pk=ticket.pk).update(flagged_at=None)
        alerts.nobody_left_refresh()
        alert = Alert.objects.get()
        told = [
            (one.type, one.data["kind"], one.data["subject"])
            for one in WebhookDelivery.objects.order_by("pk")
        ]
        assert told == [
            ("alert.opened", "nobody_left", "refund"),
            ("alert.closed", "nobody_left", "refund"),
        ]
        assert [one.data["alert"] for one in WebhookDelivery.objects.all()] == [alert.pk] * 2

    def test_alerts_that_are_told_again_once_a_time(
        self, world: World, shop: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also while the mail server refuses, and tries follow each other every few seconds."""
        User.objects.create_superuser("boss@staff.example", "x")
        registered(shop, "alert.repeated")
        ticket = world.ticket()
        Ticket.objects.filter(pk=ticket.pk).update(flagged_at=Now())
        alerts.nobody_left_refresh()
        tasks.alerts_mail()
        assert WebhookDelivery.objects.count() == 0

        def refuse(self: EmailBackend, messages: object) -> int:
            raise OSError("no route")

        for number in (1, 2):
            earlier(Alert, "told_at", timedelta(hours=1, seconds=1))
            with monkeypatch.context() as patched:
                patched.setattr(EmailBackend, "send_messages", refuse)
                for _again in range(3):
                    tasks.alerts_mail()
            tasks.alerts_mail()
            tasks.alerts_mail()
            told = [
                (one.type, one.data["kind"], one.data["subject"]) for one in WebhookDelivery.objects.all()
            ]
            assert told == [("alert.repeated", "nobody_left", "refund")] * number


class TestSending:
    def test_by_hand_as_the_page_says(self, world: World, shop: Receiver) -> None:
        made = registered(shop, "ticket.opened")
        world.ticket()
        send()
        [one] = shop.taken
        signed = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
        key = base64.b64decode(made.secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert one.headers["webhook-signature"] == f"v1,{expected}"
        assert one.headers["content-type"] == "application/json"
        assert abs(int(one.headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret).verify(one.body + b" ", one.headers)

    @pytest.mark.parametrize("status", [500, 404, 302, 307])
    def test_a_refusal_is_tried_again_with_the_same_id(
        self, world: World, shop: Receiver, status: int
    ) -> None:
        made = registered(shop, "ticket.opened")
        world.ticket()
        shop.answers, shop.said = [status], b"sorry\x00 " + b"x" * 2000
        before = timezone.now()
        assert send() == 1
        delivery = WebhookDelivery.objects.get()
        assert (delivery.state, delivery.tries) == ("pending", 1)
        assert timedelta(seconds=3) < delivery.due_at - before < timedelta(seconds=30)
        assert send() == 0  # not yet
        due_now()
        assert send() == 1
        first, second = shop.taken  # no redirect was followed
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        Webhook(made.secret).verify(second.body, second.headers)
        tries = list(WebhookTry.objects.order_by("pk"))
        assert [(one.number, one.status) for one in tries] == [(1, status), (2, 200)]
        assert tries[0].answer.startswith("sorry")
        assert len(tries[0].answer) <= sending.SHOWN
        delivery.refresh_from_db()
        assert delivery.state == "delivered"

    def test_it_waits_as_long_as_it_is_asked_to(self, world: World, shop: Receiver) -> None:
        registered(shop, "ticket.opened")
        world.ticket()
        shop.answers = [503]
        before = timezone.now()
        send()
        assert WebhookDelivery.objects.get().due_at - before > timedelta(minutes=59)

    def test_after_the_last_try_it_is_given_up_and_people_are_told(
        self, world: World, shop: Receiver
    ) -> None:
        endpoint = registered(shop, "ticket.opened").endpoint
        world.ticket()
        shop.answers = [500] * 20
        for _ in range(len(sending.PAUSES) + 3):
            due_now()
            send()
        delivery = WebhookDelivery.objects.get()
        assert (delivery.state, delivery.tries) == ("failed", len(sending.PAUSES) + 1)
        assert len(shop.taken) == len(sending.PAUSES) + 1
        endpoint.refresh_from_db()
        assert endpoint.stopped_by == "failed"
        alerts.waiting_refresh()
        alert = Alert.objects.get(kind="webhook_stopped")
        assert alert.subject == str(endpoint.pk)
        world.ticket()
        assert WebhookDelivery.objects.count() == 1  # nothing is recorded while it is stopped
        with pytest.raises(WebhookStopped):
            endpoints.delivery_again(endpoint_id=endpoint.pk, delivery_id=delivery.pk)
        endpoints.endpoint_change(endpoint_id=endpoint.pk, enabled=True)
        alerts.waiting_refresh()
        alert.refresh_from_db()
        assert alert.closed_at is not None
        shop.answers = []
        endpoints.delivery_again(endpoint_id=endpoint.pk, delivery_id=delivery.pk)
        send()
        assert shop.taken[-1].headers["webhook-id"] == delivery.message_id
        assert WebhookDelivery.objects.get().state == "delivered"

    def test_one_that_fails_stops_no_endpoint_that_takes_others(self, world: World, shop: Receiver) -> None:
        endpoint = registered(shop, "ticket.opened").endpoint
        world.ticket()
        WebhookEndpoint.objects.update(last_ok_at=Now())
        WebhookDelivery.objects.update(tries=len(sending.PAUSES))
        shop.answers = [500]
        send()
        assert WebhookDelivery.objects.get().state == "failed"
        endpoint.refresh_from_db()
        assert endpoint.stopped_by == ""

    def test_410_stops_it(self, world: World, shop: Receiver) -> None:
        endpoint = registered(shop, "ticket.opened").endpoint
        world.ticket()
        shop.answers = [410]
        send()
        endpoint.refresh_from_db()
        assert (endpoint.stopped_by, WebhookDelivery.objects.get().state) == ("gone", "failed")

    def test_a_slow_one_holds_up_nobody(self, world: World, shop: Receiver) -> None:
        registered(shop, "ticket.opened", path="/slow")
        for _ in range(3):
            registered(shop, "ticket.opened")
        world.ticket()
        world.ticket()
        shop.said = b""

        class Hold:
            """Lets the slow one go when all others have been told."""

            def wait(self, _seconds: float) -> bool:
                until(lambda: sum(one.path == "/hooks" for one in shop.taken) == 6, "six were not told")
                return True

            def set(self) -> None:
                pass

        shop.hold = Hold()  # type: ignore[assignment]
        assert sending.send_due(for_seconds=30) == 8
        assert WebhookDelivery.objects.filter(state="delivered").count() == 8

    def test_one_that_answers_for_ever_is_cut(
        self, world: World, shop: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.5)
        registered(shop, "ticket.opened", path="/drip")
        world.ticket()
        assert send() == 1
        assert not shop.hold.is_set()
        [one] = WebhookTry.objects.all()
        assert one.status is None
        assert one.error

    def test_a_worker_that_dies_leaves_it_due_again(self, world: World, shop: Receiver) -> None:
        registered(shop, "ticket.opened")
        world.ticket()
        [taken] = sending.claim()
        sending.call(taken)  # and then the worker is killed
        assert sending.claim() == []
        left = WebhookDelivery.objects.get()
        assert timedelta(seconds=30) < left.due_at - timezone.now() < timedelta(seconds=90)
        due_now()
        assert send() == 1
        assert len({one.headers["webhook-id"] for one in shop.taken}) == 1
        assert len(shop.taken) == 2
        # The dead one wakes once more: what it says is noted and changes nothing.
        sending.settle(taken, sending.Answer(500, 1))
        assert WebhookDelivery.objects.get().state == "delivered"

    def test_the_log_is_forgotten_in_time(self, world: World, shop: Receiver) -> None:
        registered(shop, "ticket.opened")
        world.ticket()
        send()
        assert sending.log_forget() == 0
        WebhookDelivery.objects.update(happened_at=Now() - sending.KEPT - timedelta(minutes=1))
        assert sending.log_forget() == 1
        assert not WebhookTry.objects.exists()
