"""A customer who uses mail only, the whole way, over a real SMTP and a real IMAP server."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from dispatch import desk
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.console import Person
from tests.dispatch.scenes import earlier
from tests.postoffice import PostOffice
from tickets import tasks
from tickets.inbox.fetching import mail_fetch
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

CARLA = "Carla Conti <carla@customers.example>"


def written(subject: str, text: str, number: int, answers: EmailMessage | None = None) -> bytes:
    """A mail of Carla's, as her mail program writes it: answered to where the mail says, with its history below."""
    mail = EmailMessage()
    mail["From"], mail["To"] = CARLA, answers["Reply-To"] if answers else "help@later.example"
    mail["Subject"], mail["Message-ID"] = subject, f"<{number}@customers.example>"
    if answers is not None:
        mail["In-Reply-To"] = answers["Message-ID"]
        mail["References"] = f"{answers['References'] or ''} {answers['Message-ID']}".strip()
        quoted = "\n".join(f"> {line}" for line in answers.get_content().splitlines())
        text = f"{text}\n\nAm 22.11.2026 um 14:05 schrieb Later & Co <{answers['Reply-To']}>:\n{quoted}"
    mail.set_content(text)
    return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


def answered(anna: Person, text: str) -> None:
    """Anna is offered the ticket, takes it and writes; then Carla is away for some minutes."""
    match_pool(anna.world.pool.pk)
    offer = Offer.objects.get(state="pending")
    offer_accept(offer_id=offer.pk, agent_id=anna.agent.pk, epoch=anna.epoch)
    desk.reply(agent=anna.agent, epoch=anna.epoch, ticket_id=offer.ticket_id, body=text)
    earlier(Ticket, "unread_since", timedelta(minutes=3))


def bodies(ticket: Ticket) -> list[str]:
    return list(Message.objects.filter(ticket=ticket).order_by("seq").values_list("body", flat=True))


def test_from_the_first_mail_to_the_ticket_that_is_opened_again(world: World, office: PostOffice) -> None:
    anna = Person(world, "Anna").online()
    office.deliver(
        written("Meine Erstattung", "Guten Tag, wo bleibt denn meine Erstattung für die Schuhe?", 1)
    )
    assert mail_fetch() == 1
    ticket = Ticket.objects.get()
    assert (ticket.channel, ticket.language, ticket.state) == ("mail", "de", "waiting")
    assert (ticket.customer.name, ticket.customer.email) == ("Carla Conti", "carla@customers.example")
    assert bodies(ticket) == [
        "Meine Erstattung\n\nGuten Tag, wo bleibt denn meine Erstattung für die Schuhe?"
    ]
    tasks.mail_due()
    [receipt] = office.arrived
    assert receipt["Subject"] == f"Re: Meine Erstattung [{ticket.number}]"
    assert (receipt["In-Reply-To"], receipt["References"]) == ("<1@customers.example>",) * 2
    assert receipt["Auto-Submitted"] == "auto-generated"

    answered(anna, "Sie ist seit gestern unterwegs.")
    tasks.mail_away()
    _receipt, answer = office.arrived
    assert answer["To"] == "carla@customers.example"
    assert answer["Subject"] == f"Antwort auf Ihr Ticket {ticket.number}"
    assert answer["References"] == f"{receipt['Message-ID']} <1@customers.example>"
    assert "Sie ist seit gestern unterwegs." in answer.get_content()
    assert "Antworten Sie einfach auf diese Mail" in answer.get_content()

    office.deliver(written(f"Re: {answer['Subject']}", "Danke, und wann kommt sie an?", 2, answer))
    assert mail_fetch() == 1
    assert bodies(ticket)[1:] == ["Sie ist seit gestern unterwegs.", "Danke, und wann kommt sie an?"]
    desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
    assert Ticket.objects.get().state == "resolved"

    office.deliver(written("Aw: Ihr Ticket", "Sie ist nicht angekommen.", 3, answer))
    assert mail_fetch() == 1
    ticket = Ticket.objects.get()
    assert (ticket.state, bodies(ticket)[-1]) == ("waiting", "Sie ist nicht angekommen.")
    assert (office.lies_in("INBOX"), office.lies_in("Handled")) == (0, 3)
    assert mail_fetch() == 0
