"""The buttons of the ticket's page, with and without scripts, and what refusals leave behind."""

import pytest
from django.test import Client

from tests.cast import World
from tests.tickets.pages import at, resolved
from tickets.access import token_of
from tickets.models import Rating, Ticket, TicketEvent

pytestmark = pytest.mark.django_db(transaction=True)
JSON = {"Accept": "application/json"}


@pytest.fixture
def ticket(world: World) -> Ticket:
    return world.ticket()


@pytest.fixture
def carla(client: Client, ticket: Ticket) -> Client:
    """A browser that has opened the private link."""
    client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    return client


def events() -> int:
    return TicketEvent.objects.count()


def test_talk_to_a_person_is_one_click_and_says_that_it_is_done(carla: Client, ticket: Ticket) -> None:
    assert carla.post(at(ticket, "request-human")).status_code == 303
    before = events()
    assert carla.post(at(ticket, "request-human")).status_code == 303
    assert events() == before
    page = carla.get(at(ticket)).content.decode()
    assert "Person requested" in page
    assert "You asked for a person" in page
    assert "/request-human" not in page


def test_close_and_reopen(carla: Client, ticket: Ticket) -> None:
    answer = carla.post(at(ticket, "close"), {"after": "2"}, headers=JSON)
    [frame] = answer.json()["frames"]
    assert frame["type"] == "ticket.closed"
    assert "/reopen" in frame["html"]
    assert carla.post(at(ticket, "close")).status_code == 409
    answer = carla.post(at(ticket, "reopen"), {"body": "Not settled after all", "key": "r"})
    assert answer.status_code == 303
    assert carla.post(at(ticket, "reopen"), {"body": "Not settled after all", "key": "r"}).status_code == 303
    ticket.refresh_from_db()
    assert ticket.state == "waiting"
    assert [message.body for message in ticket.messages.all()] == [
        "Where is my refund?",
        "Not settled after all",
    ]
    assert carla.post(at(ticket, "reopen")).status_code == 409


def test_rating_without_a_choice_is_asked_for(carla: Client, world: World, ticket: Ticket) -> None:
    resolved(world, ticket)
    before = events()
    answer = carla.post(at(ticket, "rating"), {"comment": "It was fine", "solved": "yes"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Please choose a number from 1 to 5." in page
    assert "It was fine</textarea>" in page
    assert 'value="yes" required checked' in page
    assert carla.post(at(ticket, "rating"), {"score": "6", "solved": "yes"}).status_code == 422
    assert (events(), Rating.objects.count()) == (before, 0)


def test_a_good_rating_is_thanked_for_and_given_once(carla: Client, world: World, ticket: Ticket) -> None:
    resolved(world, ticket)
    assert "How was it?" in carla.get(at(ticket)).content.decode()
    assert not Rating.objects.exists()  # opening never rates
    form = {"score": "5", "solved": "yes", "comment": "Thanks", "key": "r"}
    assert carla.post(at(ticket, "rating"), form).status_code == 303
    assert carla.post(at(ticket, "rating"), form).status_code == 303
    assert Rating.objects.values_list("score", "solved", "comment").get() == (5, True, "Thanks")
    page = carla.get(at(ticket)).content.decode()
    assert "Thank you for your rating." in page
    assert "How was it?" not in page
    assert carla.post(at(ticket, "rating"), {**form, "key": "s"}).status_code == 409
    assert Rating.objects.count() == 1


def test_a_bad_rating_offers_to_reopen(carla: Client, world: World, ticket: Ticket) -> None:
    resolved(world, ticket)
    carla.post(at(ticket, "rating"), {"score": "1", "solved": "no"})
    page = carla.get(at(ticket)).content.decode()
    assert "We are sorry that it did not go well." in page
    assert "Open the ticket again" in page


def test_rating_an_open_ticket_is_refused(carla: Client, ticket: Ticket) -> None:
    assert carla.post(at(ticket, "rating"), {"score": "5", "solved": "yes"}).status_code == 409
    assert not Rating.objects.exists()
