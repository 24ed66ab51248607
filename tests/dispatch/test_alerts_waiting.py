"""Escalations and questions wait for a person: leads are mailed, seldom, about all that came since."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from agents import rights
from agents.models import User
from dispatch import alerts, passing, tasks
from dispatch.models import Alert, AlertRule, Escalation
from tests.cast import World
from tests.console import Person
from tests.dispatch.scenes import earlier
from tests.dispatch.test_alerts import leads
from tests.tickets.mail_styles import plain
from tickets import kept
from tickets.inbox.taking import mail_take
from tickets.models import MailIn, Ticket

pytestmark = pytest.mark.django_db
assert leads


def escalated(person: Person, text: str) -> Escalation:
    ticket = person.holding(text=text)
    passing.escalate(
        agent=person.agent, epoch=person.epoch, ticket_id=ticket.pk, reason="Card 1234: please look."
    )
    return Escalation.objects.get(ticket=ticket)


def told() -> list[tuple[str, list[str]]]:
    """(subject, to whom) of what was mailed, and forgets it."""
    tasks.alerts_mail()
    found = [(mail.subject, mail.bcc) for mail in outbox.outbox]
    outbox.outbox.clear()
    return found


def test_once_for_each_with_nothing_of_the_customers(world: World, leads: list[User]) -> None:
    anna = Person(world, "Anna").online()
    first = escalated(anna, "Where is my refund?")
    tasks.alerts_mail()
    german, english = outbox.outbox
    assert (german.bcc, english.bcc) == (["lea@leads.example"], ["ned@leads.example"])
    assert english.subject == "An agent asks you to look at a ticket"
    assert f"{first.ticket.number} · Refund · Anna" in english.body
    assert "/lead/escalations" in english.body
    assert "Where is my refund" not in english.body + german.body
    assert "please look" not in english.body + german.body
    outbox.outbox.clear()
    assert told() == []


def test_what_comes_soon_after_waits_and_comes_together(world: World, leads: list[User]) -> None:
    anna = Person(world, "Anna").online()
    escalated(anna, "One")
    assert len(told()) == 2
    second, third = escalated(anna, "Two"), escalated(anna, "Three")
    assert told() == []
    earlier(Alert, "mailed_at", alerts.SELDOM + timedelta(seconds=1))
    tasks.alerts_mail()
    assert [mail.subject for mail in outbox.outbox][1] == "Agents ask you to look at 2 tickets"
    assert second.ticket.number in outbox.outbox[1].body
    assert third.ticket.number in outbox.outbox[1].body
    outbox.outbox.clear()
    assert told() == []


def test_what_was_settled_before_anybody_was_told_is_not_mailed(world: World, leads: list[User]) -> None:
    anna = Person(world, "Anna").online()
    first = escalated(anna, "One")
    assert len(told()) == 2
    passing.escalation_settle(escalation_id=first.pk, lead=leads[0])
    second = escalated(anna, "Two")
    assert told() == []
    passing.escalation_settle(escalation_id=second.pk, lead=leads[0])
    earlier(Alert, "mailed_at", alerts.SELDOM + timedelta(seconds=1), mailed_at__isnull=False)
    assert told() == []  # and nobody is told that it is over
    assert Alert.objects.filter(closed_at__isnull=True).count() == 0


def test_a_server_that_refuses_is_asked_again(
    world: World, leads: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    escalated(Person(world, "Anna").online(), "One")

    def refuse(self: EmailBackend, messages: object) -> int:
        raise OSError("no route")

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refuse)
        assert told() == []
    assert len(told()) == 2


def test_a_question_of_an_agent_is_a_kind_of_its_own(world: World, leads: list[User]) -> None:
    anna = Person(world, "Anna").online()
    escalated(anna, "One")
    rights.inquiry_ask(agent_id=anna.agent.pk, kind="pay", text="Why so little?")
    tasks.alerts_mail()
    subjects = [mail.subject for mail in outbox.outbox if mail.bcc == ["ned@leads.example"]]
    assert sorted(subjects) == ["An agent asks you to look at a ticket", "An agent has a question"]
    assert not any("Why so little?" in mail.body for mail in outbox.outbox)


def test_leads_are_told_of_mail_that_is_held_until_somebody_has_decided(
    world: World, leads: list[User], settings: Any
) -> None:
    settings.MAIL_IN_PER_HOUR = 0
    for number in (1, 2):
        mail_take(plain("Hello").replace(b"<one@", f"<{number}@".encode()))
    tasks.alerts_mail()
    english = outbox.outbox[1]
    assert english.subject == "2 mails of customers are held"
    assert "/admin/tickets/mailin/" in english.body
    assert "Hello" not in english.body
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss@staff.example", "x"))
    first, second = MailIn.objects.order_by("id").values_list("pk", flat=True)
    page = "/admin/tickets/mailin/"
    boss.post(page, {"action": "let_in", "_selected_action": [first]})
    boss.post(page, {"action": "drop", "_selected_action": [second], "sure": "yes"})  # it asks first
    assert Ticket.objects.count() == 1
    assert told() != []  # forgets what was mailed
    assert not Alert.objects.filter(kind="mail_held", closed_at=None).exists()


HOURS = timedelta(hours=4, seconds=1)  # dispatch/rules/alerting.py


def test_what_still_waits_is_told_again_together_until_somebody_sees_to_it(
    world: World, leads: list[User]
) -> None:
    anna = Person(world, "Anna").online()
    first = escalated(anna, "One")
    assert len(told()) == 2
    earlier(Alert, "mailed_at", timedelta(hours=2))
    earlier(Alert, "told_at", timedelta(hours=2))
    second = escalated(anna, "Two")
    assert [subject for subject, to in told() if to == ["ned@leads.example"]] == [
        "An agent asks you to look at a ticket"  # of the second; that of the first is not due
    ]
    earlier(Alert, "mailed_at", timedelta(hours=2, seconds=1))
    earlier(Alert, "told_at", timedelta(hours=2, seconds=1))
    tasks.alerts_mail()
    again = outbox.outbox[1]
    assert again.subject == "Still open: Agents ask you to look at 2 tickets"
    assert first.ticket.number in again.body
    assert second.ticket.number in again.body
    assert "again-" in again.extra_headers["Message-ID"]
    outbox.outbox.clear()
    assert told() == []
    lead = leads[0]
    lead.user_permissions.add(Permission.objects.get(codename="intervene"))
    alerts.acknowledge(
        lead=User.objects.get(pk=lead.pk), alert_id=Alert.objects.get(subject=str(first.pk)).pk
    )
    earlier(Alert, "told_at", HOURS)
    tasks.alerts_mail()
    assert outbox.outbox[1].subject == "Still open: An agent asks you to look at a ticket"
    assert first.ticket.number not in outbox.outbox[1].body
    passing.escalation_settle(escalation_id=second.pk, lead=lead)
    earlier(Alert, "told_at", HOURS)
    outbox.outbox.clear()
    assert told() == []


def test_a_rule_says_how_often_and_whether_at_all(world: World, leads: list[User]) -> None:
    rule = AlertRule.objects.create(kind="escalation", repeat_minutes=0)
    kept.forget()
    escalated(Person(world, "Anna").online(), "One")
    assert len(told()) == 2
    earlier(Alert, "told_at", timedelta(days=2))
    assert told() == []
    AlertRule.objects.filter(pk=rule.pk).update(repeat_minutes=60)
    kept.forget()
    assert len(told()) == 2
    AlertRule.objects.filter(pk=rule.pk).update(active=False)
    kept.forget()
    assert told() == []
    assert not Alert.objects.filter(closed_at__isnull=True).exists()


def test_a_refused_repeat_is_tried_again(
    world: World, leads: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    escalated(Person(world, "Anna").online(), "One")
    assert len(told()) == 2
    earlier(Alert, "told_at", HOURS)
    before = Alert.objects.get().told_at

    def refuse(self: EmailBackend, messages: object) -> int:
        raise OSError("no route")

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refuse)
        assert told() == []
    assert Alert.objects.get().told_at == before
    assert len(told()) == 2
