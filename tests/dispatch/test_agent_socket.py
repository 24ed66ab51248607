"""The agents' socket, with a websocket client that we did not write, against the running web and worker.

Anna and Bernd are agents; Carla is the customer. What others do happens backstage, in a process of its own.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.backstage import Backstage
from tests.sockets import Socket, state_of_agent, state_of_ticket
from tests.stack import LiveStack

pytestmark = pytest.mark.servers

AGENT = "/ws/agent/"
Connect = Callable[..., Socket]


@pytest.fixture
def connect(stack: LiveStack) -> Iterator[Connect]:
    sockets: list[Socket] = []

    def open_socket(token: str = "", *, path: str = AGENT, **more: Any) -> Socket:
        headers = {"Authorization": f"Token {token}"} if token else {}
        sockets.append(Socket(stack, path, headers=headers, **more))
        return sockets[-1]

    yield open_socket
    for each in sockets:
        each.close()


@pytest.fixture
def anna(backstage: Backstage) -> dict[str, Any]:
    return dict(backstage.run("result = agent('Anna')"))


def go_online(backstage: Backstage, agent: dict[str, Any]) -> int:
    return int(backstage.run(f"result = presence.go_online(agent_id={agent['id']}).epoch"))


def hold(backstage: Backstage, agent: dict[str, Any], epoch: int, text: str = "Where is my refund?") -> str:
    """A new ticket, offered to the agent by the worker and accepted by them. Returns its public id."""
    public_id = backstage.ticket(text)
    backstage.run(f"offer_accept(offer_id=offered({agent['id']}), agent_id={agent['id']}, epoch={epoch})")
    return public_id


# --- Who may connect ------------------------------------------------------------------------------------------------


def test_a_token_and_a_session_are_admitted(connect: Connect, anna: dict[str, Any]) -> None:
    for socket in (connect(anna["token"]), connect(cookie=f"sessionid={anna['session']}")):
        socket.resume()
        assert socket.next("snapshot")["stream"] == anna["stream"]


@pytest.mark.parametrize(
    "who", ["nobody", "a wrong token", "a wrong session", "a customer's account", "suspended"]
)
def test_others_are_closed_with_4401(
    connect: Connect, backstage: Backstage, anna: dict[str, Any], who: str
) -> None:
    more: dict[str, Any] = {}
    match who:
        case "a wrong token":
            more = {"token": "0" * 40}
        case "a wrong session":
            more = {"cookie": "sessionid=abcdefghijklmnop"}
        case "a customer's account":
            more = {
                "token": backstage.run(
                    "result = account_token_make(user=User.objects.create_user('lead@team.example', 'x'))"
                )
            }
        case "suspended":
            backstage.run("Agent.objects.update(status='suspended')")
            more = {"token": anna["token"]}
    assert connect(**more).closed() == 4401


@pytest.mark.parametrize("origin", ["https://evil.example", None, "null"])
def test_a_wrong_or_missing_origin_is_refused(
    connect: Connect, anna: dict[str, Any], origin: str | None
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(anna["token"], origin=origin)
    assert refused.value.response.status_code == 403


# --- What clients may send ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{", "bad_frame"),
        ("[]", "bad_frame"),
        ("9" * 5000, "bad_frame"),
        ('{"type": "resume", "after": {"agent:1": -1}}', "bad_frame"),
        ('{"type": "resume", "after": {"agent:1": true}}', "bad_frame"),
        ('{"type": "resume", "after": []}', "bad_frame"),
        ('{"type": "beat", "epoch": "3"}', "bad_frame"),
        ('{"type": "offer.accept", "offer": 1}', "unknown_frame"),
        ("{}", "unknown_frame"),
        (b"\x00\x01", "bad_frame"),
    ],
)
def test_what_cannot_be_read_is_answered_and_changes_nothing(
    connect: Connect, anna: dict[str, Any], sent: str | bytes, code: str
) -> None:
    socket = connect(anna["token"])
    socket.raw(sent)
    assert socket.next("error")["data"]["code"] == code
    socket.resume()
    assert socket.next("snapshot")["data"]["shift"] is None


def test_a_huge_frame_closes(connect: Connect, anna: dict[str, Any]) -> None:
    socket = connect(anna["token"])
    socket.raw('{"type": "' + "x" * 70_000 + '"}')
    assert socket.closed() == 1009


def test_a_flood_closes(connect: Connect, anna: dict[str, Any]) -> None:
    socket = connect(anna["token"])
    with contextlib.suppress(ConnectionClosed):  # while sending, or only while reading on a slower server
        for _ in range(3000):
            socket.raw('{"type": "beat"}')
            socket.drain()
    assert socket.closed() == 4429


# --- Resume ---------------------------------------------------------------------------------------------------------


def test_resume_sends_exactly_what_is_missing(
    connect: Connect, backstage: Backstage, anna: dict[str, Any]
) -> None:
    epoch = go_online(backstage, anna)
    public_id = hold(backstage, anna, epoch)
    first = connect(anna["token"])
    first.resume()
    own, ticket = first.next("snapshot"), first.next("snapshot")
    assert own["data"]["tickets"] == [public_id]
    assert ticket["stream"] == f"ticket:{public_id}"
    first.close()
    for text in ("One", "Two"):
        backstage.customer_says(public_id, text)
    backstage.run(f"presence.pause(agent_id={anna['id']}, epoch={epoch})")

    again = connect(anna["token"])
    again.resume({own["stream"]: own["seq"], ticket["stream"]: ticket["seq"]})
    frames = [again.next() for _ in range(3)]
    assert [(frame["type"], frame["seq"]) for frame in frames] == [
        ("shift.changed", own["seq"] + 1),
        ("message.posted", ticket["seq"] + 1),
        ("message.posted", ticket["seq"] + 2),
    ]
    assert [frame["data"]["body"] for frame in frames[1:]] == ["One", "Two"]
    again.quiet()


def test_a_number_that_was_never_given_is_answered_with_a_snapshot(
    connect: Connect, backstage: Backstage, anna: dict[str, Any]
) -> None:
    public_id = hold(backstage, anna, go_online(backstage, anna))
    socket = connect(anna["token"])
    socket.resume({anna["stream"]: 10**30, f"ticket:{public_id}": 999})
    assert [socket.next()["type"] for _ in range(2)] == ["snapshot", "snapshot"]


def test_who_is_too_far_behind_gets_a_snapshot(
    connect: Connect, backstage: Backstage, anna: dict[str, Any]
) -> None:
    public_id = hold(backstage, anna, go_online(backstage, anna))
    backstage.run(
        f"""
from tickets.timeline import command
from dispatch import feed
from dispatch.events import SHIFT_CHANGED
from tickets import timeline, events
with command():
    for _ in range(501):
        feed.record({anna["id"]}, SHIFT_CHANGED, {{"epoch": 1, "state": "online", "reason": "", "lost": False}})
        timeline.advance(Ticket.objects.filter(public_id={public_id!r}), events.AGENT_BACK)
"""
    )
    socket = connect(anna["token"])
    socket.resume({anna["stream"]: 1, f"ticket:{public_id}": 1})
    frames = [socket.next(), socket.next()]
    assert [frame["type"] for frame in frames] == ["snapshot", "snapshot"]
    assert frames[0]["data"]["tickets"] == [public_id]
    assert frames[1]["seq"] > 500


# --- News -----------------------------------------------------------------------------------------------------------


def test_an_accepted_ticket_brings_its_stream_and_takes_it_away(
    connect: Connect, backstage: Backstage, anna: dict[str, Any]
) -> None:
    epoch = go_online(backstage, anna)
    socket = connect(anna["token"])
    socket.resume()
    socket.next("snapshot")
    public_id = hold(backstage, anna, epoch)
    assert socket.next()["type"] == "offer.made"
    assert socket.next()["type"] == "offer.accepted"
    taken = socket.next()
    assert (taken["type"], taken["stream"]) == ("snapshot", f"ticket:{public_id}")

    backstage.customer_says(public_id, "Hello?")
    assert socket.next()["data"]["body"] == "Hello?"
    backstage.run(
        f"""
anna = Agent.objects.get(pk={anna["id"]})
ticket = Ticket.objects.get(public_id={public_id!r})
presence.finish(agent_id=anna.pk, epoch={epoch})
desk.hand_back(agent=anna, epoch={epoch}, ticket_id=ticket.pk, reason="time")
"""
    )
    assert socket.until("offer.released")["data"]["ticket"] == public_id
    ended = socket.until("shift.changed")["data"]  # nothing is left to finish
    assert (ended["state"], ended["epoch"]) == ("ended", epoch)
    backstage.customer_says(public_id, "Is anybody there?")
    socket.beat(epoch)
    assert socket.next()["type"] == "heartbeat"
    socket.quiet()


def test_everybody_hears_their_own_news_only(
    connect: Connect, backstage: Backstage, anna: dict[str, Any]
) -> None:
    bernd = backstage.run("result = agent('Bernd')")
    epoch = go_online(backstage, anna)
    public_id = hold(backstage, anna, epoch)
    theirs = connect(bernd["token"])
    # Asking for the streams of others by name opens nothing.
    theirs.resume({bernd["stream"]: 0, anna["stream"]: 0, f"ticket:{public_id}": 0})
    backstage.customer_says(public_id, "For Anna's eyes")
    backstage.run(f"presence.pause(agent_id={anna['id']}, epoch={epoch})")
    theirs.beat(None)
    assert theirs.next()["type"] == "heartbeat"
    theirs.quiet()


def test_what_the_bell_did_not_tell_is_found_with_the_next_beat(
    connect: Connect, backstage: Backstage, anna: dict[str, Any]
) -> None:
    epoch = go_online(backstage, anna)
    public_id = hold(backstage, anna, epoch)
    socket = connect(anna["token"])
    socket.resume()
    socket.next("snapshot"), socket.next("snapshot")
    backstage.run("bell._ring_now = lambda bells: None")
    backstage.customer_says(public_id, "Nobody rang")
    backstage.run(f"presence.pause(agent_id={anna['id']}, epoch={epoch})")
    socket.quiet()
    socket.beat(epoch)
    frames = [socket.next() for _ in range(3)]
    assert [frame["type"] for frame in frames] == ["heartbeat", "shift.changed", "message.posted"]


def test_a_beat_renews_the_lease_and_says_whether_the_shift_lives(
    connect: Connect, backstage: Backstage, stack: LiveStack, anna: dict[str, Any]
) -> None:
    epoch = go_online(backstage, anna)
    before = stack.sql(
        "UPDATE agents_lease SET expires_at = now() + interval '2 seconds' RETURNING expires_at"
    )
    socket = connect(anna["token"])
    socket.beat(epoch)
    assert socket.next("heartbeat")["data"] == {"stream": anna["stream"], "seq": 1, "shift": True}
    assert stack.sql("SELECT expires_at FROM agents_lease") > before
    socket.beat(epoch + 1)
    assert socket.next("heartbeat")["data"]["shift"] is False
    socket.beat(None)
    assert socket.next("heartbeat")["data"]["shift"] is False


@pytest.mark.parametrize("how", ["signed out", "disabled", "suspended", "token withdrawn"])
def test_who_may_no_longer_be_here_is_closed_within_a_beat(
    connect: Connect, backstage: Backstage, anna: dict[str, Any], how: str
) -> None:
    more = (
        {"token": anna["token"]} if how == "token withdrawn" else {"cookie": f"sessionid={anna['session']}"}
    )
    socket = connect(**more)
    socket.resume()
    socket.next("snapshot")
    backstage.run(
        {
            "signed out": "from django.contrib.sessions.models import Session; Session.objects.all().delete()",
            "disabled": "User.objects.update(is_active=False)",
            "suspended": "Agent.objects.update(status='suspended')",
            "token withdrawn": "AccountToken.objects.all().delete()",
        }[how]
    )
    socket.beat(None)
    assert socket.closed() == 4403


def test_a_socket_that_never_beats_ends_too(
    connect: Connect, backstage: Backstage, anna: dict[str, Any]
) -> None:
    signed_in, by_token = connect(cookie=f"sessionid={anna['session']}"), connect(anna["token"])
    for socket in (signed_in, by_token):
        socket.resume()
        socket.next("snapshot")
    backstage.run(
        "from django.contrib.sessions.models import Session\n"
        "Session.objects.all().delete(); AccountToken.objects.all().delete()"
    )
    assert [signed_in.closed(seconds=30), by_token.closed(seconds=30)] == [4403, 4403]


# --- Fragments ------------------------------------------------------------------------------------------------------


def test_a_page_gets_html_in_its_language(
    connect: Connect, backstage: Backstage, anna: dict[str, Any]
) -> None:
    backstage.run("User.objects.update(language='de')")
    public_id = hold(backstage, anna, go_online(backstage, anna))
    english = connect(path=f"{AGENT}?fragments=1&lang=en", cookie=f"sessionid={anna['session']}")
    english.resume()
    own, ticket = english.next("snapshot"), english.next("snapshot")
    assert "You are online." in own["html"]
    assert f'id="thread-{public_id}"' in own["html"]
    assert f'id="messages-{public_id}"' in ticket["html"]
    assert "carla@customers.example" not in own["html"] + ticket["html"]
    german = connect(path=f"{AGENT}?fragments=1", cookie=f"sessionid={anna['session']}")
    german.resume()
    assert "You are online." not in german.next("snapshot")["html"]
    data = connect(anna["token"])
    data.resume()
    assert "html" not in data.next("snapshot")


# --- State + events = state -----------------------------------------------------------------------------------------


def test_a_page_that_applies_all_events_has_what_a_snapshot_says(
    connect: Connect, backstage: Backstage, anna: dict[str, Any]
) -> None:
    follower = connect(anna["token"])
    follower.resume()
    agent = state_of_agent(follower.next("snapshot"))
    tickets: dict[str, dict[str, Any]] = {}
    backstage.run(f"anna = Agent.objects.get(pk={anna['id']}); act = dict(agent_id=anna.pk)")
    script = [
        "epoch = presence.go_online(**act).epoch",
        "ticket = world.ticket(); offer = offered(anna.pk)",
        "offer_decline(offer_id=offer, epoch=epoch, **act)",
        "lifecycle.ticket_close(ticket=ticket)",
        "ticket = world.ticket('My refund is late'); offer = offered(anna.pk)",
        "offer_accept(offer_id=offer, epoch=epoch, **act)",
        "desk.reply(agent=anna, epoch=epoch, ticket_id=ticket.pk, body='Hello')",
        "desk.note(agent=anna, epoch=epoch, ticket_id=ticket.pk, body='Only for us')",
        "conversation.customer_reply(ticket=ticket, body='Thank you')",
        "lifecycle.ticket_request_human(ticket=ticket)",
        "presence.pause(epoch=epoch, **act)",
        "presence.go_online(**act)",
        "second = world.ticket('And another'); offer = offered(anna.pk)",
        "offer_accept(offer_id=offer, epoch=epoch, **act)",
        "presence.finish(epoch=epoch, **act)",
        "desk.resolve(agent=anna, epoch=epoch, ticket_id=ticket.pk)",
        "lifecycle.ticket_close(ticket=second)",
        "epoch = presence.go_online(**act).epoch; Route.objects.update(wrap_up_seconds=600); kept.forget()",
        "ticket = world.ticket('A third'); offer = offered(anna.pk)",
        "offer_accept(offer_id=offer, epoch=epoch, **act)",
        "desk.reply(agent=anna, epoch=epoch, ticket_id=ticket.pk, body='Still there?')",
        "Route.objects.update(silent_seconds=1); kept.forget(); time.sleep(1.1); silence.customers_look()",
        "conversation.customer_reply(ticket=ticket, body='Yes'); silence.customers_look()",
        "desk.resolve(agent=anna, epoch=epoch, ticket_id=ticket.pk)",
        "desk.note(agent=anna, epoch=epoch, ticket_id=ticket.pk, body='For whoever comes next')",
        "wrap_up.done(agent=anna, epoch=epoch, ticket_id=ticket.pk)",
        "ticket = world.ticket('A fourth'); offer = offered(anna.pk)",
        "offer_accept(offer_id=offer, epoch=epoch, **act)",
        "desk.resolve(agent=anna, epoch=epoch, ticket_id=ticket.pk)",
        "presence.go_offline(epoch=epoch, **act)",
    ]
    for step in script:
        backstage.run(step)
        fresh = connect(anna["token"])
        fresh.resume()
        wanted = state_of_agent(fresh.next("snapshot"))
        held = [state_of_ticket(fresh.next("snapshot")) for _ in [*wanted["tickets"], *wanted["wrap_ups"]]]
        fresh.close()
        numbers = {wanted["stream"]: wanted["seq"]} | {one["stream"]: one["seq"] for one in held}
        follower.apply_until(numbers, agent, tickets)
        assert agent == wanted, step
        assert [tickets[one["stream"]] for one in held] == held, step
        assert set(tickets) == {one["stream"] for one in held}, step
