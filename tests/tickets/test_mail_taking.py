"""What a mail does: opens a ticket, goes into its ticket, or does nothing; never into a foreign one, and never twice."""

from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail as outbox
from django.db.models.functions import Now
from django.test import Client

from tests.callers import anonymous
from tests.cast import World
from tests.tickets.mail_styles import head, mixed, part, plain, wire
from tests.tickets.test_mail_reading import report
from tests.untouched import nothing_changed
from tickets import conversation, mail, postmarks
from tickets.access import link_path
from tickets.inbox import parsing, taking
from tickets.inbox.taking import mail_take
from tickets.intake import ticket_open
from tickets.lifecycle import ticket_close
from tickets.mail import MAIL_KEY
from tickets.models import Attachment, Channel, MailIn, Message, Outcome, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_an_hour(settings: Any) -> None:
    settings.MAIL_IN, settings.MAIL_IN_PER_HOUR = True, 3


def answer(
    ticket: Ticket, text: str, *, number: int = 1, sender: str = "carla@customers.example", **marks: str
) -> bytes:
    """Answered to the ticket's address, unless `marks` names other headers."""
    letter = EmailMessage()
    letter["From"], letter["Subject"], letter["Message-ID"] = sender, "Re: x", f"<{number}@customers.example>"
    for name, value in (marks or {"To": postmarks.reply_address(ticket)}).items():
        letter[name.replace("_", "-")] = value
    letter.set_content(text)
    return letter.as_bytes()


def bodies(ticket: Ticket) -> list[str]:
    return list(ticket.messages.order_by("seq").values_list("body", flat=True))


def test_opens_a_ticket_in_its_language_without_card_numbers(world: World) -> None:
    taken = mail_take(
        plain("Guten Tag, meine Karte 4111 1111 1111 1111 ist leider gesperrt.", subject="Karte")
    )
    ticket = Ticket.objects.get()
    assert taken == taking.Taken(Outcome.OPENED, ticket, first=True)
    assert bodies(ticket) == ["Karte\n\nGuten Tag, meine Karte [card …1111] ist leider gesperrt."]
    assert (ticket.channel, ticket.language, ticket.topic, ticket.state) == ("mail", "de", None, "waiting")
    assert (ticket.customer.name, ticket.customer.email) == ("Carla Conti", "carla@customers.example")
    assert MailIn.objects.get().raw is None


def test_again_does_nothing(world: World) -> None:
    first = mail_take(plain("Hello"))
    with nothing_changed():
        again = mail_take(b"Received: once more\r\n" + plain("Hello"))
    assert (again.outcome, again.ticket, again.first) == (Outcome.OPENED, first.ticket, False)


def test_a_worker_that_died_over_it_leaves_nothing_double(world: World) -> None:
    mail_take(plain("Hello"))
    MailIn.objects.update(outcome=Outcome.TAKING, ticket=None)
    mail_take(plain("Hello"))
    assert MailIn.objects.get().ticket == Ticket.objects.get()
    ticket = world.ticket()
    mail_take(answer(ticket, "And?"))
    MailIn.objects.update(outcome=Outcome.TAKING, ticket=None)
    ticket_close(ticket=ticket)
    mail_take(answer(ticket, "And?"))
    assert bodies(ticket) == ["Where is my refund?", "And?"]
    assert Ticket.objects.get(pk=ticket.pk).state == "closed"


class TestItsKeyIsNoSecret:
    """Who is in Cc knows Message-ID, sender, name, subject and text, and can make the mail's key of them."""

    SAME = {
        "text": "Refund\n\nHello",
        "name": "Carla Conti",
        "email": "carla@customers.example",
        "language": "en",
    }

    def key(self) -> str:
        return MAIL_KEY + parsing.read(plain("Hello", subject="Refund")).key

    def test_it_opens_nothing_for_who_sends_it_by_another_door(self, world: World, client: Client) -> None:
        mails = mail_take(plain("Hello", subject="Refund")).ticket
        assert mails is not None
        assert mails.intake_key == self.key()
        # The control: to the service itself it is the same, and would be answered with the private link.
        again = ticket_open(
            text=self.SAME["text"],
            name=self.SAME["name"],
            email=self.SAME["email"],
            chosen_language="en",
            channel=Channel.API,
            key=self.key(),
        )
        assert (again.ticket, again.created) == (mails, False)
        answer = anonymous().tell("tickets", self.SAME, key=self.key())
        assert answer.status_code == 201
        assert answer.json()["id"] != mails.public_id
        assert client.post("/", self.SAME | {"key": self.key()}).status_code == 303
        assert f"t-{mails.public_id}" not in client.cookies
        assert Ticket.objects.count() == 3

    def test_who_sends_it_first_keeps_no_mail_away(self, world: World, client: Client) -> None:
        assert anonymous().tell("tickets", {"text": "Mine"}, key=self.key()).status_code == 201
        assert client.post("/", {"text": "Mine", "key": self.key()}).status_code == 303
        taken = mail_take(plain("Hello", subject="Refund"))
        assert (taken.outcome, taken.ticket) == (Outcome.OPENED, Ticket.objects.latest("pk"))
        assert taken.ticket is not None
        assert bodies(taken.ticket) == ["Refund\n\nHello"]


@pytest.mark.parametrize("by", ["To", "Cc", "Delivered-To", "In-Reply-To", "References"])
def test_an_answer_finds_its_ticket(world: World, by: str) -> None:
    ticket = world.ticket()
    value = (
        postmarks.reply_address(ticket)
        if by in ("To", "Cc", "Delivered-To")
        else postmarks.message_id(ticket, 7)
    )
    marks = {
        by: f"<other@x.example> {value}"
        if by == "References"
        else value.upper().replace("TICKET.", "ticket.")
    }
    marks[by] = marks[by].replace("@STANDBY", "@standby")
    taken = mail_take(answer(ticket, "And?", sender="Carla@Customers.example", **marks))
    assert (taken.outcome, taken.ticket) == (Outcome.REPLIED, ticket)
    assert bodies(ticket) == ["Where is my refund?", "And?"]


@pytest.mark.parametrize(
    "why", ["another sender", "forged", "withdrawn", "expired", "no mark", "practice id"]
)
def test_else_it_opens_its_own(world: World, why: str) -> None:
    ticket, sender, marks = world.ticket(), "carla@customers.example", {}
    mark = postmarks.mark_of(ticket)
    if why == "another sender":
        sender = "eve@evil.example"
    elif why == "forged":
        other = ("b" if mark[0] == "a" else "a") + mark[1:]
        marks = {"To": f"help+{ticket.public_id}.{other}@later.example"}
    elif why == "no mark":
        marks = {"To": "help@later.example", "In-Reply-To": f"<ticket-{ticket.public_id}@standby>"}
    elif why == "practice id":
        marks = {"To": f"help+abcdefghjkmn.{mark}@later.example"}
    letter = answer(ticket, "Let me in", sender=sender, **marks)
    if why == "withdrawn":
        Ticket.objects.update(access_version=2)
    elif why == "expired":
        Ticket.objects.update(access_expires_at=Now())
    taken = mail_take(letter)
    assert taken.outcome == Outcome.OPENED
    assert taken.ticket is not None
    assert taken.ticket.pk != ticket.pk
    assert bodies(ticket) == ["Where is my refund?"]


def test_an_ended_ticket_is_opened_again_with_its_files(world: World) -> None:
    ticket = world.ticket()
    ticket_close(ticket=ticket)
    letter = mixed(
        "mixed",
        part("text/plain", "Not yet"),
        part('text/plain; name="note.txt"', "one", "Content-Disposition: attachment"),
        sender="carla@customers.example",
    ).replace(b"To: Later & Co <help@later.example>", f"To: {postmarks.reply_address(ticket)}".encode())
    assert mail_take(letter).outcome == Outcome.REPLIED
    assert Ticket.objects.get().state == "waiting"
    assert bodies(ticket)[1:] == ["Not yet"]
    assert Attachment.objects.get().name == "note.txt"


def test_files_that_are_refused_are_told_in_the_answer(world: World) -> None:
    letter = mixed(
        "mixed",
        part("text/plain", "See, wo ist denn bitte meine Erstattung geblieben?"),
        part('application/zip; name="a.zip"', "PK", "Content-Disposition: attachment"),
        part('text/plain; name="b.txt"', "kept", "Content-Disposition: attachment"),
    )
    ticket = mail_take(letter).ticket
    assert ticket is not None
    assert [file.name for file in Attachment.objects.all()] == ["b.txt"]
    mail.link_send(ticket_id=ticket.pk)
    [sent] = outbox.outbox
    assert "– a.zip: " in sent.body
    assert "b.txt" not in sent.body
    again = letter.replace(b"<one@", b"<two@").replace(
        b"To: Later & Co <help@later.example>", f"To: {postmarks.reply_address(ticket)}".encode()
    )
    assert mail_take(again).outcome == Outcome.REPLIED
    [due] = mail.left_out_due()
    assert mail.left_out_send(mail_id=due)
    assert not mail.left_out_send(mail_id=due)
    assert "– a.zip: " in outbox.outbox[1].body
    assert outbox.outbox[1].extra_headers["In-Reply-To"] == "<two@customers.example>"


def test_files_above_a_days_bound_are_left_out_and_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MAX_BYTES_A_DAY", 2)
    ticket = world.ticket()
    letter = mixed(
        "mixed",
        part("text/plain", "See"),
        part('text/plain; name="note.txt"', "one", "Content-Disposition: attachment"),
        sender="carla@customers.example",
    ).replace(b"To: Later & Co <help@later.example>", f"To: {postmarks.reply_address(ticket)}".encode())
    assert mail_take(letter).outcome == Outcome.REPLIED
    assert bodies(ticket)[1:] == ["See"]
    assert not Attachment.objects.exists()
    [[name, why]] = MailIn.objects.get().left_out
    assert name == "note.txt"
    assert why.startswith("Too many files within a day")


def test_long_text_is_shortened_and_told(world: World) -> None:
    ticket = mail_take(plain("word " * 3000)).ticket
    assert ticket is not None
    assert len(bodies(ticket)[0]) <= 8000
    assert MailIn.objects.get().left_out == [["Text", "longer than 8,000 characters; the rest was left out"]]


@pytest.mark.parametrize(
    "letter",
    [
        wire(head("Auto-Submitted: auto-replied") + "I am away"),
        wire(head("Precedence: bulk") + "News"),
        wire(head("List-Id: <x.example>") + "News"),
        plain("Ours", sender="help@later.example"),
        wire(head().replace("<one@customers.example>", "<ticket.x.y.0@standby>") + "Ours"),
        plain("", subject=""),
        wire("Subject: x\n\nNobody"),
        report("failed"),
        report("delayed"),
    ],
)
def test_what_nobody_wrote_does_nothing(world: World, letter: bytes) -> None:
    assert mail_take(letter).outcome == Outcome.IGNORED
    assert (Ticket.objects.count(), Message.objects.count(), len(outbox.outbox)) == (0, 0, 0)


def test_an_automatic_answer_to_a_ticket_does_nothing(world: World) -> None:
    ticket = world.ticket()
    mail_take(b"Auto-Submitted: auto-replied\r\n" + answer(ticket, "I am away"))
    assert bodies(ticket) == ["Where is my refund?"]


def test_a_report_tells_the_agent_and_stops_the_mails(world: World) -> None:
    ticket = world.ticket()
    letter = report("failed").replace(b"<ours@standby>", postmarks.message_id(ticket, 4).encode())
    for _ in range(2):
        mail_take(letter)
    [event] = ticket.events.filter(type="ticket.mail_failed")
    assert (event.data, event.public) == ({"reason": "5.1.1 smtp; 550 No such user"}, False)
    assert Ticket.objects.get().mails_stopped_at is not None


def test_too_many_of_one_sender_are_held_and_let_in_by_a_person(world: World) -> None:
    letters = [plain(f"Number {n}").replace(b"<one@", f"<{n}@".encode()) for n in range(5)]
    outcomes = [mail_take(letter).outcome for letter in letters]
    assert outcomes == [Outcome.OPENED] * 3 + [Outcome.HELD] * 2
    assert Ticket.objects.count() == 3
    assert mail_take(plain("x", sender="dora@customers.example")).outcome == Outcome.OPENED
    held, dropped = MailIn.objects.filter(outcome=Outcome.HELD).order_by("id")
    assert bytes(held.raw or b"") == letters[3]
    taken = taking.mail_let_in(mail_id=held.pk)
    assert taken.ticket is not None
    assert bodies(taken.ticket) == ["Refund\n\nNumber 3"]
    assert taking.mail_drop(mail_id=dropped.pk)
    assert not MailIn.objects.filter(raw__isnull=False).exists()


def test_keys_in_quoted_mails_are_taken_out(world: World) -> None:
    ticket = world.ticket()
    text = f"See http://127.0.0.1:8000{link_path(ticket)} and {postmarks.reply_address(ticket)} please"
    taken = mail_take(answer(ticket, text, sender="eve@evil.example"))
    assert taken.ticket is not None
    assert bodies(taken.ticket) == [
        f"x\n\nSee http://127.0.0.1:8000/t/{ticket.public_id}/#… and help+…@later.example please"
    ]
