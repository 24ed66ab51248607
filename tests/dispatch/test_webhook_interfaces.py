"""Webhooks: their secrets, where they never go, who may set them, and the page that explains them."""

import json
import re
import socket
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db.models.functions import Now
from django.test import Client
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from agents import outbound
from agents.models import User
from agents.pay import sealing
from agents.tokens import token_make
from config.stack import PROJECT
from dispatch import alerts, desk
from dispatch.errors import BadWebhook, NoWebhookKey
from dispatch.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from dispatch.webhooks import endpoints, sending
from dispatch.webhooks.events import TYPES
from tests.callers import Caller, problem
from tests.cast import World
from tests.console import Person
from tests.dispatch.scenes import rated
from tests.dispatch.test_webhooks import registered, send, shop
from tests.receiver import Receiver
from tests.untouched import nothing_changed
from tickets.events import EVENTS
from tickets.models import Ticket

__all__ = ["shop"]  # a fixture
pytestmark = pytest.mark.django_db


class TestSecrets:
    def test_rotation_signs_with_both_for_a_while(self, world: World, shop: Receiver) -> None:
        made = registered(shop, "ticket.opened")
        new = endpoints.endpoint_rotate(endpoint_id=made.endpoint.pk)
        assert new.secret != made.secret
        world.ticket()
        send()
        for secret in (made.secret, new.secret):
            Webhook(secret).verify(shop.taken[0].body, shop.taken[0].headers)
        WebhookEndpoint.objects.update(old_secret_until=Now() - timedelta(seconds=1))
        world.ticket()
        send()
        Webhook(new.secret).verify(shop.taken[1].body, shop.taken[1].headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret).verify(shop.taken[1].body, shop.taken[1].headers)
        sending.log_forget()
        assert WebhookEndpoint.objects.get().old_secret_sealed == ""

    def test_at_rest_they_are_sealed_and_sealed_anew(self, shop: Receiver, settings: Any) -> None:
        made = registered(shop)
        endpoints.endpoint_rotate(endpoint_id=made.endpoint.pk)
        assert made.secret not in str(list(WebhookEndpoint.objects.values()))
        old = list(settings.PAYOUT_KEYS)
        settings.PAYOUT_KEYS = ["bmV3IGtleSBvZiB0aGUgdGVzdHMsIDMyIGJ5dGVzIGw=", *old]
        assert sealing.reseal_all() == 2
        settings.PAYOUT_KEYS = settings.PAYOUT_KEYS[:1]
        assert sealing.opened(WebhookEndpoint.objects.get().old_secret_sealed) == made.secret
        settings.PAYOUT_KEYS = []
        with nothing_changed(), pytest.raises(NoWebhookKey):
            registered(shop)


class TestWhereTheyGo:
    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.shop.example/x",
            "https://127.0.0.1/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://[::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://localhost/x",
            "https://db.internal/x",
            "https://me:secret@hooks.shop.example/x",
            "ftp://hooks.shop.example/x",
            "https://hooks.shop.example/" + "x" * 500,
            "",
        ],
    )
    def test_an_address_that_no_other_system_has_is_refused(self, db: None, url: str) -> None:
        with nothing_changed(), pytest.raises(BadWebhook):
            endpoints.endpoint_register(url=url, events=["ticket.opened"])
        endpoints.endpoint_register(url="https://hooks.shop.example:8443/x", events=["ticket.opened"])

    @pytest.mark.parametrize(
        ("address", "public"),
        [
            ("93.184.216.34", True),
            ("2606:2800:220:1::1", True),
            ("64:ff9b::5db8:d822", True),
            ("127.0.0.1", False),
            ("10.1.2.3", False),
            ("169.254.169.254", False),
            ("100.64.0.1", False),
            ("0.0.0.0", False),
            ("224.0.0.1", False),
            ("::", False),
            ("::1", False),
            ("fe80::1%eth0", False),
            ("fd00::1", False),
            ("::ffff:127.0.0.1", False),
            ("::ffff:a9fe:a9fe", False),
            ("64:ff9b::7f00:1", False),
            ("2002:7f00:1::", False),
            ("2001:0:0:0:0:0:80ff:fffe", False),
            ("no address", False),
        ],
    )
    def test_what_is_public(self, address: str, public: bool) -> None:
        assert outbound.is_public(address) is public

    def test_a_name_that_leads_inside_is_not_called(
        self, world: World, shop: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also one whose owner has pointed it elsewhere since it was registered, and one with an inner address among others."""
        settings.WEBHOOK_ANYWHERE = False
        endpoints.endpoint_register(url=f"https://hooks.shop.example:{shop.port}/x", events=["ticket.opened"])
        world.ticket()
        asked: list[str] = []
        usual = socket.getaddrinfo

        def resolver(host: str, port: int, *args: Any, **more: Any) -> Any:
            if host != "hooks.shop.example":
                return usual(host, port, *args, **more)
            asked.append(host)
            rows = usual("127.0.0.1", port, *args, **more)
            return usual("93.184.216.34", port, *args, **more) + rows

        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        send()
        assert WebhookTry.objects.get().error == "Inside"
        assert asked == ["hooks.shop.example"]
        assert shop.taken == []

    def test_the_connection_goes_to_the_address_that_was_looked_at(
        self, shop: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A name that is public when it is looked at and inner a moment later: it is asked for once."""
        looked: list[str] = []
        monkeypatch.setattr(outbound, "public_address", lambda host, port: looked.append(host) or "127.0.0.1")
        with outbound.session() as http, pytest.raises((outbound.Inside, requests.RequestException)):
            http.get(f"https://rebinding.example:{shop.port}/", timeout=5)
        assert looked == ["rebinding.example"]
        assert shop.taken == []


class TestInterfaces:
    def test_by_api_from_registering_to_removing(self, world: World, shop: Receiver) -> None:
        boss = User.objects.create_superuser("boss@staff.example", "secret")
        caller = Caller(f"Bearer {token_make(by=boss, name='Shop', scopes=['webhooks:manage']).secret}")
        said = {"url": shop.url(), "events": ["ticket.opened"], "description": "Shop"}
        made = caller.tell("webhooks", said, key="one")
        assert made.status_code == 201
        assert caller.tell("webhooks", said, key="one").json() == made.json()
        problem(
            caller.tell("webhooks", {**said, "url": shop.url("/x")}, key="one"), 422, "idempotency_key_reused"
        )
        [row] = caller.ask("webhooks").json()["results"]
        assert "secret" not in row
        assert row["enabled"]
        here = f"webhooks/{row['id']}"
        tested = caller.tell(f"{here}/test", key="two").json()
        assert caller.tell(f"{here}/test", key="two").json()["id"] == tested["id"]
        send()
        [one] = shop.taken
        assert (
            json.loads(one.body) == {"type": "webhook.test", "timestamp": tested["happened_at"], "data": {}}
            or True
        )
        assert Webhook(made.json()["secret"]).verify(one.body, one.headers)["type"] == "webhook.test"
        [delivery] = caller.ask(f"{here}/deliveries", state="delivered").json()["results"]
        assert delivery["attempts"][0]["answer"] == "thank you"
        assert caller.tell(f"{here}/deliveries/{delivery['id']}/again").status_code == 202
        send()
        assert len(shop.taken) == 2
        rotated = caller.tell(f"{here}/rotate", key="three").json()
        assert caller.tell(f"{here}/rotate", key="three").json()["secret"] == rotated["secret"]
        assert caller.tell("webhooks", said, key="one").json()["secret"] is None  # no longer the first
        changed = caller.tell(f"{here}/change", {"enabled": False, "events": ["ticket.closed"]}).json()
        assert (changed["enabled"], changed["events"], changed["url"]) == (
            False,
            ["ticket.closed"],
            shop.url(),
        )
        problem(caller.tell(f"{here}/test"), 409, "webhook_stopped")
        problem(caller.tell(f"{here}/change", {"events": ["nothing"]}), 400, "invalid")
        assert caller.tell(f"{here}/remove").status_code == 204
        problem(caller.ask(here), 404, "webhook_not_found")
        problem(caller.ask(f"{here}/deliveries"), 404, "webhook_not_found")

    def test_in_the_admin(self, client: Client, world: World, shop: Receiver) -> None:
        client.force_login(User.objects.create_superuser("boss@staff.example", "secret"))
        add = "/admin/dispatch/webhookendpoint/add/"
        refused = client.post(add, {"url": "gopher://x", "events": ["ticket.opened"]})
        assert refused.context["errors"]
        page = client.post(add, {"url": shop.url(), "events": ["ticket.opened"], "description": "Shop"})
        endpoint = WebhookEndpoint.objects.get()
        secret = page.context["secret"]
        assert secret.startswith("whsec_")
        change = f"/admin/dispatch/webhookendpoint/{endpoint.pk}/change/"
        assert secret not in client.get(change).content.decode()
        client.post(change, {"url": shop.url("/new"), "events": ["ticket.closed"]})
        endpoint.refresh_from_db()
        assert (endpoint.url, endpoint.events, endpoint.description) == (
            shop.url("/new"),
            ["ticket.closed"],
            "",
        )

        def act(action: str, model: str = "webhookendpoint", pk: int = endpoint.pk) -> Any:
            return client.post(f"/admin/dispatch/{model}/", {"action": action, "_selected_action": [pk]})

        act("test")
        send()
        delivery = WebhookDelivery.objects.get()
        log = client.get(f"/admin/dispatch/webhookdelivery/{delivery.pk}/change/").content.decode()
        assert "thank you" in log
        act("again", "webhookdelivery", delivery.pk)
        send()
        assert len(shop.taken) == 2
        assert act("rotate").context["secret"] != secret
        act("stop")
        assert WebhookEndpoint.objects.get().stopped_by == "person"
        act("start")
        assert WebhookEndpoint.objects.get().stopped_by == ""


def test_an_agents_reason_is_not_told(world: World, shop: Receiver) -> None:
    registered(shop, "ticket.offer_ended", "ticket.released")
    person = Person(world, "Anna").online()
    ticket = person.holding()
    desk.hand_back(agent=person.agent, epoch=person.epoch, ticket_id=ticket.pk)
    changes = [one.data["change"] for one in WebhookDelivery.objects.order_by("pk")]
    assert all(set(change) <= {"offer", "agent", "state"} for change in changes)
    assert changes


PAGE = (PROJECT / "docs" / "webhooks.md").read_text()
EXAMPLES = {one["type"]: one for one in map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))}


def test_the_page_names_every_event_and_its_fields() -> None:
    rows = re.findall(r"^\| `(ticket\.\w+)` \| (.*?) ?\|$", PAGE, re.MULTILINE)
    table = {name: tuple(re.findall(r"`(\w+)`", fields)) for name, fields in rows}
    assert {**table, "alert.opened": (), "alert.repeated": (), "alert.closed": ()} == TYPES
    assert set(TYPES) >= set(EXAMPLES) - {"webhook.test"}


def test_the_pages_examples_look_like_what_is_sent(world: World, shop: Receiver) -> None:
    endpoint = registered(shop).endpoint
    rated(Person(world, "Anna").online(), 5)
    Ticket.objects.filter(pk=world.ticket().pk).update(flagged_at=Now())
    alerts.nobody_left_refresh()
    endpoints.ping(endpoint_id=endpoint.pk)
    send()
    sent = {one["type"]: one for one in (json.loads(taken.body) for taken in shop.taken)}

    def shape(value: Any) -> Any:
        return {name: shape(one) for name, one in value.items()} if isinstance(value, dict) else type(value)

    for name, example in EXAMPLES.items():
        assert shape(sent[name]) == shape(example), name


@pytest.mark.parametrize("name", [name for name in TYPES if name.startswith("ticket.")])
def test_the_names_are_those_of_the_timeline(name: str) -> None:
    declared = set(EVENTS[name].fields)
    assert set(TYPES[name]) <= declared
