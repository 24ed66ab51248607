"""Who is away gets the agent's words by mail: bundled, seldom, only what was not read, and tried until a day is over."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from dispatch import desk
from tests.cast import World
from tests.console import Person
from tests.dispatch.scenes import earlier
from tests.untouched import nothing_changed
from tickets import away, postmarks, signs
from tickets.models import AwayMail, Customer, Ticket

pytestmark = pytest.mark.django_db

AGO = timedelta(minutes=3)


class Scene:
    """Anna holds Carla's ticket and writes; `wait`: as if some minutes had gone by."""

    def __init__(self, world: World) -> None:
        self.anna = Person(world, "Anna").online()
        self.ticket = self.anna.holding()

    def write(self, text: str) -> None:
        desk.reply(agent=self.anna.agent, epoch=self.anna.epoch, ticket_id=self.ticket.pk, body=text)

    def wait(self, ago: timedelta = AGO) -> None:
        earlier(Ticket, "unread_since", ago)

    def later(self) -> None:
        """After so long another mail may follow."""
        earlier(AwayMail, "made_at", timedelta(minutes=6))

    def events(self) -> list[str]:
        found = self.ticket.events.filter(type__startswith="ticket.mail").order_by("seq")
        return list(found.values_list("type", flat=True))

    @property
    def now(self) -> Ticket:
        return Ticket.objects.get(pk=self.ticket.pk)


@pytest.fixture
def scene(world: World, settings: Any) -> Scene:
    settings.MAIL_IN = True
    found = Scene(world)
    signs.client().delete(signs._here(found.ticket.public_id))
    return found


def test_all_that_is_unread_in_one_mail_and_once(scene: Scene) -> None:
    scene.write("It left yesterday.")
    scene.write("Is the address right?")
    away.look()
    assert outbox.outbox == []  # they may just be reading it
    scene.wait()
    away.look()
    away.look()
    [sent] = outbox.outbox
    ticket = scene.now
    assert sent.subject == f"Answer to your ticket {ticket.number}"
    assert sent.to == ["carla@customers.example"]
    assert sent.body.index("It left yesterday.") < sent.body.index("Is the address right?")
    assert f"/t/{ticket.public_id}/#" in sent.body
    assert sent.reply_to == [postmarks.reply_address(ticket)]
    stop = f"http://127.0.0.1:8000/t/{ticket.public_id}/mails/{postmarks.stop_mark_of(ticket)}"
    assert sent.extra_headers == {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Message-ID": postmarks.message_id(ticket, ticket.agent_seq),
        "In-Reply-To": postmarks.message_id(ticket, 0),
        "References": postmarks.message_id(ticket, 0),
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert stop in sent.body
    assert scene.events() == ["ticket.mailed"]


def test_the_next_words_wait_for_some_minutes(scene: Scene) -> None:
    scene.write("One")
    scene.wait()
    away.look()
    scene.write("Two")
    scene.write("Three")
    scene.wait()
    away.look()
    assert len(outbox.outbox) == 1
    scene.later()
    away.look()
    _first, second = outbox.outbox
    assert "One" not in second.body
    assert "Two" in second.body
    assert "Three" in second.body


@pytest.mark.parametrize(
    "why", ["read", "page open", "no address", "stopped", "note", "too old", "customer's"]
)
def test_nothing_is_mailed(scene: Scene, why: str) -> None:
    if why == "note":
        desk.note(agent=scene.anna.agent, epoch=scene.anna.epoch, ticket_id=scene.ticket.pk, body="Hm")
    elif why != "customer's":
        scene.write("One")
    scene.wait(timedelta(hours=25) if why == "too old" else AGO)
    if why == "read":
        signs.read_up_to(scene.now, signs.Side.CUSTOMER, scene.now.last_seq)
    elif why == "page open":
        signs.here(scene.ticket.public_id)
    elif why == "no address":
        Customer.objects.update(email="")
    elif why == "stopped":
        Ticket.objects.update(mails_stopped_at=scene.now.created_at)
    away.look()
    assert outbox.outbox == []
    assert not AwayMail.objects.exists()


def test_a_page_that_is_open_and_forgotten_counts_as_closed(scene: Scene) -> None:
    scene.write("One")
    signs.here(scene.ticket.public_id)
    scene.wait(away.FORGOTTEN + timedelta(minutes=1))
    away.look()
    assert len(outbox.outbox) == 1


def test_what_is_read_before_it_is_sent_is_left_out(scene: Scene) -> None:
    scene.write("One")
    one = scene.now.last_seq
    scene.write("Two")
    scene.wait()
    assert away.mail_make(ticket_id=scene.ticket.pk)
    assert not away.mail_make(ticket_id=scene.ticket.pk)
    signs.read_up_to(scene.now, signs.Side.CUSTOMER, one)
    away.look()
    [sent] = outbox.outbox
    assert "One" not in sent.body
    assert "Two" in sent.body


def test_all_read_before_it_is_sent(scene: Scene) -> None:
    scene.write("One")
    scene.wait()
    away.mail_make(ticket_id=scene.ticket.pk)
    signs.read_up_to(scene.now, signs.Side.CUSTOMER, scene.now.last_seq)
    away.look()
    assert outbox.outbox == []
    assert (AwayMail.objects.get().next_at, scene.events()) == (None, [])


def test_refused_it_is_tried_again_and_given_up_after_a_day(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> int:
        raise smtplib.SMTPRecipientsRefused({})

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    scene.write("One")
    scene.wait()
    away.look()
    away.look()
    row = AwayMail.objects.get()
    assert (row.tries, row.sent_at, scene.events()) == (1, None, [])
    assert away.mails_due() == []  # not before a minute has gone by
    earlier(AwayMail, "next_at", timedelta(minutes=2))
    away.look()
    assert AwayMail.objects.get().tries == 2
    earlier(AwayMail, "next_at", timedelta(minutes=3))
    earlier(AwayMail, "made_at", timedelta(days=1))
    away.look()
    row.refresh_from_db()
    assert (row.next_at, row.failed_at is None) == (None, False)
    assert scene.events() == ["ticket.mail_failed"]
    assert not scene.ticket.events.get(type="ticket.mail_failed").public
    away.look()
    assert AwayMail.objects.get().tries == 3


def test_tried_again_it_has_the_same_message_id(scene: Scene) -> None:
    """A worker that dies between the server's yes and its own note sends again: mail programs show one."""
    scene.write("One")
    scene.wait()
    away.look()
    row = AwayMail.objects.get()
    AwayMail.objects.update(sent_at=None, next_at=row.made_at)
    away.look()
    first, second = (sent.extra_headers["Message-ID"] for sent in outbox.outbox)
    assert first == second


def test_the_link_stops_mails_by_a_click_on_its_page_or_by_the_mail_program(scene: Scene) -> None:
    path = f"/t/{scene.ticket.public_id}/mails/{postmarks.stop_mark_of(scene.ticket)}"
    client = Client(enforce_csrf_checks=True)
    with nothing_changed():
        assert client.get(path).status_code == 200  # programs open links, too
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 204
    client.post(path, {"mails": "off"})
    assert scene.now.mails_stopped_at is not None
    assert "We send you no more mails" in client.get(path).content.decode()
    assert client.post(path, {"mails": "on"}).status_code == 303
    assert scene.now.mails_stopped_at is None
    assert scene.events() == ["ticket.mails_chosen"] * 2


@pytest.mark.parametrize("wrong", ["mark", "ticket", "reply"])
def test_no_other_mark_stops_them(world: World, scene: Scene, wrong: str) -> None:
    mark = postmarks.stop_mark_of(world.ticket() if wrong == "ticket" else scene.ticket)
    if wrong == "reply":
        mark = postmarks.mark_of(scene.ticket)
    elif wrong == "mark":
        mark = "a" * 26
    with nothing_changed():
        answer = Client().post(f"/t/{scene.ticket.public_id}/mails/{mark}", {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 404
