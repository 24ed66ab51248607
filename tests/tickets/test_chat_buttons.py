"""The buttons of the ticket's page, with and without scripts, and what refusals leave behind."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from config.throttles import Scoped
from tests.callers import customer_of
from tests.cast import World
from tests.tickets.pages import at, resolved
from tests.untouched import nothing_changed
from tickets import conversation
from tickets.access import token_of
from tickets.models import Attachment, Message, Rating, Ticket, TicketEvent
from tickets.redis import client as redis

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


class TestLimits:
    @pytest.fixture(autouse=True)
    def three_a_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Scoped, "THROTTLE_RATES", {"ticket_write": "3/min"})
        redis().flushdb()

    def test_of_what_writes_into_a_ticket_by_page_and_by_api(self, carla: Client, ticket: Ticket) -> None:
        assert carla.post(at(ticket, "messages"), {"body": "One"}).status_code == 303
        assert carla.post(at(ticket, "close")).status_code == 303
        assert carla.post(at(ticket, "reopen"), {"body": "Two"}).status_code == 303
        with nothing_changed():
            answer = carla.post(at(ticket, "messages"), {"body": "My long story"})
            again = carla.post(at(ticket, "close"))
            script = carla.post(at(ticket, "messages"), {"body": "Three"}, headers=JSON)
            by_api = customer_of(ticket).tell(f"tickets/{ticket.public_id}/messages", {"body": "Three"})
            closed = customer_of(ticket).tell(f"tickets/{ticket.public_id}/close")
        page = answer.content.decode()
        assert "That was too often within a short time. It goes on at" in page
        assert ">My long story</textarea>" in page
        for one in (answer, again, script, by_api, closed):
            assert one.status_code == 429
            assert 0 < int(one["Retry-After"]) <= 60
        assert script.json()["code"] == by_api.json()["code"] == closed.json()["code"] == "throttled"

    def test_never_of_reading_and_of_asking_for_a_person(
        self, carla: Client, ticket: Ticket, world: World
    ) -> None:
        for text in ("One", "Two", "Three"):
            assert carla.post(at(ticket, "messages"), {"body": text}).status_code == 303
        asking = customer_of(ticket)
        for _ in range(2):
            assert carla.get(at(ticket)).status_code == 200
            assert carla.post(at(ticket, "request-human")).status_code == 303
            assert asking.tell(f"tickets/{ticket.public_id}/request-human").status_code == 200
            assert asking.ask(f"tickets/{ticket.public_id}/messages").status_code == 200
        # Another ticket is another count.
        other = world.ticket()
        carla.cookies[f"t-{other.public_id}"] = token_of(other)
        assert carla.post(at(other, "messages"), {"body": "One"}).status_code == 303


class TestFilesOfADay:
    @pytest.fixture(autouse=True)
    def ten_bytes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(conversation, "MAX_BYTES_A_DAY", 10)

    def sent(self, browser: Client, ticket: Ticket, content: bytes, **more: Any) -> Any:
        file = SimpleUploadedFile("pear.txt", content, "text/plain")
        return browser.post(at(ticket, "messages"), {"body": "My pear", "files": file}, **more)

    def test_more_is_refused_until_there_is_room(self, carla: Client, ticket: Ticket, world: World) -> None:
        assert self.sent(carla, ticket, b"four").status_code == 303
        assert self.sent(carla, ticket, b"5 five").status_code == 303
        hours = timezone.now() - timedelta(hours=20)
        Attachment.objects.filter(size=4).update(created_at=hours)
        with nothing_changed():
            answer = self.sent(carla, ticket, b"one")
            script = self.sent(carla, ticket, b"sixsix", headers=JSON)
        assert (answer.status_code, script.status_code) == (429, 429)
        assert script.json()["code"] == "too_much_a_day"
        page = answer.content.decode()
        assert "Too many files within a day: 100 MB a ticket at most." in page
        assert ">My pear</textarea>" in page
        assert (
            4 * 3600 - 60 < int(answer["Retry-After"]) <= 4 * 3600
        )  # then the first four bytes are a day old
        assert int(script["Retry-After"]) > 23 * 3600  # six need the room of the second file
        by_api = customer_of(ticket).tell(
            f"tickets/{ticket.public_id}/messages",
            {"body": "", "files": SimpleUploadedFile("a.txt", b"one", "text/plain")},
            format="multipart",
        )
        assert (by_api.status_code, by_api.json()["code"]) == (429, "too_much_a_day")
        assert carla.post(at(ticket, "messages"), {"body": "Words alone"}).status_code == 303
        Attachment.objects.filter(size=4).update(created_at=timezone.now() - timedelta(days=1))
        assert self.sent(carla, ticket, b"one").status_code == 303
        other = world.ticket()
        carla.cookies[f"t-{other.public_id}"] = token_of(other)
        assert self.sent(carla, other, b"ten bytes!").status_code == 303
        assert Message.objects.filter(attachments__isnull=False).count() == 4
