"""A customer who opened a ticket without an address leaves one later."""

import pytest
from django.core import mail as outbox
from django.test import Client

from tests.callers import customer_of
from tests.cast import World
from tests.tickets.pages import at
from tickets import mail
from tickets.access import token_of
from tickets.models import Customer, Ticket

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


def test_an_ended_ticket_takes_none(ticket: Ticket) -> None:
    Ticket.objects.update(state="closed")
    answer = customer_of(ticket).tell(f"tickets/{ticket.public_id}/address", {"email": "c@customers.example"})
    assert (answer.status_code, answer.json()["code"]) == (409, "ticket_closed")
    assert state(ticket) == ("", 2)
