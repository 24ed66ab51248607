"""Files in the console's composer: what goes in, what is refused, who may read it."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from tests.cast import World
from tests.console import Person, text_of
from tickets.access import token_of
from tickets.attachments import MAX_BYTES
from tickets.models import Attachment, Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


def text(name: str = "bill.txt", content: bytes = b"4.00") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "text/plain")


def picture() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (20, 10)).save(out, "PNG")
    return SimpleUploadedFile("Schaden é.png", out.getvalue(), "image/png")


@pytest.fixture
def anna(world: World) -> Person:
    return Person(world, "Anna").online()


@pytest.fixture
def ticket(anna: Person) -> Ticket:
    return anna.holding()


def customer_of(ticket: Ticket) -> Client:
    client = Client()
    client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    return client


def test_a_reply_with_files_reaches_both_sides(anna: Person, ticket: Ticket) -> None:
    path = f"tickets/{ticket.public_id}/reply"
    for _twice in range(2):  # a repeat doubles no file
        answer = anna.fetch(path, {ticket.stream: 4}, body="Here", files=[text(), picture()], key="k")
        assert answer.status_code == 200
    frames = [frame for frame in answer.json()["frames"] if frame["type"] == "message.posted"]
    files = Attachment.objects.order_by("pk")
    assert [(file.name, file.content_type) for file in files] == [
        ("bill.txt", "text/plain"),
        ("Schaden é.png", "image/png"),
    ]
    for file in files:
        assert f'href="/console/tickets/{ticket.public_id}/files/{file.pk}"' in frames[0]["html"]
        assert file.name in text_of(customer_of(ticket).get(f"/t/{ticket.public_id}/"))  # type: ignore[arg-type]
    download = customer_of(ticket).get(f"/t/{ticket.public_id}/attachments/{files[0].pk}")
    assert b"".join(download) == b"4.00"  # type: ignore[arg-type]


def test_a_file_needs_no_text(anna: Person, ticket: Ticket) -> None:
    for kind in ("reply", "note"):
        answer = anna.fetch(f"tickets/{ticket.public_id}/{kind}", body="", files=[text()])
        assert answer.status_code == 200
    assert [(message.body, message.internal) for message in Message.objects.order_by("seq")][1:] == [
        ("", False),
        ("", True),
    ]
    page = text_of(anna.get())
    assert page.count("bill.txt") == 4  # two messages, the list of notes, the ticket's last word
    assert anna.fetch(f"tickets/{ticket.public_id}/reply", body="").json()["code"] == "empty_message"


def test_a_notes_file_is_for_agents_only(anna: Person, ticket: Ticket) -> None:
    anna.fetch(f"tickets/{ticket.public_id}/note", body="Look", files=[text("internal.txt", b"secret")])
    file = Attachment.objects.get()
    mine = anna.client.get(f"/console/tickets/{ticket.public_id}/files/{file.pk}")
    assert b"".join(mine) == b"secret"  # type: ignore[arg-type]
    customer = customer_of(ticket)
    assert customer.get(f"/t/{ticket.public_id}/attachments/{file.pk}").status_code == 404
    page = text_of(customer.get(f"/t/{ticket.public_id}/"))  # type: ignore[arg-type]
    assert "internal.txt" not in page
    file.file.storage.delete(file.file.name)
    assert anna.client.get(f"/console/tickets/{ticket.public_id}/files/{file.pk}").status_code == 404


REFUSED = [
    (lambda: [text("run.exe")], 415, "type_not_allowed", "“run.exe”: Only PNG"),
    (
        lambda: [text("big.txt", b"x" * (MAX_BYTES + 1))],
        413,
        "too_large",
        "“big.txt”: This file is too large",
    ),
    (lambda: [text("a.txt", b"a\x00")], 415, "type_mismatch", "“a.txt”: The content of this file"),
    (lambda: [text() for _ in range(6)], 422, "too_many_files", "Too many files: five a message at most."),
]


@pytest.mark.parametrize(("files", "status", "code", "words"), REFUSED, ids=[row[2] for row in REFUSED])
@pytest.mark.parametrize("kind", ["reply", "note"])
def test_a_refused_file_is_named_and_nothing_is_sent(
    anna: Person, ticket: Ticket, kind: str, files: Any, status: int, code: str, words: str
) -> None:
    path = f"tickets/{ticket.public_id}/{kind}"
    answer = anna.fetch(path, body="Kept & safe", files=files())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.json()["detail"]

    # Without JavaScript the page says it beside the text, which is still there.
    plain = anna.post(path, body="Kept & safe", files=files())
    assert plain.status_code == status
    page = text_of(plain)
    assert words in page
    assert "Kept &amp; safe</textarea>" in page
    assert "please choose them again" in page
    assert f'value="{"note" if kind == "note" else "message"}" checked' in page
    assert Message.objects.count() == 1
    assert not Attachment.objects.exists()


def test_a_refused_text_stays_only_where_it_can_be_sent(world: World, ticket: Ticket) -> None:
    bernd = Person(world, "Bernd").online()
    page = bernd.post(f"tickets/{ticket.public_id}/reply", body="Mine?")
    assert page.status_code == 403
    assert "This ticket is not with you." in text_of(page)
    assert "<textarea" not in text_of(page)
