"""A customer who opened a ticket without an address leaves one later."""

import pytest
from django.core import mail as outbox
from django.test import Client

from agents.models import User
from config.throttles import Scoped
from tests.callers import customer_of
from tests.cast import World
from tests.tickets.pages import at
from tests.untouched import nothing_changed
from tickets import blocking, mail
from tickets.access import token_of
from tickets.conversation import customer_reply
from tickets.intake import ticket_open
from tickets.models import Channel, Customer, Ticket
from tickets.redis import client as redis

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ticket(world: World) -> Ticket:
    ticket = world.ticket()
    Customer.objects.update(email="")
    return Ticket.objects.select_related("customer").get(pk=ticket.pk)


def state(ticket: Ticket) -> tuple[str, int]:
    return Customer.objects.get().email, Ticket.objects.get(pk=ticket.pk).last_seq


def test_from_the_page_and_the_link_comes_by_mail(ticket: Ticket) -> None:
    browser = Client()
    browser.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    assert 'name="email"' in browser.get(at(ticket)).content.decode()
    sent = {"email": " carla@customers.example "}
    page = browser.post(at(ticket, "address"), sent, follow=True).content.decode()
    assert 'name="email"' not in page
    assert "We also send it to carla@customers.example." in page
    assert state(ticket) == ("carla@customers.example", 3)
    assert mail.due_ticket_ids() == [ticket.pk]
    assert mail.link_send(ticket_id=ticket.pk)
    assert outbox.outbox[-1].to == ["carla@customers.example"]


@pytest.mark.parametrize(
    ("given", "there", "status", "code"),
    [
        ("carla", "", 422, "bad_address"),
        ("", "", 422, "bad_address"),
        ("other@customers.example", "carla@customers.example", 409, "address_known"),
    ],
)
def test_what_is_refused_changes_nothing(
    ticket: Ticket, given: str, there: str, status: int, code: str
) -> None:
    Customer.objects.update(email=there)
    before = state(ticket)
    answer = customer_of(ticket).tell(f"tickets/{ticket.public_id}/address", {"email": given})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert state(ticket) == before


class TestAsIfOpenedWithIt:
    """Mallory opens tickets without an address, and leaves the victim's in each."""

    VICTIM = "victim@customers.example"

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            Scoped, "THROTTLE_RATES", {"ticket_open": "30/min", "ticket_open_address": "2/hour"}
        )
        redis().flushdb()

    def opened(self) -> Ticket:
        return ticket_open(text="Hello", channel=Channel.FORM).ticket

    @pytest.mark.parametrize("before", ["form", "page", "API"])
    def test_an_address_is_counted_whichever_way_it_comes(self, world: World, before: str) -> None:
        browser = Client()
        for _ in range(2):
            one = self.opened()
            browser.cookies[f"t-{one.public_id}"] = token_of(one)
            if before == "form":
                assert browser.post("/", {"text": "Hello", "email": self.VICTIM}).status_code == 303
            elif before == "page":
                assert browser.post(at(one, "address"), {"email": self.VICTIM}).status_code == 303
            else:
                answer = customer_of(one).tell(f"tickets/{one.public_id}/address", {"email": self.VICTIM})
                assert answer.status_code == 200
        third = self.opened()
        browser.cookies[f"t-{third.public_id}"] = token_of(third)
        with nothing_changed():
            page = browser.post(at(third, "address"), {"email": self.VICTIM.upper()})
            answer = customer_of(third).tell(f"tickets/{third.public_id}/address", {"email": self.VICTIM})
        assert page.status_code == 429
        assert 3500 < int(page["Retry-After"]) <= 3600
        assert f'value="{self.VICTIM.upper()}"' in page.content.decode()  # what was typed stays
        assert "That was too often within a short time." in page.content.decode()
        assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
        other = browser.post(at(third, "address"), {"email": "other@customers.example"})
        assert other.status_code == 303

    def test_a_blocked_one_is_not_taken_later_either(self, world: World) -> None:
        boss = User.objects.create_superuser("boss@standby.example", "secret", name="Bo")
        assert blocking.address_block(email=self.VICTIM, reason="asked us to", made_by=boss)
        ticket = self.opened()
        browser = Client()
        browser.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
        tried = browser.post(at(ticket, "address"), {"email": self.VICTIM})
        answer = customer_of(ticket).tell(f"tickets/{ticket.public_id}/address", {"email": self.VICTIM})
        assert (tried.status_code, answer.status_code, answer.json()["code"]) == (403, 403, "blocked")
        assert "We take no new questions from this address." in tried.content.decode()
        after = Ticket.objects.select_related("customer").get(pk=ticket.pk)
        assert (after.customer.email, after.last_seq) == ("", 2)
        assert customer_reply(ticket=ticket, body="I still may write").seq == 3


def test_an_ended_ticket_takes_none(ticket: Ticket) -> None:
    Ticket.objects.update(state="closed")
    answer = customer_of(ticket).tell(f"tickets/{ticket.public_id}/address", {"email": "c@customers.example"})
    assert (answer.status_code, answer.json()["code"]) == (409, "ticket_closed")
    assert state(ticket) == ("", 2)
