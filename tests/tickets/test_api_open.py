"""POST /api/v1/tickets: what opens a ticket, and what is refused and leaves nothing behind."""

import json

import pytest

from tests.callers import Caller, anonymous, customer_of, problem
from tests.cast import World
from tests.untouched import nothing_changed
from tickets.models import Customer, Message, Ticket, TicketEvent

pytestmark = pytest.mark.django_db

OPEN = {"text": "Where is my refund?", "name": "Carla", "email": "carla@customers.example", "topic": "refund"}


def test_opens_a_ticket(world: World) -> None:
    response = anonymous().tell("tickets", OPEN)
    assert response.status_code == 201
    ticket = Ticket.objects.get()
    assert response.json() == {
        "id": ticket.public_id,
        "number": ticket.number,
        "state": "waiting",
        "token": response.json()["token"],
        "link": f"http://127.0.0.1:8000/t/{ticket.public_id}/#{response.json()['token']}",
        "language": "en",
        "created_at": ticket.created_at.isoformat(),
    }
    assert (ticket.channel, ticket.topic, ticket.customer.email) == (
        "api",
        world.refund,
        "carla@customers.example",
    )
    assert response.cookies == {}


def test_text_is_all_that_is_needed_and_tells_the_language(world: World) -> None:
    response = anonymous().tell(
        "tickets", {"text": "Guten Tag, wo bleibt denn meine Erstattung für die Schuhe?"}
    )
    assert response.json()["language"] == "de"
    assert Ticket.objects.get().topic is None


def test_takes_a_form(world: World) -> None:
    response = anonymous().tell("tickets", OPEN, format="multipart")
    assert response.status_code == 201
    assert Ticket.objects.get().customer.name == "Carla"


def test_card_numbers_do_not_come_back(world: World) -> None:
    opened = anonymous().tell("tickets", {"text": "My card is 4111 1111 1111 1111, help"}).json()
    seen = Caller(f"Ticket {opened['token']}").ask(f"tickets/{opened['id']}")
    assert b"4111" not in seen.content


class TestTheSameKey:
    def test_opens_once_and_answers_the_same(self, world: World) -> None:
        first = anonymous().tell("tickets", OPEN, key="a-key")
        again = anonymous().tell("tickets", OPEN, key="a-key")
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert (Ticket.objects.count(), Customer.objects.count(), Message.objects.count()) == (1, 1, 1)
        assert TicketEvent.objects.count() == 2

    @pytest.mark.parametrize(
        "other", [{"text": "Another"}, {"language": "de"}, {"email": "d@customers.example"}]
    )
    def test_with_other_content_is_refused(self, world: World, other: dict[str, str]) -> None:
        anonymous().tell("tickets", OPEN, key="a-key")
        with nothing_changed():
            answer = problem(
                anonymous().tell("tickets", {**OPEN, **other}, key="a-key"), 422, "idempotency_key_reused"
            )
        assert "token" not in answer

    def test_does_not_give_out_a_withdrawn_link_again(self, world: World) -> None:
        anonymous().tell("tickets", OPEN, key="a-key")
        Ticket.objects.update(access_version=2)
        with nothing_changed():
            problem(anonymous().tell("tickets", OPEN, key="a-key"), 422, "idempotency_key_reused")

    @pytest.mark.parametrize("key", ["", "k" * 101, "with space", "ümlaut", "tab\t"])
    def test_malformed_is_refused(self, world: World, key: str) -> None:
        with nothing_changed():
            problem(anonymous().tell("tickets", OPEN, key=key), 400, "idempotency_key_invalid")

    def test_of_100_characters_is_fine(self, world: World) -> None:
        assert anonymous().tell("tickets", OPEN, key="k" * 100).status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"text": ""}, 422, "empty_message"),
        ({"text": " \n\t "}, 422, "empty_message"),
        ({"text": "x" * 8001}, 422, "message_too_long"),
        ({"text": "a\x00b"}, 422, "bad_text"),
        ({"text": "a\ud800b"}, 422, "bad_text"),
        ({"text": None}, 400, "invalid"),
        ({"text": 5}, 400, "invalid"),
        ({"text": ["a"]}, 400, "invalid"),
        ({"text": {"a": "b"}}, 400, "invalid"),
        ({"text": True}, 400, "invalid"),
        ({"name": "a\x00b"}, 422, "bad_text"),
        ({"name": 7}, 400, "invalid"),
        ({"name": "n" * 8001}, 422, "message_too_long"),
        ({"email": "no address"}, 400, "invalid"),
        ({"email": "a@b.example\x00"}, 400, "invalid"),
        ({"email": "\udcff@b.example"}, 400, "invalid"),
        ({"email": f"{'e' * 250}@b.example"}, 400, "invalid"),
        ({"email": "a@b.example\nBcc: all@b.example"}, 400, "invalid"),
        ({"topic": "nothing-like-it"}, 422, "unknown_topic"),
        ({"topic": "refund\x00"}, 400, "invalid"),
        ({"topic": "\ud800"}, 400, "invalid"),
        ({"topic": "t" * 51}, 400, "invalid"),
        ({"language": "fr"}, 400, "invalid"),
        ({"language": 1}, 400, "invalid"),
    ],
)
def test_a_wrong_field_is_refused(world: World, change: dict[str, object], status: int, code: str) -> None:
    body = json.dumps({**OPEN, **change}).encode()  # json.dumps writes lone surrogates as escapes
    with nothing_changed():
        answer = problem(anonymous().send("tickets", body), status, code)
    if code == "invalid":
        assert list(answer["errors"]) == list(change)


def test_an_inactive_topic_is_unknown(world: World) -> None:
    world.card.active = False
    world.card.save()
    problem(anonymous().tell("tickets", {"text": "Hello", "topic": "card"}), 422, "unknown_topic")
    assert [topic["key"] for topic in anonymous().ask("topics").json()] == ["refund"]


def test_text_is_required(world: World) -> None:
    with nothing_changed():
        answer = problem(anonymous().tell("tickets", {}), 400, "invalid")
    assert list(answer["errors"]) == ["text"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"", "application/json", 400, "invalid"),  # nothing is an object without fields
        (b"{", "application/json", 400, "parse_error"),
        (b"\x00\x01\x02\xff\xfe", "application/json", 400, "parse_error"),
        ('{"text": "Grüße"}'.encode("latin-1"), "application/json", 400, "parse_error"),
        ('{"text": "Grüße"}'.encode("latin-1"), "application/json; charset=latin-1", 400, "parse_error"),
        ('{"text": "Grüße"}'.encode("utf-16"), "application/json; charset=utf-16", 400, "parse_error"),
        (b'{"text": NaN}', "application/json", 400, "parse_error"),
        (b'{"text": ' + b"1" * 5000 + b"}", "application/json", 400, "parse_error"),
        (b"[" * 100_000, "application/json", 400, "parse_error"),
        (b'["text"]', "application/json", 400, "invalid"),
        (b'"text"', "application/json", 400, "invalid"),
        (b"null", "application/json", 400, "invalid"),
        (b"5", "application/json", 400, "invalid"),
        (b'{"text": "' + b"x" * 1024 * 1024 + b'"}', "application/json", 413, "body_too_large"),
        (b"text=hello", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"<text>hello</text>", "application/xml", 415, "unsupported_media_type"),
        (b"hello", "nonsense", 415, "unsupported_media_type"),
        (b"hello", "", 415, "unsupported_media_type"),
        (b"hello", "multipart/form-data", 400, "parse_error"),
        (b"hello", "multipart/form-data; boundary=x", 400, "invalid"),
        (
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n'
            + b"x" * 1024 * 1024
            + b"\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
            413,
            "body_too_large",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nGr\xfc\xdfe\x00\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            422,
            "bad_text",
        ),
    ],
)
def test_a_wrong_body_is_refused(
    world: World, body: bytes, content_type: str, status: int, code: str
) -> None:
    with nothing_changed():
        problem(anonymous().send("tickets", body, content_type), status, code)


def test_the_refusal_is_in_the_readers_language(world: World) -> None:
    english = problem(anonymous().tell("tickets", {"text": ""}), 422, "empty_message")
    german = problem(
        anonymous().tell("tickets", {"text": ""}, headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.1"}),
        422,
        "empty_message",
    )
    assert english["detail"] == "Please write a message."
    assert german["code"] == english["code"]


def test_topics_come_in_the_readers_language(world: World) -> None:
    assert anonymous().ask("topics").json() == [
        {"key": "refund", "name": "Refund", "opens_at": None},
        {"key": "card", "name": "Card", "opens_at": None},
    ]
    german = anonymous().get("/api/v1/topics", headers={"Accept-Language": "de"}).json()
    assert [topic["name"] for topic in german] == ["Erstattung", "Karte"]


def test_a_stranger_cannot_read_what_the_key_opened(world: World) -> None:
    ticket = world.ticket()
    other = anonymous().tell("tickets", OPEN, key="a-key").json()
    with nothing_changed():
        problem(customer_of(ticket).ask(f"tickets/{other['id']}"), 404, "ticket_not_found")
