"""Nobody left to offer a ticket to: an alert while it lasts, seldom a mail to the leads; what the customer is told is kept."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from agents.models import Agent, User
from dispatch import alerts, presence, tasks
from dispatch.models import Alert, Offer
from dispatch.runs import match_pool
from tests.cast import World
from tickets.access import token_of
from tickets.models import Ticket
from tickets.reading import status_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads() -> list[User]:
    """Lea reads German, Ned English; Olga has left, and Paul is no lead."""
    group = Group.objects.create(name="Those who lead")
    group.permissions.add(Permission.objects.get(codename="be_alerted"))
    found = []
    for name, language, active in (("lea", "de", True), ("ned", "en", True), ("olga", "en", False)):
        user = User.objects.create_user(f"{name}@leads.example", "x", language=language, is_active=active)
        user.groups.add(group)
        found.append(user)
    User.objects.create_user("paul@agents.example", "x")
    User.objects.create_superuser("root@admins.example", "x")
    return found


def flagged(world: World, text: str = "Where is my refund?") -> Ticket:
    """A ticket that nobody could take, after the run that found so."""
    ticket = world.ticket(text)
    match_pool(world.pool.pk)
    ticket.refresh_from_db()
    assert ticket.flagged_at is not None
    return ticket


def there(world: World, name: str = "Anna") -> Agent:
    agent = world.agents.get(name) or world.agent(name)
    presence.go_online(agent_id=agent.pk)
    return agent


def told() -> list[tuple[str, list[str]]]:
    """(subject, to whom) of what was mailed, and forgets it."""
    found = [(mail.subject, sorted(mail.bcc)) for mail in outbox.outbox]
    outbox.outbox.clear()
    return found


def beat() -> None:
    tasks.tick()
    tasks.alerts_mail()


def earlier(minutes: int) -> None:
    """As if everything about alerts had happened so much earlier."""
    ago = timedelta(minutes=minutes)
    Alert.objects.update(
        opened_at=F("opened_at") - ago, closed_at=F("closed_at") - ago, mailed_at=F("mailed_at") - ago
    )


def test_leads_are_told_once_when_it_begins_and_once_when_it_is_over(world: World, leads: list[User]) -> None:
    flagged(world)
    flagged(world, "And mine?")
    beat()
    alert = Alert.objects.get()
    assert (alert.kind, alert.subject, alert.closed_at) == ("nobody_left", "refund", None)
    german, english = outbox.outbox
    assert (german.to, german.bcc, english.bcc) == ([], ["lea@leads.example"], ["ned@leads.example"])
    assert english.subject == "Nobody is online for “Refund”: 2 customers wait"
    assert german.subject == "Niemand ist online für „Erstattung“: 2 Kunden warten"
    assert "2 customers wait, the first since" in english.body
    assert "/admin/tickets/ticket/?state__exact=waiting&flagged_at__isempty=0" in english.body
    assert "Where is my refund" not in english.body  # nothing of the customer leaves by mail
    outbox.outbox.clear()
    beat()
    beat()
    assert told() == []
    there(world)
    match_pool(world.pool.pk)
    beat()
    alert.refresh_from_db()
    assert alert.closed_at is not None
    assert told() == [
        ("Jemand kann wieder helfen: Erstattung", ["lea@leads.example"]),
        ("Somebody can help again: Refund", ["ned@leads.example"]),
    ]
    beat()
    assert told() == []
    assert Alert.objects.count() == 1


def test_at_most_one_mail_a_topic_and_quarter_hour(world: World, leads: list[User]) -> None:
    flagged(world)
    beat()
    assert len(told()) == 2
    Ticket.objects.update(state="closed", closed_at=Now())
    beat()
    assert len(told()) == 2  # it is over
    flagged(world)
    beat()
    assert told() == []
    assert (
        Alert.objects.filter(closed_at__isnull=True, mailed_at__isnull=True).count() == 1
    )  # on record all the same
    earlier(16)
    beat()
    assert [to for _subject, to in told()] == [["lea@leads.example"], ["ned@leads.example"]]


def test_what_was_over_before_it_was_mailed_is_not_mailed(world: World, leads: list[User]) -> None:
    flagged(world)
    tasks.tick()
    Ticket.objects.update(state="closed", closed_at=Now())
    beat()
    assert told() == []
    assert Alert.objects.filter(closed_at__isnull=False, mailed_at__isnull=True).count() == 1


def test_another_topic_is_another_alert(world: World, leads: list[User]) -> None:
    flagged(world)
    beat()
    assert len(told()) == 2
    world.ticket(topic=world.card)
    unsure = world.ticket()
    Ticket.objects.filter(pk=unsure.pk).update(topic=None)
    match_pool(world.pool.pk)
    beat()
    assert sorted(Alert.objects.values_list("subject", flat=True)) == ["", "card", "refund"]
    assert {subject for subject, _to in told()} >= {
        "Nobody is online for “Card”: 1 customer waits",
        "Nobody is online for “no topic”: 1 customer waits",
    }


def test_without_leads_the_admins_are_told(world: World) -> None:
    User.objects.create_superuser("root@admins.example", "x")
    flagged(world)
    beat()
    assert [to for _subject, to in told()] == [["root@admins.example"]]


def test_an_address_that_no_mail_can_have_keeps_nobody_from_being_told(
    world: World, leads: list[User], caplog: pytest.LogCaptureFixture
) -> None:
    lea, ned, _olga = leads
    User.objects.filter(pk=lea.pk).update(email=f"lea@{'ä' * 63}.example")
    flagged(world)
    beat()
    assert [to for _subject, to in told()] == [[ned.email]]
    assert f"account {lea.pk} has an address to which no mail can be sent" in caplog.text
    # Where none of those who lead can be reached, the admins are told.
    User.objects.filter(pk=ned.pk).update(email="nöd@leads.example")
    assert [user.email for user in alerts.recipients()] == ["root@admins.example"]


def test_a_mail_that_was_refused_is_tried_again(
    world: World, leads: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    flagged(world)

    def refuse(self: EmailBackend, messages: object) -> int:
        raise OSError

    with monkeypatch.context() as away:
        away.setattr(EmailBackend, "send_messages", refuse)
        beat()
    assert told() == []
    assert Alert.objects.get().mailed_at is None
    beat()
    assert len(told()) == 2


def test_each_mail_is_claimed_once(world: World, leads: list[User]) -> None:
    flagged(world)
    tasks.tick()
    [alert_id] = alerts.due()
    assert alerts.alert_mail(alert_id=alert_id)
    assert not alerts.alert_mail(alert_id=alert_id)
    assert alerts.due() == []


def test_two_workers_open_one(world: World) -> None:
    flagged(world)
    alerts.nobody_left_refresh()
    Alert.objects.bulk_create([Alert(kind="nobody_left", subject="refund")], ignore_conflicts=True)
    assert Alert.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(kind="nobody_left", subject="refund")


def test_admins_see_them_and_change_nothing(admin_client: Client, world: World) -> None:
    flagged(world)
    tasks.tick()
    page = admin_client.get("/admin/dispatch/alert/").content.decode()
    assert "nobody left" in page
    assert "refund" in page
    assert admin_client.get("/admin/dispatch/alert/add/").status_code == 403


class TestTheCustomer:
    def test_is_told_honestly(self, client: Client, world: World) -> None:
        ticket = flagged(world)
        assert status_of(ticket).kind == "nobody"
        client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
        page = " ".join(client.get(f"/t/{ticket.public_id}/").content.decode().split())
        assert "Nobody who can help with this is online right now" in page
        assert (
            "Your ticket keeps its place and goes to the first fitting person who comes. You can leave: your link"
            " brings you back."
        ) in page
        german = client.get(f"/t/{ticket.public_id}/", headers={"Accept-Language": "de"}).content.decode()
        assert "Gerade ist niemand online, der hierbei helfen kann" in german

    def test_and_the_promise_is_kept(self, world: World) -> None:
        """It keeps its place, and goes to the first fitting person who comes: not to who does not fit, before any younger."""
        ticket = flagged(world)
        since = ticket.waiting_since
        Ticket.objects.filter(pk=ticket.pk).update(waiting_since=since - timedelta(minutes=1))
        presence.go_online(agent_id=world.agent("Ben", payments=0).pk)
        younger = flagged(world, "Mine came later.")
        assert not Offer.objects.exists()
        anna = there(world)
        match_pool(world.pool.pk)
        offer = Offer.objects.get()
        assert (offer.ticket_id, offer.agent_id) == (ticket.pk, anna.pk)
        ticket.refresh_from_db()
        assert (ticket.flagged_at, ticket.waiting_since) == (None, since - timedelta(minutes=1))
        younger.refresh_from_db()
        assert younger.flagged_at is None
