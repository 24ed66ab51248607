"""The mail with number and private link: in the customer's language, once."""

import email
from email import policy
from pathlib import Path
from typing import Any

import pytest
from django.core import mail as outbox

from tests.cast import World
from tickets import mail, postmarks
from tickets.access import token_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("language", "subject", "hello"),
    [("en", "Your ticket", "Hello Carla,"), ("de", "Ihr Ticket", "Guten Tag Carla,")],
)
def test_the_link_is_mailed_once(world: World, language: str, subject: str, hello: str) -> None:
    ticket = world.ticket(language=language)
    assert mail.due_ticket_ids() == [ticket.pk]
    assert mail.link_send(ticket_id=ticket.pk)
    assert not mail.link_send(ticket_id=ticket.pk)
    assert mail.due_ticket_ids() == []
    [sent] = outbox.outbox
    assert sent.to == ["carla@customers.example"]
    assert sent.subject.startswith(f"{subject} {ticket.number}")
    assert str(sent.body).startswith(hello)
    # With the proof of having come by mail.
    assert f"\nhttp://127.0.0.1:8000/t/{ticket.public_id}/#{token_of(ticket)}~" in sent.body


def test_a_trials_mails_lie_in_a_folder_as_files(world: World, settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND, settings.MAIL_FOLDER = "config.postbox.Postbox", str(tmp_path / "mail")
    ticket = world.ticket()
    assert mail.link_send(ticket_id=ticket.pk)
    [file] = (tmp_path / "mail").glob("*.eml")
    found = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (found["To"], found["Message-ID"]) == ("carla@customers.example", postmarks.message_id(ticket, 0))
