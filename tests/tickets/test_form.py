"""The form at /: open a ticket without account and without JavaScript; what is refused keeps the input and changes nothing."""

import io
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from PIL import Image

from agents.models import Shift
from dispatch import presence
from tests.cast import World
from tests.console import Person
from tickets import kept
from tickets.access import token_of
from tickets.models import Attachment, Channel, Customer, Message, Ticket, TicketEvent

pytestmark = pytest.mark.django_db(transaction=True)


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (3, 3), "teal").save(out, "PNG")
    return out.getvalue()


def nothing_happened() -> bool:
    return not any(model.objects.exists() for model in (Ticket, Customer, Message, TicketEvent, Attachment))


def test_the_form_offers_active_topics_and_states_the_limits(client: Client, world: World) -> None:
    world.card.active = False
    world.card.save()
    page = client.get("/").content.decode()
    assert '<option value="refund">Refund</option>' in page
    assert 'value="card"' not in page
    assert "Up to 5 files of 5 MB each" in page
    assert re.search(r'name="key" value="[0-9a-f-]{36}"', page)


def test_the_form_speaks_german(client: Client, world: World) -> None:
    page = client.get("/", headers={"Accept-Language": "de-DE,de;q=0.9"}).content.decode()
    assert '<html lang="de">' in page
    assert '<option value="refund">Erstattung</option>' in page
    assert "Wie können wir Ihnen helfen?" in page


def test_a_topic_can_be_chosen_by_the_address(client: Client, world: World) -> None:
    assert '<option value="card" selected>' in client.get("/?topic=card").content.decode()


def test_sending_opens_a_ticket_and_leads_to_its_page(client: Client, world: World) -> None:
    answer = client.post(
        "/",
        {
            "text": "Where is my refund? My card is 4111 1111 1111 1111.",
            "topic": "refund",
            "name": "Carla",
            "email": "carla@customers.example",
            "key": "one",
            "files": SimpleUploadedFile("proof.png", png(), "image/png"),
        },
    )
    ticket = Ticket.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/t/{ticket.public_id}/")
    assert (ticket.topic, ticket.channel, ticket.language) == (world.refund, Channel.FORM, "en")
    assert ticket.messages.get().body == "Where is my refund? My card is [card …1111]."
    assert Attachment.objects.get().name == "proof.png"

    cookie = answer.cookies[f"t-{ticket.public_id}"]
    assert cookie.value == token_of(ticket)
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 90 * 86400)
    assert not cookie["secure"]

    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert f"Ticket {ticket.number}" in page.content.decode()
    assert f"http://testserver/t/{ticket.public_id}/#{token_of(ticket)}" in page.content.decode()
    assert "carla@customers.example" in page.content.decode()


def test_the_cookie_is_secure_over_https(client: Client, world: World) -> None:
    answer = client.post(
        "/", {"text": "Where is my refund?"}, secure=True, headers={"Referer": "https://testserver/"}
    )
    assert answer.cookies[f"t-{Ticket.objects.get().public_id}"]["secure"]


def test_a_double_click_opens_one_ticket(client: Client, world: World) -> None:
    form = {"text": "Where is my refund?", "key": "same"}
    first, second = client.post("/", form), client.post("/", form)
    assert first["Location"] == second["Location"] == f"/t/{Ticket.objects.get().public_id}/"


def test_another_text_under_the_same_key_is_asked_about(client: Client, world: World) -> None:
    client.post("/", {"text": "Where is my refund?", "key": "same"})
    answer = client.post("/", {"text": "And my card?", "key": "same"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "You have already sent this form with another text." in page
    assert "And my card?" in page
    assert Ticket.objects.count() == 1
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key is not None
    assert client.post("/", {"text": "And my card?", "key": key[1]}).status_code == 303
    assert Ticket.objects.count() == 2


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"text": "   "}, 422, "Please write a message."),
        ({}, 422, "Please write a message."),
        ({"text": "x" * 8001}, 422, "This message is too long"),
        ({"text": "nul \x00 in it"}, 422, "The text contains characters that cannot be stored."),
        ({"text": "Hello there", "topic": "weather"}, 422, "We do not know this topic."),
        ({"text": "Hello there", "email": "no-address"}, 422, "Enter a valid email address."),
        ({"text": "Hello there", "language": "fr"}, 422, "Select a valid choice."),
        ({"text": "Hello there", "name": "x" * 121}, 422, "Ensure this value has at most 120 characters"),
    ],
)
def test_what_is_not_right_is_said_and_nothing_is_stored(
    client: Client, world: World, sent: dict[str, str], status: int, said: str
) -> None:
    answer = client.post("/", {"name": "Carla", **sent})
    page = answer.content.decode()
    assert answer.status_code == status
    assert said in page
    assert 'id="errors" tabindex="-1"' in page
    assert not [name for name in answer.cookies if name.startswith("t-")]
    assert nothing_happened()


def test_input_is_kept(client: Client, world: World) -> None:
    answer = client.post(
        "/",
        {
            "text": "Where is <b>my</b> refund?",
            "topic": "refund",
            "name": "Carla",
            "email": "carla@",
            "language": "de",
            "files": SimpleUploadedFile("proof.png", png(), "image/png"),
        },
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Where is &lt;b&gt;my&lt;/b&gt; refund?</textarea>" in page
    assert '<option value="refund" selected>' in page
    assert '<option value="de" selected>' in page
    assert 'value="Carla"' in page
    assert 'value="carla@"' in page
    assert 'aria-invalid="true"' in page
    assert "please choose them again" in page
    assert nothing_happened()


@pytest.mark.parametrize(
    ("name", "content", "claimed", "said"),
    [
        ("run.exe", b"MZ\x90\x00", "application/octet-stream", "Only PNG, JPEG"),
        ("fake.png", b"<html>", "image/png", "does not fit its name"),
        ("empty.txt", b"", "text/plain", "empty"),
        ("big.txt", b"x" * (5 * 1024 * 1024 + 1), "text/plain", "too large"),
    ],
)
def test_a_refused_file_refuses_the_whole(
    client: Client, world: World, name: str, content: bytes, claimed: str, said: str
) -> None:
    answer = client.post("/", {"text": "Hello there", "files": SimpleUploadedFile(name, content, claimed)})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert nothing_happened()


def test_too_many_files_are_refused(client: Client, world: World) -> None:
    files = [SimpleUploadedFile(f"{number}.png", png(), "image/png") for number in range(6)]
    answer = client.post("/", {"text": "Hello there", "files": files})
    assert answer.status_code == 422
    assert "Too many files" in answer.content.decode()
    assert nothing_happened()


def test_a_huge_request_is_refused_before_it_is_read(client: Client, world: World) -> None:
    answer = client.generic(
        "POST", "/", b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(40 * 1024 * 1024)
    )
    assert answer.status_code == 413
    assert nothing_happened()


def test_the_trap_catches_programs_and_loses_nobody(client: Client, world: World) -> None:
    answer = client.post("/", {"text": "Buy my pills", "website": "https://pills.example", "key": "one"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Buy my pills" in page
    assert "pills.example" not in page
    assert nothing_happened()


def test_a_form_of_another_site_is_refused(world: World) -> None:
    answer = Client(enforce_csrf_checks=True).post("/", {"text": "Hello there"})
    assert answer.status_code == 403
    assert "This form has expired." in answer.content.decode()
    assert nothing_happened()


def test_the_wait_of_late_is_shown_when_it_is_known(client: Client, world: World) -> None:
    anna = Person(world, "Anna").online()
    assert "a person came after" not in client.get("/").content.decode()
    for minutes in (2, 4, 9):
        ticket = world.ticket()
        Ticket.objects.filter(pk=ticket.pk).update(
            created_at=timezone.now() - timedelta(minutes=minutes), first_held_at=timezone.now()
        )
    page = client.get("/").content.decode()
    assert "a person came after about 4 minutes" in page
    assert "Nobody is online" not in page
    presence.go_offline(agent_id=anna.agent.pk, epoch=anna.epoch)
    kept.forget()
    page = client.get("/").content.decode()
    assert "a person came after" not in page  # it says nothing about now
    assert "Nobody is online right now." in page
    anna.online()
    kept.forget()
    Shift.objects.filter(ended_at=None).update(lost_at=Now())  # nor is somebody whose connection is lost
    assert "Nobody is online right now." in client.get("/").content.decode()
    Shift.objects.filter(ended_at=None).update(lost_at=None)
    kept.forget()
    Ticket.objects.update(first_held_at=timezone.now() - timedelta(minutes=31))
    assert "a person came after" not in client.get("/").content.decode()


def test_there_is_a_way_to_ones_links_and_to_the_articles(client: Client, world: World) -> None:
    page = client.get("/").content.decode()
    assert '<a href="/links">Get your links again</a>' in page
    assert '<a href="/help/">Answers to what is asked most</a>' in page


def test_other_methods_are_refused(client: Client, world: World) -> None:
    assert client.put("/").status_code == 405
