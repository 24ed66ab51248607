"""Nobody is online: an answer by mail is promised, mailed, and followed until a person has answered."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from agents.models import User
from dispatch import alerts, answers, desk, tasks
from dispatch.models import Offer, PromisedAnswer, Route
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.console import Person
from tests.dispatch.scenes import earlier
from tests.dispatch.test_alerts import leads
from tests.tickets.test_calendars import office
from tickets import away, kept, postmarks
from tickets.access import token_of
from tickets.addresses import ticket_mails_choose
from tickets.lifecycle import ticket_close
from tickets.models import Customer, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
assert leads

SUNDAY_EVENING = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)


@pytest.fixture
def forsaken(world: World) -> Ticket:
    """Carla waits, and for a minute already nobody is online."""
    ticket = world.ticket()
    match_pool(world.pool.pk)
    assert Ticket.objects.get().flagged_at is not None
    return ticket


def types(ticket: Ticket) -> list[str]:
    return list(ticket.events.order_by("seq").values_list("type", flat=True))


def minute_later() -> None:
    Ticket.objects.update(flagged_at=timezone.now() - answers.PATIENCE)


def test_promised_after_a_minute_and_mailed_once(forsaken: Ticket) -> None:
    outbox.outbox.clear()
    assert answers.answers_promise() == 0  # somebody may just be changing shifts
    minute_later()
    before = timezone.now()
    answers.look()
    answers.look()
    row = PromisedAnswer.objects.get()
    assert row.ticket_id == forsaken.pk
    assert before + timedelta(minutes=240) <= row.due_at <= before + timedelta(minutes=256)
    assert row.due_at.minute % 15 == row.due_at.second == row.due_at.microsecond == 0
    ticket = Ticket.objects.get()
    assert ticket.answer_due_at == row.due_at
    assert types(ticket)[-1] == "ticket.answer_promised"
    [mail] = outbox.outbox
    assert mail.subject == f"When you get an answer: ticket {ticket.number}"
    assert mail.to == ["carla@customers.example"]
    assert "A person answers you by" in mail.body
    assert f"/t/{ticket.public_id}/#" in mail.body
    assert mail.extra_headers["In-Reply-To"] == postmarks.message_id(ticket, 0)


def test_outside_the_hours_at_once_and_for_open_time(
    world: World, forsaken: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    office(world.refund)
    Route.objects.filter(topic=world.refund).update(answer_minutes=120)
    kept.forget()
    monkeypatch.setattr(answers, "timezone", SimpleNamespace(now=lambda: SUNDAY_EVENING))
    assert answers.answers_promise() == 1
    assert PromisedAnswer.objects.get().due_at == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # Monday, 10:00


@pytest.mark.parametrize("reason", ["no address", "mails stopped", "none by the route", "somebody came"])
def test_nothing_is_promised(world: World, forsaken: Ticket, reason: str) -> None:
    minute_later()
    if reason == "no address":
        Customer.objects.update(email="")
    elif reason == "mails stopped":
        ticket_mails_choose(ticket=forsaken, on=False)
    elif reason == "none by the route":
        Route.objects.update(answer_minutes=0)
        kept.forget()
    else:
        Person(world, "Anna").online()
        match_pool(world.pool.pk)
    answers.look()
    assert not PromisedAnswer.objects.exists()
    assert Ticket.objects.get().answer_due_at is None
    assert "ticket.answer_promised" not in types(forsaken)


def promised(ticket: Ticket) -> PromisedAnswer:
    minute_later()
    assert answers.answers_promise() == 1
    return PromisedAnswer.objects.get()


@pytest.mark.parametrize("in_time", [True, False])
def test_a_persons_first_words_keep_it(world: World, forsaken: Ticket, in_time: bool) -> None:
    row = promised(forsaken)
    if not in_time:
        PromisedAnswer.objects.update(due_at=row.made_at)
    anna = Person(world, "Anna").online()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.agent.pk, epoch=anna.epoch)
    assert answers.answers_end() == 0  # that somebody reads it is no answer yet
    desk.reply(agent=anna.agent, epoch=anna.epoch, ticket_id=forsaken.pk, body="Here I am")
    assert answers.answers_end() == 1
    row.refresh_from_db()
    assert row.in_time is in_time
    assert row.ended_at is not None
    assert Ticket.objects.get().answer_due_at is None
    last = forsaken.events.order_by("-seq")[0]
    assert (last.type, last.data) == ("ticket.answer_kept", {"in_time": in_time})
    assert answers.answers_end() == 0
    assert answers.record(row.made_at) == {"made": 1, "kept": in_time, "late": not in_time, "open": 0}


def test_who_needs_nothing_any_more_ends_it(forsaken: Ticket) -> None:
    row = promised(forsaken)
    ticket_close(ticket=forsaken)
    assert answers.answers_end() == 1
    row.refresh_from_db()
    assert (row.kept_at, row.in_time) == (None, None)
    assert Ticket.objects.get().answer_due_at is None
    assert answers.record(row.made_at) == {"made": 1, "kept": 0, "late": 0, "open": 0}


def test_who_was_gone_only_after_its_time_makes_it_late(forsaken: Ticket) -> None:
    row = promised(forsaken)
    PromisedAnswer.objects.update(due_at=row.made_at)
    assert answers.record(row.made_at) == {"made": 1, "kept": 0, "late": 1, "open": 0}
    ticket_close(ticket=forsaken)
    assert answers.answers_end() == 1
    assert answers.record(row.made_at) == {"made": 1, "kept": 0, "late": 1, "open": 0}


def test_no_mail_is_sent_or_spoken_of_once_mails_are_stopped(forsaken: Ticket, client: Client) -> None:
    """One came back, or the customer wants none: the time stands, and the answer is found by the link."""
    row = promised(forsaken)
    client.cookies[f"t-{forsaken.public_id}"] = token_of(forsaken)
    page = f"/t/{forsaken.public_id}/"
    assert "A person answers you by mail" in client.get(page).content.decode()
    away.bounced(ticket=forsaken, reason="No such user", key="b1")
    outbox.outbox.clear()
    assert answers.mails_due() == []
    assert not answers.mail_send(answer_id=row.pk)
    row.refresh_from_db()
    assert (row.mailed_at, row.ended_at, outbox.outbox) == (None, None, [])
    said = client.get(page).content.decode()
    assert "You find the answer here; no mail goes out for this ticket." in said
    assert "by mail" not in said
    ticket_mails_choose(ticket=forsaken, on=True)
    assert answers.mails_due() == [row.pk]


def page_of(ticket: Ticket, client: Client) -> str:
    client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    return " ".join(client.get(f"/t/{ticket.public_id}/").content.decode().split())


def test_who_left_no_address_is_invited_and_told_the_time(forsaken: Ticket, client: Client) -> None:
    Customer.objects.update(email="")
    before = timezone.now()
    page = page_of(forsaken, client)
    assert "Leave your e-mail address now, and a person answers you by <time" in page
    [said] = re.findall(r'<time datetime="([^"]+)" data-near>', page)
    due = datetime.fromisoformat(said)
    assert before + timedelta(minutes=240) <= due <= before + timedelta(minutes=256)
    assert due == answers.due_at(forsaken.topic_id, before)
    minute_later()
    assert answers.answers_promise() == 0  # an answer by mail needs an address

    client.post(f"/t/{forsaken.public_id}/address", {"email": "carla@customers.example"})
    page = page_of(forsaken, client)
    assert "Leave your e-mail address" not in page
    assert "we tell you here and by mail by when you get an answer" in page
    answers.look()
    assert PromisedAnswer.objects.get().due_at == due
    assert "A person answers you by mail, by <time" in page_of(forsaken, client)


def test_without_a_time_by_the_route_the_invitation_names_none(forsaken: Ticket, client: Client) -> None:
    Customer.objects.update(email="")
    Route.objects.update(answer_minutes=0)
    kept.forget()
    page = page_of(forsaken, client)
    assert "Leave your e-mail address, and the answer comes to you by mail." in page
    assert "data-near" not in page
    Customer.objects.update(email="carla@customers.example")
    assert "by when you get an answer" not in page_of(forsaken, client)


def test_who_is_not_forsaken_is_not_invited(world: World, client: Client) -> None:
    ticket = world.ticket()
    Customer.objects.update(email="")
    assert "Leave your e-mail address" not in page_of(ticket, client)


def test_of_two_workers_one_promises_and_one_ends(forsaken: Ticket) -> None:
    row = promised(forsaken)
    assert not answers.answer_promise(ticket_id=forsaken.pk, due_at=row.due_at)
    with pytest.raises(IntegrityError), transaction.atomic():
        PromisedAnswer.objects.create(ticket=forsaken, due_at=row.due_at)
    assert answers.answer_end(answer_id=row.pk, kept_at=row.made_at)
    assert not answers.answer_end(answer_id=row.pk, kept_at=None)
    assert types(forsaken).count("ticket.answer_kept") == 1


def test_a_mail_that_was_refused_goes_again(forsaken: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    row = promised(forsaken)

    def refuse(*_: Any) -> int:
        raise OSError

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    assert not answers.mail_send(answer_id=row.pk)
    monkeypatch.undo()
    assert answers.mails_due() == []  # not before a minute has gone by
    earlier(PromisedAnswer, "mail_next_at", timedelta(minutes=1, seconds=1))
    assert answers.mails_due() == [row.pk]
    assert answers.mail_send(answer_id=row.pk)
    assert answers.mails_due() == []


def test_leads_are_told_of_a_late_one(forsaken: Ticket, leads: list[User]) -> None:
    promised(forsaken)
    outbox.outbox.clear()
    tasks.alerts_mail()
    assert [mail.subject for mail in outbox.outbox if "answer" in mail.subject] == []
    earlier(PromisedAnswer, "due_at", timedelta(hours=5))
    outbox.outbox.clear()
    tasks.alerts_mail()
    assert alerts.Alert.objects.filter(kind="answer_late", closed_at=None).count() == 1
    [english] = [
        mail for mail in outbox.outbox if mail.bcc == ["ned@leads.example"] and "late" in mail.subject
    ]
    assert english.subject == "A promised answer is late"
    assert f"{forsaken.number} · Refund" in english.body
    assert "/lead/promise" in english.body
