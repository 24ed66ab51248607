"""/api/v1/desk and the files of a ticket: what the holder may, and nobody else."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agents.models import LedgerEntry, User
from dispatch import presence
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.callers import Caller, account, agent_of, anonymous, customer_of, problem
from tests.cast import PASSWORD, World
from tests.untouched import nothing_changed
from tickets.access import token_of
from tickets.lifecycle import ticket_close
from tickets.models import Attachment, Message, Ticket, TicketEvent

pytestmark = pytest.mark.django_db

COMMANDS = ("reply", "note", "resolve", "hand-back")
BODY = {"epoch": 1, "body": "Let me look."}  # what each of the commands can read


def held(world: World, text: str = "Where is my refund?", name: str = "Anna") -> Ticket:
    """A ticket that this agent holds, in the first shift."""
    agent = world.agents.get(name) or world.agent(name)
    epoch = presence.go_online(agent_id=agent.pk).epoch
    ticket = world.ticket(text)
    match_pool(world.pool.pk)
    offer = Offer.objects.get(ticket=ticket, agent=agent)
    offer_accept(offer_id=offer.pk, agent_id=agent.pk, epoch=epoch)
    return Ticket.objects.get(pk=ticket.pk)


@pytest.fixture
def ticket(world: World) -> Ticket:
    return held(world)


@pytest.fixture
def anna(world: World, ticket: Ticket) -> Caller:
    return agent_of(world.agents["Anna"])


def upload(name: str = "note.txt", content: bytes = b"hello", kind: str = "text/plain") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


class TestTheHolder:
    def test_reads(self, ticket: Ticket, anna: Caller) -> None:
        one = anna.ask(f"desk/{ticket.public_id}").json()
        assert (one["state"], one["agent_name"], one["public_id"]) == ("held", "Anna", ticket.public_id)
        assert anna.ask("desk").json() == {"tickets": [one], "wrap_ups": []}
        assert b"carla@customers.example" not in anna.ask("desk").content

    def test_replies(self, ticket: Ticket, anna: Caller) -> None:
        answer = anna.tell(f"desk/{ticket.public_id}/reply", BODY)
        assert (answer.status_code, answer.json()) == (
            201,
            {
                "seq": TicketEvent.objects.order_by("-seq")[0].seq,
                "author": "agent",
                "author_name": "Anna",
                "body": "Let me look.",
                "attachments": [],
                "masked": [],
            },
        )

    def test_replies_with_a_file(self, ticket: Ticket, anna: Caller) -> None:
        answer = anna.tell(
            f"desk/{ticket.public_id}/reply", {"epoch": 1, "files": [upload()]}, format="multipart"
        )
        assert (answer.status_code, len(answer.json()["attachments"])) == (201, 1)

    def test_notes_what_the_customer_never_sees(self, ticket: Ticket, anna: Caller) -> None:
        assert anna.tell(f"desk/{ticket.public_id}/note", BODY).status_code == 201
        assert Message.objects.get(internal=True).body == "Let me look."
        for path in ("", "/messages", "/events"):
            assert b"Let me look" not in customer_of(ticket).ask(f"tickets/{ticket.public_id}{path}").content

    def test_resolves_and_is_paid_once(self, ticket: Ticket, anna: Caller) -> None:
        answer = anna.tell(f"desk/{ticket.public_id}/resolve", {"epoch": 1})
        assert (answer.status_code, answer.json()) == (200, {"state": "resolved"})
        assert LedgerEntry.objects.get().amount_cents == 400
        assert anna.ask("desk").json() == {"tickets": [], "wrap_ups": []}
        with nothing_changed():
            problem(anna.ask(f"desk/{ticket.public_id}"), 403, "not_holder")
            for command in COMMANDS:
                problem(anna.tell(f"desk/{ticket.public_id}/{command}", BODY), 403, "not_holder")

    def test_hands_back(self, ticket: Ticket, anna: Caller) -> None:
        answer = anna.tell(f"desk/{ticket.public_id}/hand-back", {"epoch": 1, "reason": "not mine"})
        assert (answer.status_code, answer.json()) == (200, {"state": "waiting"})
        assert Ticket.objects.get().state == "waiting"
        assert Offer.objects.get().reason == "not mine"
        assert LedgerEntry.objects.count() == 0


class TestNobodyElse:
    def test_another_agent_finds_nothing(self, world: World, ticket: Ticket) -> None:
        bernd_agent = world.agent("Bernd")
        presence.go_online(agent_id=bernd_agent.pk)
        bernd = agent_of(bernd_agent)
        assert bernd.ask("desk").json() == {"tickets": [], "wrap_ups": []}
        with nothing_changed():
            for public_id in (ticket.public_id, "abcdefghjkmn"):
                problem(bernd.ask(f"desk/{public_id}"), 404, "ticket_not_found")
                for command in COMMANDS:
                    problem(bernd.tell(f"desk/{public_id}/{command}", BODY), 404, "ticket_not_found")

    def test_neither_customer_nor_admin(self, ticket: Ticket) -> None:
        admin = account(User.objects.create_superuser("admin@staff.example", PASSWORD))
        with nothing_changed():
            for path in ("desk", f"desk/{ticket.public_id}"):
                problem(customer_of(ticket).ask(path), 401, "not_authenticated")
                problem(admin.ask(path), 403, "not_an_agent")
            for command in COMMANDS:
                path = f"desk/{ticket.public_id}/{command}"
                problem(customer_of(ticket).tell(path, BODY), 401, "not_authenticated")
                problem(admin.tell(path, BODY), 403, "not_an_agent")

    @pytest.mark.parametrize("command", COMMANDS)
    def test_a_laptop_that_wakes_after_its_shift(
        self, world: World, ticket: Ticket, anna: Caller, command: str
    ) -> None:
        presence.go_offline(agent_id=world.agents["Anna"].pk, epoch=1)
        with nothing_changed():
            problem(anna.tell(f"desk/{ticket.public_id}/{command}", BODY), 409, "shift_ended")
        presence.go_online(agent_id=world.agents["Anna"].pk)
        with nothing_changed():
            problem(anna.tell(f"desk/{ticket.public_id}/{command}", BODY), 409, "shift_ended")
            problem(anna.tell(f"desk/{ticket.public_id}/{command}", {**BODY, "epoch": 2}), 403, "not_holder")

    @pytest.mark.parametrize("command", COMMANDS)
    def test_after_the_customer_has_closed_it(self, ticket: Ticket, anna: Caller, command: str) -> None:
        ticket_close(ticket=ticket)
        with nothing_changed():
            problem(anna.tell(f"desk/{ticket.public_id}/{command}", BODY), 409, "ticket_closed")


@pytest.mark.parametrize("command", COMMANDS)
class TestWrongInput:
    @pytest.mark.parametrize("epoch", ["1", None, True, -1, 2**31])
    def test_epoch(self, ticket: Ticket, anna: Caller, command: str, epoch: object) -> None:
        with nothing_changed():
            answer = anna.tell(f"desk/{ticket.public_id}/{command}", {**BODY, "epoch": epoch})
            assert list(problem(answer, 400, "invalid")["errors"]) == ["epoch"]

    def test_body(self, ticket: Ticket, anna: Caller, command: str) -> None:
        with nothing_changed():
            problem(anna.send(f"desk/{ticket.public_id}/{command}", b"{"), 400, "parse_error")
            problem(anna.send(f"desk/{ticket.public_id}/{command}", b"[]"), 400, "invalid")
            big = b'{"epoch": 1, "body": "' + b"x" * 1024 * 1024 + b'"}'
            problem(anna.send(f"desk/{ticket.public_id}/{command}", big), 413, "body_too_large")


@pytest.mark.parametrize(
    ("command", "text", "status", "code"),
    [
        *(
            (command, text, status, code)
            for command in ("reply", "note", "hand-back")
            for text, status, code in (
                ("\x00", 422, "bad_text"),
                ("\ud800", 422, "bad_text"),
                ("x" * 8001, 422, "message_too_long"),
                (5, 400, "invalid"),
            )
        ),
        ("reply", "", 422, "empty_message"),
        ("note", " ", 422, "empty_message"),
    ],
)
def test_a_wrong_text(
    ticket: Ticket, anna: Caller, command: str, text: object, status: int, code: str
) -> None:
    body = json.dumps({"epoch": 1, "reason" if command == "hand-back" else "body": text}).encode()
    with nothing_changed():
        problem(anna.send(f"desk/{ticket.public_id}/{command}", body), status, code)


def test_a_wrong_file(ticket: Ticket, anna: Caller) -> None:
    with nothing_changed():
        for files, status, code in (
            ([upload("a.exe")], 415, "type_not_allowed"),
            ([upload("a.png", b"no picture", "image/png")], 415, "type_mismatch"),
            ([upload()] * 6, 422, "too_many_files"),
        ):
            answer = anna.tell(f"desk/{ticket.public_id}/reply", {**BODY, "files": files}, format="multipart")
            problem(answer, status, code)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_key_is_done_once_and_answers_the_same(ticket: Ticket, anna: Caller, command: str) -> None:
    first = anna.tell(f"desk/{ticket.public_id}/{command}", BODY, key="a-key")
    assert first.status_code in (200, 201), first.content
    with nothing_changed():
        again = anna.tell(f"desk/{ticket.public_id}/{command}", BODY, key="a-key")
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        for other in set(COMMANDS) - {command}:
            answer = anna.tell(f"desk/{ticket.public_id}/{other}", BODY, key="a-key")
            problem(answer, 422, "idempotency_key_reused")
        answer = anna.tell(f"desk/{ticket.public_id}/{command}", BODY, key="k" * 101)
        problem(answer, 400, "idempotency_key_invalid")


class TestFiles:
    @pytest.fixture
    def file(self, ticket: Ticket) -> Attachment:
        customer_of(ticket).tell(
            f"tickets/{ticket.public_id}/messages",
            {"body": "See", "files": [upload("Beleg “Mai”.txt", "Grüße".encode())]},
            format="multipart",
        )
        return Attachment.objects.get()

    def test_customer_and_holder_can_have_it(self, ticket: Ticket, anna: Caller, file: Attachment) -> None:
        browser = anonymous()
        browser.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
        for caller, name in ((customer_of(ticket), "Beleg"), (anna, "file.txt"), (browser, "Beleg")):
            answer: Any = caller.ask(f"tickets/{ticket.public_id}/attachments/{file.pk}")
            assert answer.status_code == 200
            assert b"".join(answer.streaming_content).decode() == "Grüße"
            assert answer.headers["Content-Type"] == "text/plain"
            assert name in answer.headers["Content-Disposition"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "private, no-store"

    def test_nobody_else_can(self, world: World, ticket: Ticket, file: Attachment) -> None:
        path = f"tickets/{ticket.public_id}/attachments/{file.pk}"
        other = world.ticket("Another")
        problem(anonymous().ask(path), 401, "not_authenticated")
        problem(customer_of(other).ask(path), 404, "ticket_not_found")
        problem(
            customer_of(other).ask(f"tickets/{other.public_id}/attachments/{file.pk}"), 404, "file_not_found"
        )
        problem(agent_of(world.agent("Bernd")).ask(path), 404, "file_not_found")
        problem(
            account(User.objects.create_superuser("a@staff.example", PASSWORD)).ask(path),
            404,
            "file_not_found",
        )
        for number in (file.pk + 1, 0, 10**30):
            answer = customer_of(ticket).ask(f"tickets/{ticket.public_id}/attachments/{number}")
            problem(answer, 404, "file_not_found")

    def test_the_holder_cannot_any_more_when_it_is_done(
        self, ticket: Ticket, anna: Caller, file: Attachment
    ) -> None:
        anna.tell(f"desk/{ticket.public_id}/resolve", {"epoch": 1})
        problem(anna.ask(f"tickets/{ticket.public_id}/attachments/{file.pk}"), 404, "file_not_found")

    def test_what_is_on_a_note_is_not_the_customers(self, ticket: Ticket, file: Attachment) -> None:
        Message.objects.filter(pk=file.message_id).update(internal=True)
        answer = customer_of(ticket).ask(f"tickets/{ticket.public_id}/attachments/{file.pk}")
        problem(answer, 404, "file_not_found")

    def test_a_file_that_is_lost_is_not_found(self, ticket: Ticket, file: Attachment) -> None:
        file.file.storage.delete(file.file.name)
        answer = customer_of(ticket).ask(f"tickets/{ticket.public_id}/attachments/{file.pk}")
        problem(answer, 404, "file_not_found")
