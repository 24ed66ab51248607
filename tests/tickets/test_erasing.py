"""A customer's data is deleted: nothing of it is found in the database or among the files; what others were paid for stays."""

from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.test import Client
from django.utils import timezone

from agents.models import LedgerEntry, User
from dispatch import alerts, desk, drafts, misuse, passing, tasks
from dispatch.errors import AlreadySettled
from dispatch.models import Alert, DraftKind, Escalation, Misuse, Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.callers import customer_of
from tests.cast import World
from tests.console import Person
from tests.dispatch.scenes import earlier
from tests.dispatch.test_erasure import everywhere
from tests.tickets.pages import at
from tests.tickets.test_mail_taking import answer
from tests.untouched import nothing_changed
from tickets import erasing, timeline
from tickets.access import token_of
from tickets.conversation import message_post
from tickets.errors import TicketClosed, TicketNotFound, TicketNotResolved
from tickets.inbox import taking
from tickets.intake import ticket_open
from tickets.lifecycle import ticket_rate, ticket_reopen, ticket_restore
from tickets.models import Author, Channel, Customer, EndedAs, MailIn, Message, Outcome, Ticket
from tickets.tasks import retention

pytestmark = pytest.mark.django_db(transaction=True)

MARKS = ["Zacharias", "zach@home.example", "Quittenbrot", "pear.txt"]


@pytest.fixture
def worked_on(world: World, settings: Any, tmp_path: Path) -> tuple[Person, Ticket]:
    """Zacharias has a file, an answer, a note, a draft and an escalation; Anna holds his ticket."""
    settings.MEDIA_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    }
    anna = Person(world, "Anna").online()
    browser = Client()
    sent = {
        "text": "My Quittenbrot is broken",
        "name": "Zacharias",
        "email": "zach@home.example",
        "topic": world.refund.key,
        "files": SimpleUploadedFile("pear.txt", b"a pear", "text/plain"),
    }
    assert browser.post("/", sent).status_code == 303
    match_pool(world.pool.pk)
    ticket = Ticket.objects.get()
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.agent.pk, epoch=anna.epoch)
    who = {"agent": anna.agent, "epoch": anna.epoch, "ticket_id": ticket.pk}
    desk.reply(**who, body="Dear Zacharias, what of the Quittenbrot?")
    desk.note(**who, body="Zacharias again")
    passing.escalate(**who, reason="Quittenbrot of Zacharias")
    drafts.keep(agent=anna.agent, ticket_id=ticket.pk, kind=DraftKind.MESSAGE, body="Zacharias, …")
    return anna, ticket


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_nothing_is_found_any_more(worked_on: tuple[Person, Ticket], tmp_path: Path) -> None:
    anna, ticket = worked_on
    desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
    ticket_rate(ticket=ticket, score=5, solved=True, comment="Thanks, Zacharias")
    assert everywhere(MARKS)
    assert len(files_of(tmp_path)) == 1
    paid = list(LedgerEntry.objects.values_list("reference", "amount_cents"))
    outbox.outbox.clear()
    assert erasing.ticket_erase(ticket=ticket)
    assert everywhere(MARKS) == {}
    assert files_of(tmp_path) == []
    assert list(LedgerEntry.objects.values_list("reference", "amount_cents")) == paid != []
    assert [mail.to for mail in outbox.outbox] == [["zach@home.example"]]
    assert outbox.outbox[0].subject == f"Your data was deleted: ticket {ticket.number}"
    assert not erasing.ticket_erase(ticket=ticket)
    after = Ticket.objects.get()
    assert (after.topic, after.state) == (ticket.topic, "resolved")
    assert after.resolved_at is not None
    assert ticket.events.filter(type="ticket.erased").count() == 1


def test_an_open_one_is_closed_by_it_and_its_agent_is_free(worked_on: tuple[Person, Ticket]) -> None:
    anna, ticket = worked_on
    erasing.ticket_erase(ticket=ticket)
    assert Ticket.objects.get().state == "closed"
    tasks.tick()
    assert not Offer.objects.filter(state__in=Offer.LIVE).exists()
    assert ticket.number not in anna.get().content.decode()


class TestItStaysEnded:
    """No lead, no mail and no old page brings an erased ticket back, and nothing is written into it."""

    @pytest.fixture
    def lead(self, world: World) -> User:
        return User.objects.create_user("lead@team.example", name="Lea")

    def ended(self, anna: Person, ticket: Ticket) -> Misuse:
        misuse.end_as(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk, kind=EndedAs.SPAM)
        return Misuse.objects.get()

    def test_control_what_was_ended_as_spam_waits_again_when_a_lead_takes_it_back(
        self, worked_on: tuple[Person, Ticket], lead: User
    ) -> None:
        flagged = self.ended(*worked_on)
        misuse.take_back(misuse_id=flagged.pk, lead=lead)
        assert Ticket.objects.get().state == "waiting"

    def test_what_was_asked_of_leads_is_settled_by_nobody(
        self, worked_on: tuple[Person, Ticket], lead: User
    ) -> None:
        _anna, ticket = worked_on
        flagged = self.ended(*worked_on)
        asked = Escalation.objects.get()
        erasing.ticket_erase(ticket=ticket)
        for row in (flagged, asked):
            row.refresh_from_db()
            assert (row.settled_at is None, row.settled_by) == (False, None)
        assert flagged.confirmed is None
        with nothing_changed():
            for settle in (misuse.take_back, misuse.confirm):
                with pytest.raises(AlreadySettled):
                    settle(misuse_id=flagged.pk, lead=lead, answer="Zacharias was right")
            with pytest.raises(AlreadySettled):
                passing.escalation_settle(escalation_id=asked.pk, lead=lead, answer="Zacharias may")
        alerts.waiting_refresh()
        assert not Alert.objects.filter(closed_at=None).exists()
        lead.is_staff = lead.is_superuser = True
        lead.save()
        browser = Client()
        browser.force_login(lead)
        for page in ("/lead/flagged", "/lead/escalations"):
            shown = browser.get(page)
            assert shown.status_code == 200
            assert ticket.number not in shown.content.decode()

    def test_each_step_asks_for_itself(self, worked_on: tuple[Person, Ticket], lead: User) -> None:
        anna, ticket = worked_on
        self.ended(anna, ticket)
        erasing.ticket_erase(ticket=ticket)
        with nothing_changed():
            with pytest.raises(TicketNotResolved), timeline.command():
                ticket_restore(ticket_id=ticket.pk, actor_id=lead.pk)
            with pytest.raises(TicketClosed), timeline.command():
                message_post(
                    ticket_id=ticket.pk,
                    author=Author.SYSTEM,
                    author_name="Lea",
                    body="Zacharias",
                    internal=True,
                    late=True,
                )
            for ended_as in ("spam", ""):
                Ticket.objects.update(ended_as=ended_as)
                with pytest.raises(TicketNotFound):
                    ticket_reopen(ticket=ticket, body="Zacharias again")
            Ticket.objects.update(ended_as="spam")
            # And the database for all that is yet to be written.
            with pytest.raises(IntegrityError, match="ticket_erased_has_ended"):
                Ticket.objects.update(state="waiting", ended_as="")

    def test_a_resolved_one_gets_no_comment(self, worked_on: tuple[Person, Ticket]) -> None:
        anna, ticket = worked_on
        desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
        erasing.ticket_erase(ticket=ticket)
        with nothing_changed(), pytest.raises(TicketNotResolved):
            ticket_rate(ticket=ticket, score=5, solved=True, comment="Thanks, Zacharias")

    def test_a_mail_whose_files_are_scanned_meanwhile_is_one_that_came_later(
        self, worked_on: tuple[Person, Ticket], settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _anna, ticket = worked_on
        settings.MAIL_IN = True
        ticket = Ticket.objects.select_related("customer").get(pk=ticket.pk)
        letter = answer(ticket, "And the Quittenbrot?", sender="zach@home.example")
        read = taking._files

        def meanwhile(mail: Any) -> Any:
            erasing.ticket_erase(ticket=ticket)
            return read(mail)

        monkeypatch.setattr(taking, "_files", meanwhile)
        taken = taking.mail_take(letter)
        first, second = Ticket.objects.order_by("pk")
        assert (first.state, first.erased_at is None) == ("closed", False)
        assert [message.body for message in first.messages.all()] == [erasing.GONE] * first.messages.count()
        assert (taken.outcome, taken.ticket, second.state) == (Outcome.OPENED, second, "waiting")
        assert second.messages.get().body == "x\n\nAnd the Quittenbrot?"

    def test_one_that_came_back_before_counts_as_not_erased(self, world: World) -> None:
        back, written, gone = world.ticket("Back"), world.ticket("Written"), world.ticket("Gone")
        for ticket in (written, gone):
            erasing.ticket_erase(ticket=ticket)
        Message.objects.create(
            ticket=written, seq=9, author=Author.SYSTEM, author_name="Lea", body="Hm", internal=True
        )
        migration = import_module("tickets.migrations.0027_addresses_erasing_mails")
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE tickets_ticket DROP CONSTRAINT ticket_erased_has_ended")
            Ticket.objects.filter(pk=back.pk).update(erased_at=timezone.now())
            cursor.execute(migration.CAME_BACK)
            schema = next(one for one in migration.Migration.operations if hasattr(one, "constraint"))
            with connection.schema_editor() as editor:
                editor.add_constraint(Ticket, schema.constraint)
        assert list(Ticket.objects.filter(erased_at__isnull=False)) == [gone]


def test_the_page_asks_once_more_and_the_link_opens_nothing_then(worked_on: tuple[Person, Ticket]) -> None:
    _anna, ticket = worked_on
    browser = Client()
    browser.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    assert (
        "Your question is then closed without an answer." in browser.get(at(ticket, "erase")).content.decode()
    )
    assert Customer.objects.get().name == "Zacharias"  # asking deletes nothing
    done = browser.post(at(ticket, "erase"))
    assert "Your data is deleted" in done.content.decode()
    assert done.cookies[f"t-{ticket.public_id}"].value == ""
    assert customer_of(ticket).ask(f"tickets/{ticket.public_id}").status_code == 404
    browser.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    assert browser.post(at(ticket, "erase")).status_code == 404


def test_of_two_tickets_of_one_customer_the_other_stays(world: World, client: Client) -> None:
    first, second = world.ticket(), world.ticket("And where is my card?")
    Ticket.objects.filter(pk=second.pk).update(customer=first.customer)
    client.cookies[f"t-{first.public_id}"] = token_of(first)
    asked = client.get(at(first, "erase")).content.decode()
    left = f"Your other tickets stay, and with them your name and your e-mail address: {second.number}."
    assert left in asked
    assert "all messages and files." in asked
    outbox.outbox.clear()
    done = client.post(at(first, "erase")).content.decode()
    assert left in done
    assert "nor your name" not in done
    [mail] = outbox.outbox
    assert left in mail.body
    assert "your name and your address. This" not in mail.body
    apart = Ticket.objects.select_related("customer").get(pk=first.pk).customer
    assert apart.pk != first.customer_id
    assert (apart.name, apart.email, apart.confirmed_at) == ("", "", None)
    assert Customer.objects.get(pk=first.customer_id).name == "Carla"
    assert second.messages.get().body == "And where is my card?"
    outbox.outbox.clear()
    erasing.ticket_erase(ticket=Ticket.objects.get(pk=second.pk))
    assert Customer.objects.get(pk=first.customer_id).name == ""
    assert "and so are your name and your address." in outbox.outbox[0].body


def test_what_was_merged_into_it_goes_with_it(world: World, client: Client) -> None:
    ticket, merged, other = world.ticket(), world.ticket("The same again"), world.ticket("Else")
    Ticket.objects.filter(pk__in=(merged.pk, other.pk)).update(customer=ticket.customer)
    Ticket.objects.filter(pk=merged.pk).update(
        state="closed", closed_at=timezone.now(), ended_as="merged", merged_into=ticket
    )
    client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    says = f"What was merged into it is deleted too: {merged.number}."
    assert says in client.get(at(ticket, "erase")).content.decode()
    outbox.outbox.clear()
    assert says in client.post(at(ticket, "erase")).content.decode()
    assert says in outbox.outbox[0].body
    assert merged.messages.get().body == erasing.GONE
    assert list(Ticket.objects.filter(erased_at__isnull=False).order_by("pk")) == [ticket, merged]
    assert merged.events.filter(type="ticket.erased").count() == 1
    assert Ticket.objects.get(pk=merged.pk).customer_id != other.customer_id
    assert Ticket.objects.get(pk=other.pk).customer.name == "Carla"
    # The other way round: the surviving one is another ticket, and stays.
    kept, gone = world.ticket("Survives"), world.ticket("Merged")
    Ticket.objects.filter(pk=gone.pk).update(
        customer=kept.customer,
        state="closed",
        closed_at=timezone.now(),
        ended_as="merged",
        merged_into=kept,
    )
    found = erasing.ticket_erase(ticket=Ticket.objects.get(pk=gone.pk))
    assert found == erasing.Reach([], [kept.number])
    assert kept.messages.get().body == "Survives"


def test_a_mail_that_was_held_goes_however_its_address_is_written(world: World) -> None:
    """A mail's sender is kept in small letters; what somebody types is not."""
    ticket = world.ticket()
    Customer.objects.filter(pk=ticket.customer_id).update(email="Carla@Customers.Example")
    mine, theirs = (
        MailIn.objects.create(
            key=name, sender=f"{name}@customers.example", subject=name, outcome="held", raw=b"words"
        )
        for name in ("carla", "boris")
    )
    erasing.ticket_erase(ticket=Ticket.objects.select_related("customer").get(pk=ticket.pk))
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.sender, mine.subject, mine.raw) == ("", "", None)
    assert (theirs.sender, theirs.subject, bytes(theirs.raw or b"")) == (
        "boris@customers.example",
        "boris",
        b"words",
    )


def test_what_is_kept_long_enough_goes_by_itself(world: World, settings: Any) -> None:
    settings.RETENTION_DAYS = 30
    old, young, waiting = world.ticket("Old"), world.ticket("Young"), world.ticket("Waiting")
    for ticket, days in ((old, 31), (young, 29)):
        Ticket.objects.filter(pk=ticket.pk).update(
            state="closed", closed_at=timezone.now() - timedelta(days=days)
        )
    earlier(Ticket, "created_at", timedelta(days=400))
    outbox.outbox.clear()
    retention()
    erased = Ticket.objects.filter(erased_at__isnull=False)
    assert list(erased) == [old]
    assert outbox.outbox == []
    assert Ticket.objects.get(pk=waiting.pk).messages.get().body == "Waiting"
    settings.RETENTION_DAYS = 0
    Ticket.objects.update(closed_at=timezone.now() - timedelta(days=4000))
    retention()
    assert list(erased) == [old]


def test_the_same_key_opens_a_new_ticket_afterwards(world: World) -> None:
    asked = {"text": "Hello", "channel": Channel.API, "key": "k1"}
    first = ticket_open(**asked).ticket
    erasing.ticket_erase(ticket=first)
    again = ticket_open(**asked)
    assert again.created
    assert again.ticket.pk != first.pk
