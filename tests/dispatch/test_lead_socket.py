"""The wallboard's socket: who is let in, that it moves with the tickets, that a look serves all, and what a number is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.backstage import Backstage
from tests.sockets import Socket
from tests.stack import LiveStack

pytestmark = pytest.mark.servers
LEAD = """
from django.contrib.auth.models import Permission
lead = User.objects.create_user("lead@team.example", name="Lea")
lead.user_permissions.add(*Permission.objects.filter(codename__in=("view_halfhour",)))
client = Client()
client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
result = client.cookies["sessionid"].value
"""


@pytest.fixture
def connect(stack: LiveStack) -> Iterator[Callable[..., Socket]]:
    sockets: list[Socket] = []

    def open_socket(session: str, query: str = "") -> Socket:
        sockets.append(Socket(stack, f"/ws/lead/{query}", cookie=f"sessionid={session}"))
        return sockets[-1]

    yield open_socket
    for each in sockets:
        each.close()


def refused(socket: Socket) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        socket.next()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_only_who_may_see_it(connect: Callable[..., Socket], backstage: Backstage) -> None:
    anna: dict[str, Any] = backstage.run("result = agent('Anna')")
    assert refused(connect(anna["session"])) == 4401
    assert refused(connect("nobody")) == 4401
    socket = connect(backstage.run(LEAD))
    socket.resume()
    first = socket.next("snapshot")
    assert (first["stream"], first["data"]["waiting"], "html" in first) == ("wall", 0, False)
    backstage.run("lead.user_permissions.clear()")
    socket.beat()
    assert refused(socket) == 4403


def test_a_socket_that_never_beats_ends_with_the_right(
    connect: Callable[..., Socket], backstage: Backstage
) -> None:
    socket = connect(backstage.run(LEAD))
    socket.resume()
    socket.next("snapshot")
    backstage.run("lead.user_permissions.clear()")
    assert socket.closed(seconds=30) == 4403


def test_it_moves_with_the_tickets_and_numbers_grow(
    connect: Callable[..., Socket], backstage: Backstage
) -> None:
    session = backstage.run(LEAD)
    one, other = connect(session), connect(session, "?fragments=1&lang=de")
    for socket in (one, other):
        socket.resume()
    seqs = [one.next("snapshot")["seq"]]
    assert "Längste Wartezeit" in other.next("snapshot")["html"]
    backstage.ticket()
    while (frame := one.next("snapshot"))["data"]["waiting"] != 1:
        seqs.append(frame["seq"])
    seqs.append(frame["seq"])
    assert seqs == sorted(set(seqs))
    while "figure-waiting" not in (frame := other.next("snapshot"))["html"]:
        pass
    assert 'id="figure-waiting">1<' in frame["html"]
    # Who comes back with that number gets nothing they have; with one that was never given, the state.
    again = connect(session)
    again.resume({"wall": 2**60})
    assert again.next("snapshot")["data"]["waiting"] == 1
    again.raw('{"type": "accept"}')
    assert again.until("error")["data"]["code"] == "unknown_frame"
