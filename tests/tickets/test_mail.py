"""The mail with the private link: once, in the reader's language, and not lost when the server refuses."""

import smtplib
from typing import Any

import pytest
from django.core import mail

from tests.cast import World
from tickets.access import token_of
from tickets.intake import ticket_open
from tickets.mail import due_ticket_ids, link_send
from tickets.models import Channel, Ticket
from tickets.tasks import mail_due

pytestmark = pytest.mark.django_db


def test_the_link_is_mailed_once_in_the_customers_language(world: World, settings: Any) -> None:
    settings.BASE_URL = "https://help.example"
    ticket = world.ticket(language="de")
    mail_due()
    mail_due()
    (sent,) = mail.outbox
    assert sent.to == ["carla@customers.example"]
    assert ticket.number in sent.subject
    assert f"https://help.example/t/{ticket.public_id}/#{token_of(ticket)}" in sent.body
    assert due_ticket_ids() == []


def test_without_an_address_there_is_no_mail(world: World) -> None:
    ticket_open(text="Hello", channel=Channel.FORM)
    mail_due()
    assert mail.outbox == []


def test_a_refused_mail_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = world.ticket()

    def refuse(*_: Any, **__: Any) -> None:
        raise smtplib.SMTPServerDisconnected

    with monkeypatch.context() as broken:
        broken.setattr(mail.EmailMessage, "send", refuse)
        assert not link_send(ticket_id=ticket.pk)
    assert Ticket.objects.get().link_mailed_at is None
    assert link_send(ticket_id=ticket.pk)
    assert len(mail.outbox) == 1
