"""The doors' limits by e-mail address, and the block list: who is refused, who is told what, and who is never stopped."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from agents.models import User
from config.throttles import Scoped
from dispatch import misuse
from tests.callers import anonymous
from tests.cast import World
from tests.console import Person
from tests.untouched import nothing_changed
from tickets import blocking, kept
from tickets.conversation import customer_reply
from tickets.erasing import ticket_erase
from tickets.lifecycle import ticket_reopen, ticket_request_human
from tickets.models import Block, EndedAs, Ticket
from tickets.redis import client as redis

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "carla@customers.example"


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss@standby.example", "secret", name="Bo")


def block(boss: User, kind: str, value: str, **more: object) -> Block:
    value = blocking.cleaned(kind, value)
    made = Block.objects.create(
        kind=kind, value=value, digest=blocking.digest_of(kind, value), made_by=boss, **more
    )
    kept.forget()
    return made


class TestLimits:
    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rates = {"ticket_open": "3/min", "ticket_open_address": "1/hour"}
        monkeypatch.setattr(Scoped, "THROTTLE_RATES", rates)
        redis().flushdb()

    def test_form_and_api_count_an_address_together(self, client: Client, world: World) -> None:
        assert client.post("/", {"text": "Hello", "email": ADDRESS}).status_code == 303
        with nothing_changed():
            answer = anonymous().tell("tickets", {"text": "Hello", "email": ADDRESS.upper()})
        assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
        assert anonymous().tell("tickets", {"text": "Hello"}).status_code == 201

    def test_the_page_says_when_it_goes_on_and_keeps_the_text(self, client: Client, world: World) -> None:
        for _ in range(3):
            assert client.post("/", {"text": "Hello"}).status_code == 303
        with nothing_changed():
            answer = client.post("/", {"text": "My long story", "name": "Carla"})
        page = answer.content.decode()
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 60
        assert "That was too often within a short time. It goes on at" in page
        assert ">\nMy long story</textarea>" in page
        assert client.post("/", {"text": "Hello"}, REMOTE_ADDR="10.1.1.1").status_code == 303


class TestBlocked:
    @pytest.mark.parametrize(
        ("kind", "value", "email", "address", "met"),
        [
            ("email", "Carla@Customers.example", "carla@customers.EXAMPLE", "10.0.0.1", True),
            ("email", ADDRESS, "other@customers.example", "10.0.0.1", False),
            ("domain", "@customers.example", ADDRESS, "10.0.0.1", True),
            ("domain", "customers.example", "carla@mail.customers.example", "10.0.0.1", True),
            ("domain", "customers.example", "carla@notcustomers.example", "10.0.0.1", False),
            ("domain", "customers.example", "", "10.0.0.1", False),
            ("network", "10.1.0.0/16", "", "10.1.200.3", True),
            ("network", "10.1.0.0/16", "", "10.2.0.1", False),
            ("network", "10.1.0.0/16", "", "", False),
            ("network", "2001:db8::/32", "", "2001:db8::7", True),
        ],
    )
    def test_who_is_met(self, boss: User, kind: str, value: str, email: str, address: str, met: bool) -> None:
        made = block(boss, kind, value)
        if met:
            with pytest.raises(blocking.Blocked):
                blocking.check(email=email, address=address)
        else:
            blocking.check(email=email, address=address)
        made.refresh_from_db()
        assert made.hits == met

    def test_the_answer_is_honest_and_the_input_stays(self, client: Client, world: World, boss: User) -> None:
        made = block(boss, "email", ADDRESS)
        answer = client.post("/", {"text": "My long story", "email": ADDRESS})
        page = answer.content.decode()
        assert answer.status_code == 403
        assert "We take no new questions from this address." in page
        assert "please write to help@later.example" in page
        assert "My long story" in page
        told = anonymous().tell("tickets", {"text": "Hello", "email": ADDRESS})
        assert (told.status_code, told.json()["code"]) == (403, "blocked")
        made.refresh_from_db()
        assert made.hits == 2
        assert not Ticket.objects.exists()

    def test_an_open_ticket_goes_on(self, world: World, boss: User) -> None:
        ticket = Ticket.objects.select_related("customer").get(pk=world.ticket().pk)
        block(boss, "email", ADDRESS)
        customer_reply(ticket=ticket, body="Still me")
        ticket_request_human(ticket=ticket)
        Ticket.objects.filter(pk=ticket.pk).update(state="resolved", resolved_at=timezone.now())
        ticket_reopen(ticket=ticket)

    def test_until_then_or_until_it_is_deleted(self, boss: User) -> None:
        made = block(boss, "email", ADDRESS, until=timezone.now() - timedelta(seconds=1))
        blocking.check(email=ADDRESS, address="")
        Block.objects.update(until=None)
        kept.forget()
        with pytest.raises(blocking.Blocked):
            blocking.check(email=ADDRESS, address="")
        made.delete()
        blocking.check(email=ADDRESS, address="")  # although the list is kept for some seconds

    def test_erasing_takes_the_address_and_leaves_the_block(self, world: World, boss: User) -> None:
        ticket = world.ticket()
        block(boss, "email", ADDRESS, reason="wrote me as Carla")
        ticket_erase(ticket=ticket)
        kept.forget()
        assert list(Block.objects.values_list("value", "reason")) == [("", "–")]
        with pytest.raises(blocking.Blocked):
            blocking.check(email=ADDRESS, address="")

    def test_a_block_outlives_the_key(self, world: World, boss: User, settings: Any) -> None:
        ticket, old = world.ticket(), settings.SECRET_KEY
        block(boss, "email", ADDRESS)
        settings.SECRET_KEY = "a new one"
        with pytest.raises(blocking.Blocked):  # it can be read
            blocking.check(email=ADDRESS, address="")
        settings.SECRET_KEY_FALLBACKS = [old]
        ticket_erase(ticket=ticket)
        kept.forget()
        assert list(Block.objects.values_list("value", flat=True)) == [""]
        with pytest.raises(blocking.Blocked):
            blocking.check(email=ADDRESS, address="")
        settings.SECRET_KEY_FALLBACKS = []
        blocking.check(email=ADDRESS, address="")  # nobody can say any more whose it was

    @pytest.mark.parametrize(("kind", "value"), [("email", "x"), ("domain", "a b"), ("network", "10.0.0")])
    def test_nonsense_is_refused(self, kind: str, value: str) -> None:
        with pytest.raises(ValidationError):
            blocking.cleaned(kind, value)


class TestMaking:
    def test_a_lead_blocks_the_address_of_a_confirmed_case(self, world: World) -> None:
        lead = User.objects.create_user("lead@team.example", name="Lea")
        lead.user_permissions.add(
            *Permission.objects.filter(codename__in=("view_run", "view_misuse", "change_misuse"))
        )
        client = Client(headers={"accept-language": "en"})
        client.force_login(lead)
        anna = Person(world, "Anna").online()
        ticket = anna.holding()
        misuse.end_as(agent=anna.agent, epoch=1, ticket_id=ticket.pk, kind=EndedAs.SPAM)
        case = ticket.misuses.get()
        path = f"/lead/flagged/{case.pk}/block"
        assert client.post(path).status_code == 404  # nobody has confirmed it
        misuse.confirm(misuse_id=case.pk, lead=lead)
        assert path in client.get("/lead/flagged").content.decode()
        assert anna.client.post(path).status_code == 403
        assert not Block.objects.exists()
        client.post(path)
        client.post(path)
        made = Block.objects.get()
        assert (made.value, made.reason, made.made_by) == (ADDRESS, f"spam, {ticket.number}", lead)
        assert made.until is not None
        assert abs(made.until - timezone.now() - timedelta(days=180)) < timedelta(minutes=1)

    def test_in_the_admin(self, client: Client, boss: User) -> None:
        client.force_login(boss)
        path = "/admin/tickets/block/add/"
        sent = {"kind": "network", "value": "10.1.2.3/16", "reason": "Flood"}
        assert client.post(path, sent | {"value": "10.1"}).status_code == 200
        assert not Block.objects.exists()
        assert client.post(path, sent).status_code == 302
        assert client.post(path, sent).status_code == 200
        assert Block.objects.get().value == "10.1.0.0/16"
        with pytest.raises(blocking.Blocked):
            blocking.check(email="", address="10.1.9.9")
