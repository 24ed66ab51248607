"""Ending a ticket as spam or abuse: what becomes of it, of the pay and the customer; what team leads make of it."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from agents.models import LedgerEntry, User
from dispatch import alerts, export, misuse, reviews
from dispatch.errors import AlreadySettled, NotHolder
from dispatch.models import Alert, Misuse, Offer, Review, Transfer
from dispatch.runs import match_pool
from tests.cast import World
from tests.console import Person, text_of
from tests.untouched import nothing_changed
from tickets import mail
from tickets.access import link_path
from tickets.errors import TicketEnded, TicketNotResolved
from tickets.lifecycle import ticket_rate, ticket_reopen
from tickets.models import EndedAs, Message, Ticket, TicketEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(world: World) -> Person:
    return Person(world, "Anna").online()


@pytest.fixture
def lead(world: World) -> User:
    made = User.objects.create_user("lead@team.example", name="Lea")
    made.user_permissions.add(
        *Permission.objects.filter(codename__in=("view_run", "view_misuse", "change_misuse"))
    )
    return made


def ended(anna: Person, kind: EndedAs = EndedAs.SPAM, note: str = "") -> Ticket:
    ticket = anna.holding(text="Cheap pills")
    misuse.end_as(agent=anna.agent, epoch=1, ticket_id=ticket.pk, kind=kind, note=note)
    return Ticket.objects.select_related("customer").get(pk=ticket.pk)


class TestEnding:
    def test_it_is_closed_paid_and_out_of_all_judging(self, anna: Person) -> None:
        ticket = ended(anna, note="The third today")
        assert (ticket.state, ticket.ended_as) == ("closed", "spam")
        offer = Offer.objects.get()
        assert (offer.state, offer.reason) == ("completed", "misuse")
        assert LedgerEntry.objects.get().amount_cents == 400
        made = Misuse.objects.get()
        assert (made.address, made.note) == ("carla@customers.example", "The third today")
        assert Message.objects.latest("pk").internal
        assert TicketEvent.objects.get(type="ticket.ended").data == {"kind": "spam"}
        reviews.draw()
        assert not Review.objects.exists()
        with nothing_changed(), pytest.raises(TicketNotResolved):
            ticket_rate(ticket=ticket, score=1, solved=False)
        assert mail.due_ticket_ids() == []  # not even the link: the address may be anybody's

    def test_its_customer_is_told_so_and_cannot_open_it_again(self, anna: Person, client: Client) -> None:
        ticket = ended(anna, EndedAs.ABUSE)
        with nothing_changed(), pytest.raises(TicketEnded):
            ticket_reopen(ticket=ticket)
        token = link_path(ticket).partition("#")[2]
        client.post(f"/t/{ticket.public_id}/enter", {"token": token})
        page = text_of(client.get(f"/t/{ticket.public_id}/"))  # type: ignore[arg-type]
        assert "We took what was written here for abuse of the person who answered." in page
        assert "Open a new ticket" in page
        for absent in ("How was it?", "Open the ticket again", "Work with us", "Message …"):
            assert absent not in page

    def test_the_one_who_ended_it_is_no_bond_for_the_next_time(self, anna: Person, world: World) -> None:
        first = ended(anna)
        again = world.ticket("Another")
        Ticket.objects.filter(pk=again.pk).update(customer=first.customer)
        match_pool(world.pool.pk)
        assert Offer.objects.get(ticket=again).why["terms"]["known"] == 0

    def test_somebody_elses_and_twice(self, anna: Person, world: World) -> None:
        bernd = Person(world, "Bernd").online()
        ticket = ended(anna)
        for person in (bernd, anna):
            with nothing_changed(), pytest.raises(NotHolder):
                misuse.end_as(agent=person.agent, epoch=1, ticket_id=ticket.pk, kind=EndedAs.SPAM)

    def test_by_the_form_a_kind_must_be_chosen(self, anna: Person) -> None:
        ticket = anna.holding()
        page = anna.client.post(
            f"/console/tickets/{ticket.public_id}/end", {"epoch": 1, "kind": "", "note": "Hm"}
        )
        assert page.status_code == 422
        assert "Please choose what it is." in page.content.decode()
        assert ">Hm</textarea>" in page.content.decode()
        anna.post(f"tickets/{ticket.public_id}/end", kind="abuse")
        assert Ticket.objects.get(pk=ticket.pk).ended_as == "abuse"

    def test_it_is_in_the_agents_export_without_the_address(self, anna: Person) -> None:
        ended(anna, note="The third today")
        section = next(one for one in export.SECTIONS if one.name == "misuse")
        _heads, [row] = export._table(section, anna.agent)
        assert (row["note"], row["kind"]) == ("The third today", "spam")
        assert not {"address", "offer", "settled_by"} & set(row)


class TestLeads:
    def page(self, lead: User) -> tuple[Client, str]:
        client = Client(headers={"accept-language": "en"})
        client.force_login(lead)
        return client, client.get("/lead/flagged").content.decode()

    def test_the_list_says_who_and_how_often(self, anna: Person, lead: User) -> None:
        misuse.take_back(misuse_id=_of(ended(anna)).pk, lead=lead)
        Ticket.objects.update(
            waiting_since="2026-01-01T00:00Z", state="closed", closed_at="2026-01-01T00:00Z"
        )
        ended(anna, EndedAs.ABUSE)
        _client, page = self.page(lead)
        assert "Cheap pills" in page
        assert "2 ended so, 1 taken back" in page

    def test_what_is_personal_is_masked(self, anna: Person, lead: User, admin_client: Client) -> None:
        ticket = anna.holding(text="Call Carla on +49 171 2345617")
        misuse.end_as(
            agent=anna.agent, epoch=1, ticket_id=ticket.pk, kind=EndedAs.SPAM, note="From bad@spam.example"
        )
        _client, page = self.page(lead)
        assert page.count("Call Carla on +49 … 17") == 1  # the message, and not its summary as well
        made = _of(ticket)
        for shown in (
            page,
            admin_client.get("/admin/dispatch/misuse/").content.decode(),
            admin_client.get(f"/admin/dispatch/misuse/{made.pk}/change/").content.decode(),
        ):
            assert "From b…@…" in shown
            assert not any(one in shown for one in ("2345617", "bad@spam", "carla@"))

    def test_confirmed_it_stays_closed(self, anna: Person, lead: User) -> None:
        ticket = ended(anna)
        client, _page = self.page(lead)
        client.post(f"/lead/flagged/{_of(ticket).pk}/settle", {"decision": "confirm", "answer": "Yes"})
        ticket.refresh_from_db()
        assert (ticket.state, ticket.ended_as, _of(ticket).confirmed) == ("closed", "spam", True)
        with nothing_changed(), pytest.raises(AlreadySettled):
            misuse.take_back(misuse_id=_of(ticket).pk, lead=lead)

    def test_taken_back_it_waits_in_front_and_the_pay_stays(
        self, anna: Person, lead: User, world: World
    ) -> None:
        ticket = ended(anna)
        world.ticket("Older")
        Transfer.objects.create(ticket=ticket, agent=anna.agent)
        client, _page = self.page(lead)
        client.post(f"/lead/flagged/{_of(ticket).pk}/settle", {"decision": "take-back", "answer": "No pills"})
        ticket.refresh_from_db()
        assert (ticket.state, ticket.ended_as, _of(ticket).confirmed) == ("waiting", "", False)
        assert not Transfer.objects.exists()
        match_pool(world.pool.pk)
        assert Offer.objects.get(state="pending").ticket == ticket
        assert LedgerEntry.objects.get().amount_cents == 400
        assert Message.objects.latest("pk").body == "No pills"

    def test_others_see_and_settle_nothing(self, anna: Person, lead: User) -> None:
        ticket = ended(anna)
        lead.user_permissions.clear()
        client, page = self.page(User.objects.get(pk=lead.pk))
        assert "Cheap pills" not in page
        answer = client.post(f"/lead/flagged/{_of(ticket).pk}/settle", {"decision": "take-back"})
        assert answer.status_code == 403
        assert _of(ticket).settled_at is None

    def test_abuse_alerts_and_spam_does_not(self, anna: Person, lead: User) -> None:
        ended(anna)
        alerts.waiting_refresh()
        assert not Alert.objects.exists()
        made = _of(ended(anna, EndedAs.ABUSE))
        alerts.waiting_refresh()
        assert Alert.objects.get().kind == "abuse"
        misuse.confirm(misuse_id=made.pk, lead=lead)
        alerts.waiting_refresh()
        assert Alert.objects.get().closed_at is not None


def _of(ticket: Ticket) -> Misuse:
    return Misuse.objects.filter(ticket=ticket).latest("pk")
