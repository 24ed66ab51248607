"""The customers' socket: one ticket, public events only, opened by the private link's token."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.backstage import Backstage
from tests.sockets import Socket, apply_to_ticket, state_of_ticket
from tests.stack import LiveStack

pytestmark = pytest.mark.servers

Connect = Callable[..., Socket]


@pytest.fixture
def connect(stack: LiveStack) -> Iterator[Connect]:
    sockets: list[Socket] = []

    def open_socket(ticket: dict[str, Any], *, query: str = "", **more: Any) -> Socket:
        if not more.keys() & {"headers", "cookie"}:
            more["headers"] = {"Authorization": f"Ticket {ticket['token']}"}
        sockets.append(Socket(stack, f"/ws/tickets/{ticket['id']}/{query}", **more))
        return sockets[-1]

    yield open_socket
    for each in sockets:
        each.close()


@pytest.fixture
def ticket(backstage: Backstage) -> dict[str, Any]:
    """Carla's ticket; nobody is online."""
    return dict(
        backstage.run(
            "ticket = world.ticket();"
            " result = {'id': ticket.public_id, 'token': access.token_of(ticket), 'stream': ticket.stream}"
        )
    )


def numbers(socket: Socket, count: int) -> list[tuple[str, int]]:
    return [(frame["type"], frame["seq"]) for frame in (socket.next() for _ in range(count))]


def test_header_and_cookie_open_the_ticket(connect: Connect, ticket: dict[str, Any]) -> None:
    odd = f'odd="a{{b}}; theme=[1,2]; t-{ticket["id"]}={ticket["token"]}'  # cookies of others that no parser likes
    for socket in (
        connect(ticket),
        connect(ticket, cookie=f"t-{ticket['id']}={ticket['token']}"),
        connect(ticket, cookie=odd),
    ):
        socket.resume()
        assert socket.next("snapshot")["data"]["public_id"] == ticket["id"]


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é" * 43, "{other}"])
def test_other_tokens_are_closed_with_4404(
    connect: Connect, backstage: Backstage, ticket: dict[str, Any], token: str
) -> None:
    if token == "{other}":
        token = backstage.run("result = access.token_of(world.ticket())")
    assert connect(ticket, cookie=f"t-{ticket['id']}={token}".encode().decode("latin-1")).closed() == 4404


def test_a_ticket_that_is_not_there_is_closed_alike(connect: Connect, ticket: dict[str, Any]) -> None:
    assert connect(ticket | {"id": "nosuchticket"}).closed() == 4404


@pytest.mark.parametrize("origin", ["https://evil.example", None])
def test_a_wrong_origin_is_refused(connect: Connect, ticket: dict[str, Any], origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(ticket, origin=origin)
    assert refused.value.response.status_code == 403


def test_unknown_frames_are_answered(connect: Connect, ticket: dict[str, Any]) -> None:
    socket = connect(ticket)
    socket.raw('{"type": "message", "body": "by socket?"}')
    assert socket.next("error")["data"]["code"] == "unknown_frame"


def test_resume_sends_exactly_what_is_missing(
    connect: Connect, backstage: Backstage, ticket: dict[str, Any]
) -> None:
    socket = connect(ticket)
    socket.resume()
    known = socket.next("snapshot")["seq"]
    socket.close()
    backstage.customer_says(ticket["id"], "One")
    backstage.customer_says(ticket["id"], "Two")
    again = connect(ticket)
    again.resume({ticket["stream"]: known})
    told = [again.next() for _ in range(2)]
    # Places and flags may be told in between by the worker; messages are in order and once.
    while sum(frame["type"] == "message.posted" for frame in told) < 2:
        told.append(again.next())
    assert [frame["data"]["body"] for frame in told if frame["type"] == "message.posted"] == ["One", "Two"]
    assert [frame["seq"] for frame in told] == sorted({frame["seq"] for frame in told})
    assert told[0]["seq"] > known


def test_a_number_that_was_never_given_gets_a_snapshot(connect: Connect, ticket: dict[str, Any]) -> None:
    socket = connect(ticket)
    socket.resume({ticket["stream"]: 10**20})
    assert socket.next()["type"] == "snapshot"


def test_notes_and_offers_are_never_told(
    connect: Connect, backstage: Backstage, ticket: dict[str, Any]
) -> None:
    socket = connect(ticket)
    socket.resume()
    first = socket.next("snapshot")
    backstage.run(
        """
anna = world.agent("Anna")
epoch = presence.go_online(agent_id=anna.pk).epoch
offer_accept(offer_id=offered(anna.pk), agent_id=anna.pk, epoch=epoch)
desk.note(agent=anna, epoch=epoch, ticket_id=ticket.pk, body="She is right, and I would not tell her")
desk.reply(agent=anna, epoch=epoch, ticket_id=ticket.pk, body="Hello Carla")
"""
    )
    seen = []
    while not seen or seen[-1]["type"] != "message.posted":
        seen.append(socket.next())
    assert {frame["type"] for frame in seen} <= {
        "ticket.held",
        "ticket.placed",
        "ticket.flagged",
        "ticket.unflagged",
        "message.posted",
    }
    assert seen[-1]["data"]["body"] == "Hello Carla"
    fresh = connect(ticket, query="?fragments=1&lang=en")
    fresh.resume()
    snapshot = fresh.next("snapshot")
    assert "would not tell" not in str(seen) + str(snapshot)
    replay = connect(ticket)
    replay.resume({ticket["stream"]: first["seq"]})
    assert "would not tell" not in str([replay.next() for _ in range(len(seen))])


def test_what_the_bell_did_not_tell_is_found_with_the_next_beat(
    connect: Connect, backstage: Backstage, ticket: dict[str, Any]
) -> None:
    socket = connect(ticket)
    socket.resume()
    socket.next("snapshot")
    backstage.run("bell._ring_now = lambda bells: None")
    backstage.customer_says(ticket["id"], "Nobody rang")
    socket.beat()
    frames = [socket.next()]
    while frames[-1]["type"] != "message.posted":
        frames.append(socket.next())
    assert "heartbeat" in [frame["type"] for frame in frames]


def test_a_withdrawn_link_is_closed_within_a_beat(
    connect: Connect, backstage: Backstage, ticket: dict[str, Any]
) -> None:
    socket = connect(ticket)
    socket.resume()
    socket.next("snapshot")
    backstage.run("Ticket.objects.update(access_version=2)")
    socket.beat()
    assert socket.closed() == 4404


def test_a_socket_that_never_beats_ends_with_its_key(
    connect: Connect, backstage: Backstage, ticket: dict[str, Any]
) -> None:
    socket = connect(ticket)
    socket.resume()
    socket.next("snapshot")
    backstage.run(
        "Customer.objects.update(email='carla@customers.example')\n"
        "one = Ticket.objects.select_related('customer').get()\n"
        "returning.confirm(ticket=one, proof=returning.proof_of(one))"
    )
    assert socket.closed() == 4404


def test_a_page_that_applies_all_events_has_what_a_snapshot_says(
    connect: Connect, backstage: Backstage, ticket: dict[str, Any]
) -> None:
    follower = connect(ticket)
    follower.resume()
    state = state_of_ticket(follower.next("snapshot"))
    script = [
        "lifecycle.ticket_request_human(ticket=ticket)",
        "conversation.customer_reply(ticket=ticket, body='Hello?')",
        "anna = world.agent('Anna'); act = dict(agent=anna, ticket_id=ticket.pk)",
        "epoch = presence.go_online(agent_id=anna.pk).epoch",
        "offer_accept(offer_id=offered(anna.pk), agent_id=anna.pk, epoch=epoch)",
        "desk.note(epoch=epoch, body='Only for us', **act)",
        "desk.reply(epoch=epoch, body='Hello', **act)",
        "desk.hand_back(epoch=epoch, **act)",
        "presence.go_offline(agent_id=anna.pk, epoch=epoch); bernd = world.agent('Bernd')",
        "epoch = presence.go_online(agent_id=bernd.pk).epoch; act['agent'] = bernd",
        "offer_accept(offer_id=offered(bernd.pk), agent_id=bernd.pk, epoch=epoch)",
        "desk.resolve(epoch=epoch, **act)",
        "lifecycle.ticket_rate(ticket=ticket, score=4, solved=False)",
        "lifecycle.ticket_reopen(ticket=ticket, body='Once more')",
        "lifecycle.ticket_close(ticket=ticket)",
    ]
    for step in script:
        backstage.run(step)
        fresh = connect(ticket)
        fresh.resume()
        wanted = state_of_ticket(fresh.next("snapshot"))
        fresh.close()
        # Numbers that are not for customers leave no frame. So: two beats; what the first one finds comes before the
        # answer to the second.
        follower.beat()
        follower.beat()
        answers = 0
        while answers < 2:
            if (frame := follower.next())["type"] == "heartbeat":
                answers += 1
            else:
                apply_to_ticket(state, frame)
        # Whatever else the worker told meanwhile is compared at its own number.
        if state["seq"] <= wanted["seq"]:
            assert {**state, "seq": 0} == {**wanted, "seq": 0}, step
