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

from dispatch import desk
from tests.cast import World
from tests.tickets.pages import at, held
from tickets import signs
from tickets.access import token_of
from tickets.models import Attachment, Message, Ticket, TicketEvent

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


# --- News, transcript, language ---------------------------------------------------------------------------------------


def test_news_are_what_the_socket_would_send(carla: Client, world: World, ticket: Ticket) -> None:
    held(world, ticket)
    frames = carla.get(at(ticket, "news?after=2")).json()["frames"]
    assert [frame["type"] for frame in frames] == ["ticket.held"]  # the offer is staff's matter
    assert 'id="status"' in frames[0]["html"]
    assert "Anna is with you" in frames[0]["html"]
    assert carla.get(at(ticket, f"news?after={frames[-1]['seq']}")).json() == {"frames": []}


def test_who_comes_back_sees_where_the_unread_begins(carla: Client, world: World, ticket: Ticket) -> None:
    """Without a script, too: who has written has seen what stood above it."""
    line = "New since your last visit"

    def page() -> str:
        return carla.get(at(ticket)).content.decode()

    assert line not in page()
    anna, shift = held(world, ticket)
    assert line not in page()  # what happened is no message
    for body in ("First answer", "Second answer"):
        desk.reply(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body=body)
    first, second = Message.objects.filter(author="agent").order_by("seq").values_list("seq", flat=True)
    begin = f'<li class="new-since" id="new-since">{line}</li><li class="message message-agent" id="e-%s"'
    assert begin % first in page()
    assert page().count(line) == 1
    # A page whose script is at work says up to where it was seen; nobody else's reading moves it.
    signs.read_up_to(ticket, signs.Side.AGENT, second)
    signs.read_up_to(ticket, signs.Side.CUSTOMER, first)
    assert begin % second in page()
    assert line in carla.get(at(ticket, "news"), {"after": "x"}).json()["frames"][0]["html"]
    signs.read_up_to(ticket, signs.Side.CUSTOMER, second)
    assert line not in page()
    desk.reply(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body="Third answer")
    assert line in page()
    carla.post(at(ticket, "messages"), {"body": "Thank you", "key": "k"})
    assert line not in page()
    carla.cookies["django_language"] = "de"
    desk.reply(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body="You are welcome")
    assert "Neu seit Ihrem letzten Besuch" in page()


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
