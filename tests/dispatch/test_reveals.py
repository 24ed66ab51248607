"""One hidden place is shown to the holder for a reason: counted, written down, to nobody else; team leads see that it was."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from agents.models import User
from dispatch import desk, reveals
from dispatch.errors import NothingHidden, NotHolder, RevealReasonMissing, TooManyReveals
from dispatch.models import Policy, Reveal
from dispatch.rules.reveals import unusual
from tests.callers import agent_of, problem
from tests.cast import PASSWORD, World
from tests.console import Person, text_of
from tests.practising import begin, make_applicant, make_script
from tickets import canned
from tickets.conversation import customer_reply
from tickets.models import CannedReply, Customer, MailIn, Message, Outcome, Ticket, TicketEvent

pytestmark = pytest.mark.django_db

SECRETS = ("Lindqvist", "2345617", "Elm Grove", "1985", "carla@")
TELLS = "Call +49 171 2345617. I live at 17 Elm Grove, Bristol BS6 6AB, born 12 March 1985. C. Lindqvist"


@pytest.fixture
def anna(world: World) -> Person:
    return Person(world, "Anna").online()


@pytest.fixture
def ticket(anna: Person) -> Ticket:
    held = anna.holding(text="Where is my refund? I am Lindqvist, carla@customers.example.")
    Customer.objects.filter(pk=held.customer_id).update(name="Carla Lindqvist")
    held = Ticket.objects.select_related("customer").get(pk=held.pk)
    customer_reply(ticket=held, body=TELLS)
    return held


def place_of(ticket: Ticket) -> str:
    return f"message-{Message.objects.get(ticket=ticket, body=TELLS).seq}"


def lead(*more: str) -> Client:
    user = User.objects.create_user("lead@team.example", PASSWORD, name="Lea")
    user.user_permissions.add(*Permission.objects.filter(codename__in=("view_run", "view_reveal", *more)))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def ask(anna: Person, ticket: Ticket, place: str = "email", **more: Any) -> reveals.Revealed:
    wish = {"epoch": anna.epoch, "reason": "contact"} | more
    return reveals.reveal(agent=anna.agent, ticket_id=ticket.pk, place=place, **wish)


def secrets_in(text: str) -> list[str]:
    return [one for one in SECRETS if one.lower() in text.lower()]


class TestTheHolder:
    def test_sees_one_place_and_that_is_written_down(self, anna: Person, ticket: Ticket) -> None:
        found = ask(anna, ticket, place_of(ticket))
        assert (found.text, found.kinds, found.files) == (TELLS, ["name", "phone", "address", "birth"], {})
        event = TicketEvent.objects.filter(ticket=ticket).latest("seq")
        assert (event.type, event.public, event.actor_id) == ("ticket.revealed", False, anna.agent.user_id)
        assert event.data == {
            "by": "Anna",
            "place": place_of(ticket),
            "kinds": found.kinds,
            "reason": "contact",
        }
        row = Reveal.objects.get()
        assert (row.by_id, row.place, row.reason, row.words) == (event.actor_id, found.place, "contact", "")
        assert secrets_in(text_of(anna.get())) == []
        told = "Anna had shown: surname, telephone number, postal address, date of birth, to call or write to them"
        assert told in text_of(anna.get())

    @pytest.mark.parametrize(
        ("more", "refusal"),
        [
            ({"reason": ""}, RevealReasonMissing),
            ({"reason": "fun"}, RevealReasonMissing),
            ({"reason": "other"}, RevealReasonMissing),
            ({"place": "message-1"}, NothingHidden),
            ({"place": "message-99999999"}, NothingHidden),
            ({"place": "message-x"}, NothingHidden),
            ({"place": "iban"}, NothingHidden),
        ],
    )
    def test_a_refusal_changes_nothing(self, anna: Person, ticket: Ticket, more: Any, refusal: Any) -> None:
        before = TicketEvent.objects.count()
        with pytest.raises(refusal):
            ask(anna, ticket, **more)
        assert (TicketEvent.objects.count(), Reveal.objects.count()) == (before, 0)

    def test_another_agent_and_a_past_holder_do_not(self, world: World, anna: Person, ticket: Ticket) -> None:
        ben = Person(world, "Ben").online()
        with pytest.raises(NotHolder):
            ask(ben, ticket)
        first = ask(anna, ticket, key="k")
        assert ask(anna, ticket, key="k") == first
        assert Reveal.objects.count() == 1
        desk.hand_back(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
        for key in ("k", None):  # nor by repeating what was granted
            with pytest.raises(NotHolder):
                ask(anna, ticket, key=key)
        assert Reveal.objects.count() == 1

    def test_so_many_an_hour(self, world: World, anna: Person, ticket: Ticket) -> None:
        Policy.objects.filter(pool=world.pool).update(reveals_an_hour=2)
        for place in ("email", "name"):
            ask(anna, ticket, place)
        with pytest.raises(TooManyReveals) as refused:
            ask(anna, ticket, place_of(ticket))
        assert "2 times in the last hour" in str(refused.value.detail)
        assert Reveal.objects.count() == 2
        Policy.objects.filter(pool=world.pool).update(reveals_an_hour=3)
        ask(anna, ticket, place_of(ticket))
        Policy.objects.filter(pool=world.pool).update(reveals_an_hour=0)
        path = f"desk/{ticket.public_id}/reveal"
        wish = {"epoch": anna.epoch, "place": "email", "reason": "contact"}
        problem(agent_of(anna.agent).tell(path, wish), 429, "too_many_reveals")

    def test_by_the_api(self, anna: Person, ticket: Ticket) -> None:
        caller, path = agent_of(anna.agent), f"desk/{ticket.public_id}/reveal"
        wish = {"epoch": anna.epoch, "place": "email", "reason": "other", "words": "asked by the bank"}
        answer = caller.tell(path, wish, key="k")
        assert answer.json() == {
            "place": "email",
            "kinds": ["email"],
            "text": "carla@customers.example",
            "files": {},
        }
        assert "no-store" in answer.headers["Cache-Control"]
        problem(caller.tell(path, wish | {"place": "name"}, key="k"), 422, "idempotency_key_reused")
        assert Reveal.objects.get().words == "asked by the bank"

    def test_without_the_script(self, anna: Person, ticket: Ticket) -> None:
        path = f"tickets/{ticket.public_id}/reveal/{place_of(ticket)}"
        form = text_of(anna.get(f"/console/{path}"))
        assert "date of birth" in form
        assert secrets_in(form) == []
        part = text_of(anna.get(f"/console/{path}?part=1"))
        assert part.startswith('<form class="stack" method="post"')
        refused = anna.client.post(f"/console/{path}", {"epoch": anna.epoch})
        assert (refused.status_code, Reveal.objects.count()) == (422, 0)
        shown = anna.post(path, reason="identify")
        assert "2345617" in text_of(shown)
        assert "no-store" in shown.headers["Cache-Control"]
        assert anna.get(f"/console/tickets/{ticket.public_id}/reveal/message-1").status_code == 302


class TestTheNameInReplies:
    def test_it_is_put_in_when_sent_and_hidden_from_who_wrote_it(self, anna: Person, ticket: Ticket) -> None:
        CannedReply.objects.create(title="Hello", body="Dear {customer}, {agent} here.", language="en")
        [one] = canned.replies(ticket, "Anna")
        assert one["text"] == "Dear {customer}, Anna here."
        answer = agent_of(anna.agent).tell(
            f"desk/{ticket.public_id}/reply",
            {"epoch": anna.epoch, "body": one["text"] + " Call 030 1234567."},
        )
        assert answer.json()["body"] == "Dear Carla L…, Anna here. Call 030 1234567."
        said = "Dear Carla Lindqvist, Anna here. Call 030 1234567."
        assert Message.objects.latest("pk").body == said
        frames = anna.fetch("news", {ticket.stream: 1}).json()["frames"]
        assert "Dear Carla L…, Anna here. Call 030 1234567." in str(frames)
        assert secrets_in(str(frames)) == []


class TestTeamLeads:
    def test_see_who_had_what_shown_and_why(self, anna: Person, ticket: Ticket) -> None:
        ask(anna, ticket, reason="other", words="call +49 30 1234567")
        ask(anna, ticket, "name", reason="identify")
        page = text_of(lead().get("/lead/reveals"))
        for words in (
            "Anna",
            ticket.number,
            "e-mail address",
            "call +49 … 67",
            "to identify the customer: 1",
        ):
            assert words in page
        assert "1234567" not in page
        assert secrets_in(page) == []
        client = Client(headers={"accept-language": "en"})
        client.force_login(User.objects.get(email="lead@team.example"))
        page = text_of(client.get("/lead/reveals?reason=identify&days=1"))
        assert "+49 … 67" not in page
        assert text_of(client.get("/lead/reveals?who=999999")).count("Nothing was shown") == 1

    def test_have_a_place_shown_with_the_right(self, anna: Person, ticket: Ticket) -> None:
        path = f"/lead/personal/{ticket.public_id}"
        client = lead("reveal_personal")
        assert secrets_in(text_of(client.get(path))) == []
        refused = client.post(path, {"place": "email"})
        assert (refused.status_code, Reveal.objects.count()) == (422, 0)
        shown = text_of(client.post(path, {"place": "email", "reason": "correct"}))
        assert secrets_in(shown) == ["carla@"]
        assert Reveal.objects.get().by.name == "Lea"
        assert secrets_in(text_of(client.get(path))) == []

    def test_not_without_it(self, anna: Person, ticket: Ticket) -> None:
        path = f"/lead/personal/{ticket.public_id}"
        assert lead().post(path, {"place": "email", "reason": "correct"}).status_code == 403
        assert anna.client.post(path, {"place": "email", "reason": "correct"}).status_code == 403
        assert anna.client.get("/lead/reveals").status_code == 403
        assert Reveal.objects.count() == 0

    def test_practice_is_nobodys_data(self, world: World) -> None:
        make_script()
        practice = begin(make_applicant(world))
        client = lead("reveal_personal")
        assert client.get(f"/lead/personal/{practice.ticket.public_id}").status_code == 404
        found = reveals.reveal(
            agent=practice.agent,
            epoch=practice.shift.epoch,
            ticket_id=practice.ticket_id,
            place="name",
            reason="identify",
        )
        assert (found.kinds, Reveal.objects.count()) == (["name"], 1)
        assert "Nothing was shown to anybody." in text_of(client.get("/lead/reveals"))


@pytest.mark.parametrize("path", ["/console/", "/lead/escalations", "admin"])
def test_pages_and_the_admin_are_masked(anna: Person, ticket: Ticket, path: str) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("boss@staff.example", PASSWORD))
    admin = [f"/admin/tickets/{one}/" for one in ("ticket", "customer", "message", "rating", "ticketevent")]
    admin += [
        f"/admin/tickets/ticket/{ticket.pk}/change/",
        f"/admin/tickets/customer/{ticket.customer_id}/change/",
    ]
    admin += [f"/admin/tickets/message/{one.pk}/change/" for one in Message.objects.all()]
    for one in admin if path == "admin" else [path]:
        page = text_of(anna.get(one) if path == "/console/" else client.get(one))
        assert secrets_in(page) == [], one


def test_unusual_are_many_and_more_than_others() -> None:
    assert unusual({}) == unusual({1: (99, 1)}) == set()
    assert unusual({1: (10, 10), 2: (3, 10), 3: (3, 10)}) == {1}
    assert unusual({1: (9, 1), 2: (3, 10)}) == set()
    assert unusual({1: (10, 0), 2: (0, 0)}) == {1}


def test_the_admin_shows_mails_masked_and_finds_whole_addresses_only(world: World, client: Client) -> None:
    """In the list, on the page, and in what is asked before a mail is dropped (ADR 23)."""
    mail = MailIn.objects.create(
        key="k" * 64,
        sender="carla.kunze@customers.example",
        subject="Call me at 030 901820, IBAN DE89 3704 0044 0532 0130 00",
        left_out=[["Kunze.exe", "not allowed"]],
        outcome=Outcome.HELD,
    )
    client.force_login(User.objects.create_superuser("boss@staff.example", "x"))
    page = reverse("admin:tickets_mailin_changelist")
    asked = client.post(page, {"action": "drop", "_selected_action": [mail.pk]})
    shown = (client.get(page), client.get(reverse("admin:tickets_mailin_change", args=[mail.pk])), asked)
    for answer in shown:
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "c…@…" in text
        for word in ("kunze", "customers.example", "901820", "3704"):
            assert word not in text.lower()

    def found(words: str) -> int:
        return int(client.get(page, {"q": words}).context["cl"].result_count)

    assert found("Carla.Kunze@customers.example") == 1
    assert [found(part) for part in ("kunze", "customers.example", "carla.kunze", "901820", "IBAN")] == [
        0
    ] * 5
