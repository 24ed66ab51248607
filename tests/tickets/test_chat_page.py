"""The ticket's page: who may see it, what its buttons do with and without scripts, and what refusals leave behind."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from agents.models import Agent, Shift
from dispatch import desk, presence
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tickets.access import token_of
from tickets.models import Attachment, Message, Rating, Ticket, TicketEvent

pytestmark = pytest.mark.django_db(transaction=True)
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def ticket(world: World) -> Ticket:
    return world.ticket()


@pytest.fixture
def carla(client: Client, ticket: Ticket) -> Client:
    """A browser that has opened the private link."""
    client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    return client


def at(ticket: Ticket, what: str = "") -> str:
    return f"/t/{ticket.public_id}/{what}"


def held(world: World, ticket: Ticket) -> tuple[Agent, Shift]:
    """Anna accepts the ticket."""
    anna = world.agent("Anna")
    shift = presence.go_online(agent_id=anna.pk)
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=anna.pk, epoch=shift.epoch)
    return anna, shift


def resolved(world: World, ticket: Ticket) -> None:
    anna, shift = held(world, ticket)
    desk.resolve(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk)


def events() -> int:
    return TicketEvent.objects.count()


# --- The door ---------------------------------------------------------------------------------------------------------


def test_without_the_link_the_page_asks_for_it_and_says_nothing(client: Client, ticket: Ticket) -> None:
    known, unknown = client.get(at(ticket)), client.get("/t/abcdefghjkmn/")
    assert (known.status_code, unknown.status_code) == (200, 200)
    page = known.content.decode()
    assert ticket.number not in page
    assert "refund" not in page
    assert known["Cache-Control"] == "no-store"
    assert known["Referrer-Policy"] == "same-origin"

    def same(text: str) -> str:
        return text.partition("csrfmiddlewaretoken")[0].replace("abcdefghjkmn", ticket.public_id)

    assert same(page) == same(unknown.content.decode())


@pytest.mark.parametrize("spelling", ["{token}", "  {token} ", "https://later.example/t/x/#{token}"])
def test_the_token_is_exchanged_for_a_cookie(client: Client, ticket: Ticket, spelling: str) -> None:
    answer = client.post(at(ticket, "enter"), {"token": spelling.format(token=token_of(ticket))})
    assert (answer.status_code, answer["Location"]) == (303, at(ticket))
    cookie = answer.cookies[f"t-{ticket.public_id}"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == (token_of(ticket), True, "Lax")
    assert "Where is my refund?" in client.get(at(ticket)).content.decode()


def test_the_script_gets_no_page(client: Client, ticket: Ticket) -> None:
    answer = client.post(at(ticket, "enter"), {"token": token_of(ticket)}, headers=JSON)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "ü" * 43, "A" * 5000])
def test_a_wrong_token_is_a_page_that_leaks_nothing(client: Client, ticket: Ticket, token: str) -> None:
    answer = client.post(at(ticket, "enter"), {"token": token})
    assert answer.status_code == 404
    assert "We found no ticket under this link." in answer.content.decode()
    assert ticket.number not in answer.content.decode()
    assert not answer.cookies.get(f"t-{ticket.public_id}")
    unknown = client.post("/t/abcdefghjkmn/enter", {"token": token})
    assert unknown.status_code == 404


def test_the_exchange_is_protected_against_other_sites(ticket: Ticket) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(at(ticket, "enter"), {"token": token_of(ticket)}).status_code == 403


def test_a_withdrawn_link_opens_nothing(carla: Client, ticket: Ticket) -> None:
    Ticket.objects.update(access_version=2)
    answer = carla.get(at(ticket))
    assert ticket.number not in answer.content.decode()
    assert answer.cookies[f"t-{ticket.public_id}"].value == ""
    assert carla.post(at(ticket, "close")).status_code == 404
    Ticket.objects.update(access_version=1, access_expires_at=timezone.now())
    assert carla.post(at(ticket, "close")).status_code == 404


def test_a_foreign_ticket_stays_closed(carla: Client, world: World, ticket: Ticket) -> None:
    other = world.ticket("Something private")
    before = events()
    assert "Something private" not in carla.get(at(other)).content.decode()
    carla.cookies[f"t-{other.public_id}"] = token_of(ticket)
    assert "Something private" not in carla.get(at(other)).content.decode()
    for what in ("messages", "request-human", "close", "reopen", "rating"):
        carla.cookies[f"t-{other.public_id}"] = token_of(ticket)
        assert carla.post(at(other, what), {"body": "hello"}).status_code == 404
    for what in ("news", "transcript", "attachments/1"):
        assert carla.get(at(other, what)).status_code == 404
    assert events() == before


# --- The page ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_number_link_and_state(carla: Client, ticket: Ticket) -> None:
    answer = carla.get(at(ticket))
    page = answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert ticket.number in page
    assert f"/t/{ticket.public_id}/#{token_of(ticket)}" in page
    assert "We are looking for the right person" in page
    assert "Talk to a person" in page
    Ticket.objects.update(place=3, expected_seconds=250)
    page = carla.get(at(ticket)).content.decode()
    assert "You are number 3 in the queue" in page
    assert "Whoever was served last waited about 4 minutes." in page
    Ticket.objects.update(flagged_at=timezone.now())
    assert "Nobody who can help with this is online right now" in carla.get(at(ticket)).content.decode()


def test_the_page_shows_who_is_there(carla: Client, world: World, ticket: Ticket) -> None:
    anna, shift = held(world, ticket)
    desk.reply(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body="Hello <b>Carla</b>")
    desk.note(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body="seems upset")
    page = carla.get(at(ticket)).content.decode()
    assert "Anna is with you" in page
    assert "Independent expert" in page
    assert "Anna joined" in page
    assert "Hello &lt;b&gt;Carla&lt;/b&gt;" in page
    assert "upset" not in page


def test_a_lost_connection_of_the_agent_is_told(carla: Client, world: World, ticket: Ticket) -> None:
    held(world, ticket)
    TicketEvent.objects.create(
        ticket=ticket, seq=90, type="ticket.agent_lost", data={"grace_seconds": 60}, public=True
    )
    assert "Anna’s connection is interrupted" in carla.get(at(ticket)).content.decode()
    TicketEvent.objects.create(ticket=ticket, seq=91, type="ticket.agent_back", data={}, public=True)
    assert "Anna is with you" in carla.get(at(ticket)).content.decode()


# --- Messages ---------------------------------------------------------------------------------------------------------


def test_a_message_by_a_plain_form(carla: Client, ticket: Ticket) -> None:
    for _ in range(2):  # a double click
        answer = carla.post(at(ticket, "messages"), {"body": "My number is 48213.", "key": "once"})
        assert (answer.status_code, answer["Location"]) == (303, at(ticket))
    assert ticket.messages.count() == 2
    assert "My number is 48213." in carla.get(at(ticket)).content.decode()


def test_a_message_by_script_answers_with_the_new_frames(carla: Client, ticket: Ticket) -> None:
    answer = carla.post(
        at(ticket, "messages"), {"body": "One more thing", "key": "k", "after": "2"}, headers=JSON
    )
    assert answer.status_code == 201
    [frame] = answer.json()["frames"]
    assert (frame["stream"], frame["seq"], frame["type"]) == (ticket.stream, 3, "message.posted")
    assert frame["data"]["body"] == "One more thing"
    assert 'hx-swap-oob="beforeend:#thread"' in frame["html"]
    assert 'id="e-3"' in frame["html"]
    assert "composer" not in frame["html"]  # somebody may be typing in it
    again = carla.post(
        at(ticket, "messages"), {"body": "One more thing", "key": "k", "after": "3"}, headers=JSON
    )
    assert (again.status_code, again.json()) == (201, {"frames": []})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Please write a message."),
        ("x" * 8001, "This message is too long"),
        ("\x00", "characters that cannot"),
    ],
)
def test_a_refused_message_keeps_the_input_and_changes_nothing(
    carla: Client, ticket: Ticket, body: str, said: str
) -> None:
    before = events()
    answer = carla.post(at(ticket, "messages"), {"body": body})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    if len(body) > 1:
        assert body in answer.content.decode()
    answer = carla.post(at(ticket, "messages"), {"body": body}, headers=JSON)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert events() == before


def test_a_message_to_a_closed_ticket_is_refused_and_kept(carla: Client, ticket: Ticket) -> None:
    carla.post(at(ticket, "close"))
    before = events()
    answer = carla.post(at(ticket, "messages"), {"body": "Wait, one more thing!"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "This ticket is closed." in page
    assert "Wait, one more thing!</textarea>" in page
    answer = carla.post(at(ticket, "messages"), {"body": "Wait"}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "ticket_closed")
    assert events() == before


def test_files_come_along_and_are_served_as_attachment(carla: Client, ticket: Ticket) -> None:
    out = io.BytesIO()
    Image.new("RGB", (3, 3), "teal").save(out, "PNG")
    file = SimpleUploadedFile("bill of june.png", out.getvalue(), "image/png")
    assert carla.post(at(ticket, "messages"), {"files": file}).status_code == 303
    stored = Attachment.objects.get()
    path = at(ticket, f"attachments/{stored.pk}")
    assert path in carla.get(at(ticket)).content.decode()
    answer = carla.get(path)
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="bill of june.png"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    assert b"".join(answer.streaming_content).startswith(b"\x89PNG")  # type: ignore[arg-type]
    assert Client().get(path).status_code == 404


def test_files_of_notes_and_of_others_are_not_served(carla: Client, world: World, ticket: Ticket) -> None:
    other = world.ticket()
    for owner, internal in ((other, False), (ticket, True)):
        message = Message.objects.create(ticket=owner, seq=50, author="agent", body="x", internal=internal)
        file = Attachment.objects.create(
            message=message, file="x", name="x.txt", content_type="text/plain", size=1
        )
        assert carla.get(at(ticket, f"attachments/{file.pk}")).status_code == 404


def test_a_refused_file_stores_nothing(carla: Client, ticket: Ticket) -> None:
    before = events()
    file = SimpleUploadedFile("run.exe", b"MZ", "application/octet-stream")
    answer = carla.post(at(ticket, "messages"), {"body": "Look at this", "files": file})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "“run.exe”: Only PNG" in page
    assert "Look at this</textarea>" in page
    assert "please choose them again" in page
    assert (events(), Attachment.objects.count()) == (before, 0)


# --- Buttons ----------------------------------------------------------------------------------------------------------


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


# --- News, transcript, language ---------------------------------------------------------------------------------------


def test_news_are_what_the_socket_would_send(carla: Client, world: World, ticket: Ticket) -> None:
    held(world, ticket)
    frames = carla.get(at(ticket, "news?after=2")).json()["frames"]
    assert [frame["type"] for frame in frames] == ["ticket.held"]  # the offer is staff's matter
    assert 'id="status"' in frames[0]["html"]
    assert "Anna is with you" in frames[0]["html"]
    assert carla.get(at(ticket, f"news?after={frames[-1]['seq']}")).json() == {"frames": []}


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 30, "²"])
def test_a_strange_number_gets_a_snapshot(carla: Client, ticket: Ticket, after: str) -> None:
    [frame] = carla.get(at(ticket, "news"), {"after": after}).json()["frames"]
    assert frame["type"] == "snapshot"
    for part in ("thread", "status", "human", "reply"):
        assert f'id="{part}"' in frame["html"]


def test_the_transcript_is_plain_text(carla: Client, world: World, ticket: Ticket) -> None:
    anna, shift = held(world, ticket)
    desk.reply(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body="It's <on> the way & soon there")
    desk.note(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body="a note")
    answer = carla.get(at(ticket, "transcript"))
    text = answer.content.decode()
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert f'filename="{ticket.number}.txt"' in answer["Content-Disposition"]
    assert "You\nWhere is my refund?" in text
    assert "Anna\nIt's <on> the way & soon there" in text
    assert "a note" not in text


def test_the_page_speaks_the_readers_language(carla: Client, ticket: Ticket) -> None:
    answer = carla.post("/language/", {"language": "de", "next": at(ticket)})
    assert answer["Location"] == at(ticket)
    page = carla.get(at(ticket)).content.decode()
    assert "Mit einem Menschen sprechen" in page
    assert "Wir suchen den richtigen Menschen für Sie" in page


def test_refusals_of_pages_and_scripts(client: Client, world: World) -> None:
    page = client.get("/nothing/here", headers={"Accept-Language": "de"})
    assert page.status_code == 404
    assert "Unter dieser Adresse gibt es nichts." in page.content.decode()
    script = client.post("/t/abcdefghjkmn/close", headers=JSON)
    assert script.status_code == 404
    assert script["Content-Type"] == "application/problem+json"
    assert json.loads(script.content)["code"] == "ticket_not_found"
