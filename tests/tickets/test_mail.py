"""The mail with number and private link: in the customer's language, once."""

import pytest
from django.core import mail as outbox

from tests.cast import World
from tickets import mail
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
    assert f"\nhttp://127.0.0.1:8000/t/{ticket.public_id}/#{token_of(ticket)}\n" in sent.body
