"""Customers who come back: their tickets above the form, links by mail, confirmed addresses, and rows that are joined."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from config.throttles import Scoped
from dispatch import merging
from tests.callers import customer_of
from tests.cast import World
from tests.untouched import nothing_changed
from tickets import mail, postmarks, returning, tasks
from tickets.access import token_of
from tickets.erasing import ticket_erase
from tickets.intake import ticket_open
from tickets.models import Author, Channel, Customer, LinkRequest, Message, Ticket
from tickets.redis import client as redis

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "carla@customers.example"


def know(client: Client, *tickets: Ticket) -> None:
    for ticket in tickets:
        client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)


def text(client: Client, path: str = "/") -> str:
    page = client.get(path, headers={"accept-language": "en"}).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def links_in(body: str) -> dict[str, str]:
    """Public id → what stands behind the #."""
    return dict(re.findall(r"/t/(\w+)/#(\S+)", body))


def enter(client: Client, ticket: Ticket, token: str) -> int:
    return client.post(f"/t/{ticket.public_id}/enter", {"token": token}).status_code


class TestByCookie:
    def test_open_tickets_stand_above_the_form_with_what_is_unread(
        self, client: Client, world: World
    ) -> None:
        assert "Your open tickets" not in text(client)
        first, second = world.ticket(), world.ticket("My card", topic=world.card)
        for seq, internal in ((3, False), (4, True), (5, False)):
            Message.objects.create(
                ticket=first, seq=seq, author=Author.AGENT, author_name="Anna", body="Hm", internal=internal
            )
        Ticket.objects.filter(pk=first.pk).update(read_by_customer=3)
        know(client, first, second)
        page = text(client)
        assert f"Your open tickets {second.number} · Card Waits for a person Go on : {second.number}" in page
        assert f"{first.number} · Refund Waits for a person 1 new answer Go on" in page
        assert client.get("/")["Cache-Control"] == "no-store"

    def test_ended_ones_of_the_last_week_only_and_no_erased_one(self, client: Client, world: World) -> None:
        late, old, gone = world.ticket(), world.ticket(), world.ticket()
        now = timezone.now()
        Ticket.objects.filter(pk=late.pk).update(state="resolved", resolved_at=now)
        week = now - timedelta(days=8)
        Ticket.objects.filter(pk=old.pk).update(state="closed", closed_at=week)
        know(client, late, old, gone)
        ticket_erase(ticket=gone)
        page = text(client)
        assert f"Ended of late {late.number} · Refund Resolved Look again" in page
        assert old.number not in page
        assert gone.number not in page

    def test_a_foreign_or_withdrawn_token_shows_nothing(self, client: Client, world: World) -> None:
        mine, theirs = world.ticket(), world.ticket()
        client.cookies[f"t-{theirs.public_id}"] = token_of(mine)
        client.cookies[f"t-{mine.public_id}"] = token_of(mine)
        Ticket.objects.filter(pk=mine.pk).update(access_version=2)
        assert "Your open tickets" not in text(client)

    def test_ten_are_looked_at_by_one_query(
        self, client: Client, world: World, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        tickets = [world.ticket() for _ in range(12)]
        tokens = {ticket.public_id: token_of(ticket) for ticket in tickets}
        with django_assert_num_queries(1):
            found = returning.tickets_of(tokens)
        assert [one.ticket.pk for one in found] == [ticket.pk for ticket in reversed(tickets[2:])]


class TestByMail:
    def test_the_answer_is_the_same_and_only_known_ones_get_a_mail(
        self, client: Client, world: World, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        ticket, old = world.ticket(), world.ticket("Of long ago")
        before = timezone.now() - timedelta(days=31)
        Ticket.objects.filter(pk=old.pk).update(state="closed", closed_at=before, created_at=before)
        answers = []
        for address in ("Carla@Customers.example", "nobody@customers.example"):
            with django_assert_num_queries(1):  # one row, whoever it is: the answer's time tells nothing
                answer = client.post("/links", {"email": address})
            answers.append((answer.status_code, answer["Location"], answer.content))
        assert answers[0] == answers[1] == (303, "/links?asked", b"")
        assert "If we know this address, a mail is on its way." in text(client, "/links?asked")
        assert outbox.outbox == []
        Ticket.objects.update(link_mailed_at=timezone.now())
        tasks.mail_due()
        tasks.mail_due()
        [sent] = outbox.outbox
        assert sent.to == [ADDRESS]
        assert list(links_in(str(sent.body))) == [ticket.public_id]
        assert list(LinkRequest.objects.values_list("email", flat=True)) == ["", ""]
        LinkRequest.objects.update(asked_at=timezone.now() - timedelta(days=2))
        tasks.mail_due()
        assert not LinkRequest.objects.exists()

    def test_a_wrong_address_and_too_many_change_nothing(
        self, client: Client, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        redis().flushdb()
        monkeypatch.setattr(Scoped, "THROTTLE_RATES", {"links": "3/min", "links_address": "1/min"})
        with nothing_changed():
            assert client.post("/links", {"email": "carla"}).status_code == 422
        assert client.post("/links", {"email": ADDRESS}).status_code == 303
        with nothing_changed():
            answer = client.post("/links", {"email": ADDRESS.upper()})  # one address is one count
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 60
        assert ADDRESS.upper() in answer.content.decode()
        assert client.post("/links", {"email": "other@customers.example"}).status_code == 303
        with nothing_changed():
            assert client.post("/links", {"email": "third@customers.example"}).status_code == 429


def confirmed(client: Client, ticket: Ticket) -> None:
    """Its customer comes by the mail that says the link."""
    outbox.outbox.clear()
    Ticket.objects.filter(pk=ticket.pk).update(link_mailed_at=None)
    assert mail.link_send(ticket_id=ticket.pk)
    assert enter(client, ticket, links_in(str(outbox.outbox[-1].body))[ticket.public_id]) == 303


class TestConfirming:
    def test_the_mailed_link_confirms_and_the_pages_own_does_not(self, client: Client, world: World) -> None:
        ticket = world.ticket()
        know(client, ticket)
        page = client.get(f"/t/{ticket.public_id}/").content.decode()
        assert "~" not in links_in(page.replace('"', " "))[ticket.public_id]
        assert enter(client, ticket, token_of(ticket)) == 303
        assert enter(client, ticket, f"{token_of(ticket)}~{'x' * 22}") == 303
        assert Customer.objects.get().confirmed_at is None
        assert f"m-{ticket.public_id}" not in client.cookies
        confirmed(client, ticket)
        assert Customer.objects.get().confirmed_at is not None
        assert client.cookies[f"m-{ticket.public_id}"]["httponly"]

    def test_the_same_confirmed_address_is_one_customer(self, client: Client, world: World) -> None:
        first, second, third = world.ticket(), world.ticket(), world.ticket()
        Customer.objects.filter(pk=second.customer_id).update(email="CARLA@customers.example")
        confirmed(client, Ticket.objects.get(pk=second.pk))
        assert Ticket.objects.values("customer").distinct().count() == 3  # nobody else is confirmed yet
        confirmed(client, first)
        assert list(Ticket.objects.order_by("pk").values_list("customer_id", flat=True)) == [
            first.customer_id,
            first.customer_id,
            third.customer_id,
        ]
        left = Customer.objects.get(pk=second.customer_id)
        assert (left.name, left.email, left.confirmed_at) == ("", "", None)
        with nothing_changed():
            confirmed_again = returning.confirm(
                ticket=Ticket.objects.select_related("customer").get(pk=third.pk), proof="nothing"
            )
        assert not confirmed_again

    def test_the_keys_of_who_typed_the_address_end_with_it(
        self, client: Client, world: World, settings: Any
    ) -> None:
        """Mallory opens a ticket under Carla's address; Carla looks at what was mailed to her."""
        settings.MAIL_IN_SECRET, settings.MAIL_IN = "secret", True
        carlas, mallorys = world.ticket(), world.ticket()
        confirmed(client, carlas)
        customer = Customer.objects.get(pk=mallorys.customer_id)
        customer.name = "M"
        customer.save()
        mallory = Client()
        know(mallory, mallorys)
        with_api = customer_of(mallorys)
        other_device = Client()
        confirmed(other_device, mallorys)
        sent = outbox.outbox[-1]
        after = Ticket.objects.select_related("customer").get(pk=mallorys.pk)
        assert (after.access_version, after.version_before, after.customer_id) == (2, 1, carlas.customer_id)
        assert other_device.get(f"/t/{mallorys.public_id}/").status_code == 200
        assert "carla@" in other_device.get(f"/work-with-us/from/{mallorys.public_id}").content.decode()
        for path in (f"/work-with-us/from/{mallorys.public_id}", f"/t/{mallorys.public_id}/news"):
            assert mallory.get(path).status_code == 404
        assert "Open your ticket" in text(mallory, f"/t/{mallorys.public_id}/")
        assert with_api.ask(f"tickets/{mallorys.public_id}").status_code == 404
        answer = mallory.post(f"/t/{mallorys.public_id}/enter", {"token": token_of(mallorys)})
        assert answer.status_code == 404
        assert 'href="/links"' in answer.content.decode()
        # What was mailed goes on, on a third device as well, and so do answers to it.
        third = Client()
        pasted = links_in(str(sent.body))[mallorys.public_id]
        assert enter(third, mallorys, pasted) == 303
        assert third.cookies[f"t-{mallorys.public_id}"].value == token_of(after)
        assert postmarks.ticket_by_mark(sent.reply_to) == after
        assert postmarks.message_id(after, 0) == sent.extra_headers["Message-ID"]
        assert Ticket.objects.get(pk=mallorys.pk).access_version == 2  # once
        assert mallorys.events.filter(type="ticket.link_renewed").count() == 1
        with nothing_changed():
            assert enter(Client(), mallorys, f"{token_of(mallorys)}~{'x' * 22}") == 404
        # Whatever else ends the links ends those as well.
        Ticket.objects.filter(pk=mallorys.pk).update(access_version=3)
        with nothing_changed():
            assert enter(Client(), mallorys, pasted) == 404
            assert postmarks.ticket_by_mark(sent.reply_to) is None

    def test_who_has_the_key_already_keeps_it(self, client: Client, world: World) -> None:
        ticket = world.ticket()
        know(client, ticket)
        confirmed(client, ticket)
        assert Customer.objects.get().confirmed_at is not None
        after = Ticket.objects.get()
        assert (after.access_version, after.version_before) == (1, None)
        assert client.cookies[f"t-{ticket.public_id}"].value == token_of(ticket)

    def test_erasing_a_joined_one_leaves_nothing_with_the_last(self, client: Client, world: World) -> None:
        first, second = world.ticket(), world.ticket()
        stale = Ticket.objects.select_related("customer").get(pk=second.pk)
        confirmed(client, first)
        confirmed(client, second)
        returning.links_ask(email=ADDRESS, language="en")
        assert ticket_erase(ticket=stale)  # read before it was joined
        assert Customer.objects.get(pk=first.customer_id).email == ADDRESS
        assert ticket_erase(ticket=first)
        assert set(Customer.objects.values_list("name", "email")) == {("", "")}
        assert not LinkRequest.objects.exists()


def test_newest_first_is_by_time_and_not_by_number(world: World) -> None:
    """A key lies in stock with its connection (tickets/writing.py): a later ticket of another one may have a lower number."""
    middle, newest, oldest = world.ticket(), world.ticket(), world.ticket()
    opened = timezone.now() - timedelta(hours=1)
    for minutes, ticket in enumerate((oldest, middle, newest)):
        Ticket.objects.filter(pk=ticket.pk).update(created_at=opened + timedelta(minutes=minutes))
    by_time = [newest, middle, oldest]
    tokens = {ticket.public_id: token_of(ticket) for ticket in by_time}
    assert [mine.ticket for mine in returning.tickets_of(tokens)] == by_time
    assert returning.links_of(ADDRESS) == by_time
    Ticket.objects.update(customer=oldest.customer)
    found = merging.others_of([Ticket.objects.get(pk=oldest.pk)], agent_id=0)
    assert found == {oldest.pk: [newest, middle]}


def test_a_practice_and_spam_are_never_mailed(world: World) -> None:
    spam = ticket_open(text="Pills", email=ADDRESS, channel=Channel.FORM).ticket
    Ticket.objects.filter(pk=spam.pk).update(state="closed", closed_at=timezone.now(), ended_as="spam")
    assert returning.links_of(ADDRESS) == []
