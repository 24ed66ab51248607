"""Mails that a server refuses, or that cannot be made: others go all the same, and these are tried ever more seldom."""

import smtplib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.db.models.functions import Now
from django.utils import timezone

from tests.cast import World
from tests.dispatch.scenes import earlier
from tests.tickets.test_away import Scene
from tests.tickets.test_email_addresses import POISON
from tickets import away, mail, patience, returning, tasks
from tickets.intake import ticket_open
from tickets.models import AwayMail, Channel, Customer, LinkRequest, MailIn, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = "nobody@refused.example"
GOOD = "carla@customers.example"


def opened(email: str) -> Ticket:
    """As it may have been stored before addresses were cleaned."""
    ticket = ticket_open(text="Hello", channel=Channel.FORM).ticket
    Customer.objects.filter(pk=ticket.customer_id).update(email=email)
    return Ticket.objects.select_related("customer").get(pk=ticket.pk)


def left_out(email: str) -> None:
    ticket = opened(email)
    Ticket.objects.filter(pk=ticket.pk).update(link_mailed_at=Now())
    MailIn.objects.create(
        key=str(ticket.pk), sender=email, outcome="replied", ticket=ticket, left_out=[["a.exe", "Why"]]
    )


def asked(email: str) -> None:
    if not Ticket.objects.filter(customer__email=email).exists():
        Ticket.objects.filter(pk=opened(email).pk).update(link_mailed_at=Now())
    returning.links_ask(email=email, language="en")


DOORS = pytest.mark.parametrize("due", [opened, left_out, asked])


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The server takes none for REFUSED. Returns whom it was asked to take mails for."""
    tried: list[str] = []
    send = EmailBackend.send_messages

    def take(self: EmailBackend, messages: Any) -> int:
        tried.extend(messages[0].to)
        if messages[0].to == [REFUSED]:
            raise smtplib.SMTPRecipientsRefused({REFUSED: (550, b"no such user")})
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", take)
    return tried


def sent_to() -> list[str]:
    return [one for mail in outbox.outbox for one in mail.to]


@DOORS
def test_an_address_for_which_no_mail_can_be_made_stops_no_other(
    world: World, due: Callable[[str], object]
) -> None:
    due(POISON)
    for other in (opened, left_out, asked):
        other(GOOD)
    tasks.mail_due()
    assert sent_to() == [GOOD] * 3


@DOORS
def test_so_many_refused_ones_as_a_round_takes_keep_no_other_waiting(
    world: World, refusing: list[str], due: Callable[[str], object]
) -> None:
    for _ in range(200):
        due(REFUSED)
    due(GOOD)
    tasks.mail_due()
    assert sent_to() == []  # the control: all that a round takes were before it
    tasks.mail_due()
    assert sent_to() == [GOOD]
    assert refusing.count(REFUSED) == 200  # and these not again at once
    later()
    due(GOOD)
    tasks.mail_due()
    assert sent_to() == [GOOD] * 2  # nor is it behind them when they are due again
    assert refusing.count(REFUSED) == 399


def later() -> None:
    """As if all that was refused were due again."""
    for model, name in ((Ticket, "link_next_at"), (MailIn, "left_out_next_at"), (LinkRequest, "next_at")):
        model.objects.filter(**{f"{name}__isnull": False}).update(**{name: timezone.now()})  # type: ignore[attr-defined]


@DOORS
def test_refused_it_is_tried_again_until_it_is_taken(
    world: World, refusing: list[str], due: Callable[[str], object]
) -> None:
    due(REFUSED)
    tasks.mail_due()
    tasks.mail_due()
    assert refusing == [REFUSED]
    later()
    tasks.mail_due()
    assert refusing == [REFUSED] * 2
    Customer.objects.filter(email=REFUSED).update(email=GOOD)
    LinkRequest.objects.update(email=GOOD)
    later()
    tasks.mail_due()
    tasks.mail_due()
    assert sent_to() == [GOOD]


@pytest.mark.parametrize(
    ("waited", "wait"),
    [(0, 60), (30, 60), (300, 300), (3600, 3600), (20 * 3600, 3600)],
)
def test_it_waits_as_long_as_it_has_waited(world: World, waited: int, wait: int) -> None:
    since = timezone.now() - timedelta(seconds=waited)
    ticket = opened(GOOD)
    Ticket.objects.filter(pk=ticket.pk).update(link_next_at=patience.next_try(since))
    ticket.refresh_from_db()
    assert ticket.link_next_at is not None
    seconds = (ticket.link_next_at - timezone.now()).total_seconds()
    assert wait - 5 < seconds < wait + 5


def test_what_one_fails_at_is_logged_without_anybody_and_others_go(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = opened(GOOD), opened(GOOD)
    send = mail.link_send

    def broken(*, ticket_id: int) -> bool:
        if ticket_id == first.pk:
            raise LookupError("a template that is not there")
        return send(ticket_id=ticket_id)

    monkeypatch.setattr(mail, "link_send", broken)
    tasks.mail_due()
    assert sent_to() == [GOOD]
    assert f"link of ticket {first.pk} failed; the others go on" in caplog.text
    assert f"link of ticket {second.pk}" not in caplog.text


def test_an_answer_to_such_an_address_is_given_up_after_a_day(world: World, settings: Any) -> None:
    settings.MAIL_IN = True
    scene = Scene(world)
    scene.write("One")
    Customer.objects.filter(pk=scene.ticket.customer_id).update(email=POISON)
    scene.wait()
    away.look()
    row = AwayMail.objects.get()
    assert (row.tries, row.failed_at, scene.events()) == (1, None, [])
    earlier(AwayMail, "next_at", timedelta(minutes=2))
    earlier(AwayMail, "made_at", timedelta(days=1))
    away.look()
    row.refresh_from_db()
    assert (row.next_at, row.failed_at is None) == (None, False)
    assert scene.events() == ["ticket.mail_failed"]
