"""A ticket under /api/v1/tickets/<id>, by its customer: reading, writing, commands, keys, and who is kept out."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from dispatch import desk, presence
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.callers import Caller, anonymous, customer_of, problem
from tests.cast import World
from tests.untouched import nothing_changed
from tickets.lifecycle import ticket_close
from tickets.models import Attachment, Message, Rating, Ticket, TicketEvent

pytestmark = pytest.mark.django_db

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415478da63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)


def file(name: str = "note.txt", content: bytes = b"hello", kind: str = "text/plain") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


@pytest.fixture
def ticket(world: World) -> Ticket:
    return world.ticket()


@pytest.fixture
def carla(ticket: Ticket) -> Caller:
    return customer_of(ticket)


def resolved(world: World, ticket: Ticket) -> Ticket:
    """The ticket after Anna has noted, answered and resolved."""
    anna = world.agent("Anna")
    epoch = presence.go_online(agent_id=anna.pk).epoch
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=epoch)
    desk.note(agent=anna, epoch=epoch, ticket_id=ticket.pk, body="A secret among us")
    desk.reply(agent=anna, epoch=epoch, ticket_id=ticket.pk, body="Done")
    desk.resolve(agent=anna, epoch=epoch, ticket_id=ticket.pk)
    return Ticket.objects.get(pk=ticket.pk)


class TestReading:
    def test_the_ticket(self, ticket: Ticket, carla: Caller) -> None:
        response = carla.ask(f"tickets/{ticket.public_id}")
        assert response.json() == {
            "seq": 2,
            "number": ticket.number,
            "public_id": ticket.public_id,
            "state": "waiting",
            "topic": "refund",
            "language": "en",
            "created_at": ticket.created_at.isoformat(),
            "human_requested": False,
            "agent_name": None,
            "place": None,
            "expected_seconds": None,
            "wakes_at": None,
            "ended_as": None,
            "nobody_online": False,
            "answer_due_at": None,
            "messages": [
                {
                    "seq": 2,
                    "at": Message.objects.get().created_at.isoformat(),
                    "internal": False,
                    "author": "customer",
                    "author_name": "Carla",
                    "body": "Where is my refund?",
                    "attachments": [],
                    "masked": [],
                }
            ],
        }
        listed = carla.ask(f"tickets/{ticket.public_id}/messages").json()
        assert listed == {"messages": response.json()["messages"], "seq": 2}

    def test_notes_offers_and_mail_addresses_are_not_told(
        self, world: World, ticket: Ticket, carla: Caller
    ) -> None:
        resolved(world, ticket)
        for path in ("", "/messages", "/events"):
            answer = carla.ask(f"tickets/{ticket.public_id}{path}")
            assert b"secret" not in answer.content
            assert b"example" not in answer.content  # neither Carla's address nor Anna's
        types = [frame["type"] for frame in answer.json()["frames"]]
        assert "note.added" not in types
        assert "ticket.offered" not in types

    def test_events_after_a_number(self, ticket: Ticket, carla: Caller) -> None:
        path = f"tickets/{ticket.public_id}/events"
        everything = carla.ask(path).json()
        assert [frame["seq"] for frame in everything["frames"]] == [1, 2]
        assert everything["seq"] == 2
        assert carla.ask(path, after=1).json()["frames"] == everything["frames"][1:]
        assert carla.ask(path, after=2).json() == {"frames": [], "seq": 2}
        assert carla.ask(path, after=2**31 - 1).json() == {"frames": [], "seq": 2}

    @pytest.mark.parametrize("after", ["-1", "x", "1.5", str(2**31), "9" * 30, "\x00"])
    def test_events_after_nonsense(self, ticket: Ticket, carla: Caller, after: str) -> None:
        problem(carla.ask(f"tickets/{ticket.public_id}/events", after=after), 400, "invalid")

    def test_who_is_too_far_behind_gets_a_snapshot(
        self, ticket: Ticket, carla: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tickets.stream.REPLAY_LIMIT", 1)
        answer = carla.ask(f"tickets/{ticket.public_id}/events").json()
        assert [frame["type"] for frame in answer["frames"]] == ["snapshot"]
        assert answer["seq"] == 2


class TestWriting:
    def test_a_message(self, ticket: Ticket, carla: Caller) -> None:
        response = carla.tell(f"tickets/{ticket.public_id}/messages", {"body": "Hello?"})
        assert response.status_code == 201
        assert response.json() == {
            "seq": 3,
            "author": "customer",
            "author_name": "Carla",
            "body": "Hello?",
            "attachments": [],
            "masked": [],
        }

    def test_a_message_with_files(self, ticket: Ticket, carla: Caller) -> None:
        response = carla.tell(
            f"tickets/{ticket.public_id}/messages",
            {"body": "See", "files": [file(), file("a.png", PNG, "image/png")]},
            format="multipart",
        )
        assert response.status_code == 201, response.content
        assert [(one["name"], one["content_type"]) for one in response.json()["attachments"]] == [
            ("note.txt", "text/plain"),
            ("a.png", "image/png"),
        ]

    def test_files_need_no_words(self, ticket: Ticket, carla: Caller) -> None:
        response = carla.tell(f"tickets/{ticket.public_id}/messages", {"files": [file()]}, format="multipart")
        assert (response.status_code, response.json()["body"]) == (201, "")

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"body": ""}, 422, "empty_message"),
            ({"body": "x" * 8001}, 422, "message_too_long"),
            ({"body": "\x00"}, 422, "bad_text"),
            ({"body": "\udc00"}, 422, "bad_text"),
            ({}, 400, "invalid"),
            ({"body": 5}, 400, "invalid"),
            ([], 400, "invalid"),
        ],
    )
    def test_a_wrong_message(
        self, ticket: Ticket, carla: Caller, body: object, status: int, code: str
    ) -> None:
        with nothing_changed():
            problem(
                carla.send(f"tickets/{ticket.public_id}/messages", json.dumps(body).encode()), status, code
            )

    @pytest.mark.parametrize(
        ("files", "status", "code"),
        [
            ([("note.txt", b"", "text/plain")], 422, "empty"),
            ([("note.txt", b"x" * (5 * 1024 * 1024 + 1), "text/plain")], 413, "too_large"),
            ([("virus.exe", b"MZ\x90", "application/octet-stream")], 415, "type_not_allowed"),
            ([("page.html", b"<script>", "text/html")], 415, "type_not_allowed"),
            ([("picture.png", b"<script>alert(1)</script>", "image/png")], 415, "type_mismatch"),
            ([("note.txt", PNG, "text/plain")], 415, "type_mismatch"),
            ([("picture.png", PNG, "text/html")], 415, "type_mismatch"),
            ([("picture.png", PNG[:40], "image/png")], 422, "broken_image"),
            ([("note.txt", b"hello", "text/plain")] * 6, 422, "too_many_files"),
            ([("note.txt", b"hello", "text/plain")] * 101, 422, "too_many_files"),
            ([("note.txt", b"hello", "text/plain"), ("virus.exe", b"MZ", "")], 415, "type_not_allowed"),
        ],
    )
    def test_a_wrong_file(
        self, ticket: Ticket, carla: Caller, files: list[tuple[str, bytes, str]], status: int, code: str
    ) -> None:
        data = {"body": "See", "files": [file(*one) for one in files]}
        with nothing_changed():
            problem(
                carla.tell(f"tickets/{ticket.public_id}/messages", data, format="multipart"), status, code
            )
        with nothing_changed():
            problem(
                anonymous().tell(
                    "tickets", {"text": "See", "files": [file(*one) for one in files]}, format="multipart"
                ),
                status,
                code,
            )

    def test_more_than_any_message_may_have_is_not_even_read(self, ticket: Ticket, carla: Caller) -> None:
        with nothing_changed():
            answer = carla.generic(
                "POST",
                f"/api/v1/tickets/{ticket.public_id}/messages",
                b"--x--",
                content_type="multipart/form-data; boundary=x",
                CONTENT_LENGTH=str(27 * 1024 * 1024),
            )
            problem(answer, 413, "body_too_large")

    def test_a_file_in_another_field_is_not_lost_silently(self, ticket: Ticket, carla: Caller) -> None:
        with nothing_changed():
            data = {"body": "See", "file": file()}
            answer = carla.tell(f"tickets/{ticket.public_id}/messages", data, format="multipart")
            assert list(problem(answer, 400, "invalid")["errors"]) == ["file"]

    def test_not_into_a_closed_ticket(self, ticket: Ticket, carla: Caller) -> None:
        ticket_close(ticket=ticket)
        with nothing_changed():
            problem(
                carla.tell(f"tickets/{ticket.public_id}/messages", {"body": "Hello?"}), 409, "ticket_closed"
            )
            problem(carla.tell(f"tickets/{ticket.public_id}/close"), 409, "ticket_closed")
            problem(carla.tell(f"tickets/{ticket.public_id}/request-human"), 409, "ticket_closed")
        assert Attachment.objects.count() == 0


class TestCommands:
    def test_request_a_person(self, ticket: Ticket, carla: Caller) -> None:
        for _ in range(2):
            answer = carla.tell(f"tickets/{ticket.public_id}/request-human")
            assert (answer.status_code, answer.json()["human_requested"], answer.json()["seq"]) == (
                200,
                True,
                3,
            )

    def test_close_and_reopen(self, ticket: Ticket, carla: Caller) -> None:
        assert carla.tell(f"tickets/{ticket.public_id}/close").json()["state"] == "closed"
        answer = carla.tell(f"tickets/{ticket.public_id}/reopen", {"body": "One more thing"})
        assert (answer.status_code, answer.json()["state"]) == (200, "waiting")
        assert answer.json()["messages"][-1]["body"] == "One more thing"
        with nothing_changed():
            problem(carla.tell(f"tickets/{ticket.public_id}/reopen"), 409, "ticket_not_resolved")

    def test_reopen_needs_no_words(self, ticket: Ticket, carla: Caller) -> None:
        ticket_close(ticket=ticket)
        answer = carla.tell(f"tickets/{ticket.public_id}/reopen")
        assert (answer.status_code, len(answer.json()["messages"])) == (200, 1)

    def test_rate_once(self, world: World, ticket: Ticket, carla: Caller) -> None:
        path, rating = f"tickets/{ticket.public_id}/rating", {"score": 4, "solved": True, "comment": "Nice"}
        with nothing_changed():
            problem(carla.tell(path, rating), 409, "ticket_not_resolved")
        resolved(world, ticket)
        assert carla.tell(path, rating).status_code == 200
        assert Rating.objects.values_list("score", "solved", "comment").get() == (4, True, "Nice")
        with nothing_changed():
            problem(carla.tell(path, rating), 409, "already_rated")

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"score": 0}, 400, "invalid"),
            ({"score": 6}, 400, "invalid"),
            ({"score": "5"}, 400, "invalid"),
            ({"score": 4.5}, 400, "invalid"),
            ({"score": True}, 400, "invalid"),
            ({"score": None}, 400, "invalid"),
            ({"score": 10**400}, 400, "invalid"),
            ({"solved": "yes"}, 400, "invalid"),
            ({"solved": 1}, 400, "invalid"),
            ({"solved": None}, 400, "invalid"),
            ({"comment": 3}, 400, "invalid"),
            ({"comment": "\x00"}, 422, "bad_text"),
            ({"comment": "x" * 8001}, 422, "message_too_long"),
        ],
    )
    def test_rate_wrongly(
        self, world: World, ticket: Ticket, carla: Caller, change: dict[str, object], status: int, code: str
    ) -> None:
        resolved(world, ticket)
        body = json.dumps({"score": 5, "solved": True, **change}).encode()
        with nothing_changed():
            problem(carla.send(f"tickets/{ticket.public_id}/rating", body), status, code)

    @pytest.mark.parametrize("command", ["close", "request-human"])
    def test_what_reads_nothing_still_wants_an_object(
        self, ticket: Ticket, carla: Caller, command: str
    ) -> None:
        with nothing_changed():
            problem(carla.send(f"tickets/{ticket.public_id}/{command}", b"[1]"), 400, "invalid")
            problem(carla.send(f"tickets/{ticket.public_id}/{command}", b"{"), 400, "parse_error")


class TestTheSameKey:
    @pytest.mark.parametrize(
        ("command", "body", "prepare"),
        [
            ("messages", {"body": "Hello?"}, ""),
            ("request-human", None, ""),
            ("close", None, ""),
            ("reopen", {"body": "Again"}, "close"),
            ("rating", {"score": 5, "solved": True}, "resolve"),
        ],
    )
    def test_is_done_once_and_answers_the_same(
        self, world: World, ticket: Ticket, carla: Caller, command: str, body: object, prepare: str
    ) -> None:
        if prepare == "close":
            ticket_close(ticket=ticket)
        elif prepare == "resolve":
            resolved(world, ticket)
        first = carla.tell(f"tickets/{ticket.public_id}/{command}", body, key="a-key")
        assert first.status_code in (200, 201), first.content
        with nothing_changed():
            again = carla.tell(f"tickets/{ticket.public_id}/{command}", body, key="a-key")
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert TicketEvent.objects.filter(key="a-key").count() == 1
        with nothing_changed():
            other = "close" if command != "close" else "request-human"
            problem(
                carla.tell(f"tickets/{ticket.public_id}/{other}", key="a-key"), 422, "idempotency_key_reused"
            )
            for command_any in ("messages", "request-human", "close", "reopen", "rating"):
                problem(
                    carla.tell(f"tickets/{ticket.public_id}/{command_any}", body, key="k" * 101),
                    400,
                    "idempotency_key_invalid",
                )

    def test_with_a_file(self, ticket: Ticket, carla: Caller) -> None:
        def send(content: bytes) -> object:
            data = {"files": [file(content=content)]}
            return carla.tell(f"tickets/{ticket.public_id}/messages", data, key="a-key", format="multipart")

        assert send(b"one").json() == send(b"one").json()  # type: ignore[attr-defined]
        assert (Message.objects.count(), Attachment.objects.count()) == (2, 1)
        with nothing_changed():
            problem(send(b"two"), 422, "idempotency_key_reused")
