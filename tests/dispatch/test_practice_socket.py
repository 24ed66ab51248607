"""An applicant's socket while they practise: their own ticket's stream, the script's answers by the tick, and nobody else's."""

from typing import Any

import pytest

from tests.backstage import Backstage
from tests.invariants import broken
from tests.sockets import Socket
from tests.stack import LiveStack

pytestmark = pytest.mark.servers

SCENE = """
from dispatch import practice
from tests.practising import begin, make_applicant, make_script
if not PracticeScript.objects.exists():
    make_script(world.refund)
nina = make_applicant(world)
one = begin(nina)
result = {"ticket": one.ticket.public_id, "stream": f"agent:{nina.pk}", "token": account_token_make(user=nina.user)}
"""
HELD = """
epoch = presence.go_online(agent_id=anna['id']).epoch
real = world.ticket().public_id
offer_accept(offer_id=offered(anna['id']), agent_id=anna['id'], epoch=epoch)
result = real
"""


def test_of_the_streams_only_their_own(stack: LiveStack, backstage: Backstage) -> None:
    scene: dict[str, Any] = backstage.run(SCENE)
    backstage.run("anna = agent('Anna')")
    real = str(backstage.run(HELD))
    socket = Socket(stack, "/ws/agent/", headers={"Authorization": f"Token {scene['token']}"})
    try:
        socket.resume({f"ticket:{real}": 0})  # asking for it helps nothing
        own = socket.next("snapshot")
        assert own["stream"] == scene["stream"]
        assert own["data"]["tickets"] == [scene["ticket"]]
        assert own["data"]["shift"] | {"epoch": 1, "state": "finishing"} == own["data"]["shift"]
        assert socket.next("snapshot")["stream"] == f"ticket:{scene['ticket']}"

        backstage.customer_says(real, "A word that only Anna may read")
        backstage.run(
            "desk.reply(agent=nina, epoch=1, ticket_id=one.ticket_id, body='Could you tell me your order number?')"
        )
        frames = [socket.until("message.posted") for _ in range(2)]  # theirs, and the script's by the tick
        assert [(frame["stream"], frame["data"]["author"], frame["data"]["body"]) for frame in frames] == [
            (f"ticket:{scene['ticket']}", "agent", "Could you tell me your order number?"),
            (f"ticket:{scene['ticket']}", "customer", "It is K-7731."),
        ]

        backstage.run("desk.resolve(agent=nina, epoch=1, ticket_id=one.ticket_id)")
        assert socket.until("shift.changed")["data"]["state"] == "ended"  # assessed by the tick
        assert stack.sql("SELECT passed FROM dispatch_practice") == [(False,)]
        assert broken(stack.sql) == {}
    finally:
        socket.close()
