"""The way of one ticket, told by the answers of the REST interface alone."""

import pytest

from agents.models import LedgerEntry
from dispatch.runs import match_pool
from tests.callers import Caller, anonymous
from tests.cast import PASSWORD, World

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_ticket_goes_its_way(world: World) -> None:
    anna = world.agent("Anna")
    opened = anonymous().tell(
        "tickets", {"text": "Where is my refund?", "name": "Carla", "topic": "refund", "language": "en"}
    )
    assert opened.status_code == 201, opened.content
    ticket = opened.json()
    assert ticket["state"] == "waiting"
    assert ticket["link"].endswith(f"/t/{ticket['id']}/#{ticket['token']}")
    carla = Caller(f"Ticket {ticket['token']}")

    token = anonymous().tell("token", {"email": anna.user.email, "password": PASSWORD}).json()["token"]
    agent = Caller(f"Token {token}")
    shift = agent.tell("shift/online").json()["shift"]
    assert shift == {
        "epoch": 1,
        "state": "online",
        "reason": "",
        "lost": False,
        "units": 100,
        "units_taken": 0,
    }

    match_pool(world.pool.pk)
    [card] = agent.ask("offers").json()["offers"]
    assert (card["pay_cents"], card["topic_name"], card["summary"]) == (400, "Refund", "Where is my refund?")
    offer = card["offer"]
    accepted = agent.tell(f"offers/{offer}/accept", {"epoch": 1})
    assert accepted.json() == {"offer": offer, "state": "accepted", "ticket": ticket["id"]}
    assert agent.ask("shift").json()["shift"]["units_taken"] == 30

    path = f"desk/{ticket['id']}"
    assert agent.tell(f"{path}/reply", {"epoch": 1, "body": "Let me look."}).status_code == 201
    assert agent.tell(f"{path}/note", {"epoch": 1, "body": "A regular."}).status_code == 201
    said = carla.tell(f"tickets/{ticket['id']}/messages", {"body": "Thank you"})
    assert said.status_code == 201
    seen = carla.ask(f"tickets/{ticket['id']}").json()
    assert [message["body"] for message in seen["messages"]] == [
        "Where is my refund?",
        "Let me look.",
        "Thank you",
    ]
    assert (seen["state"], seen["agent_name"]) == ("held", "Anna")
    [held] = agent.ask("desk").json()["tickets"]
    assert [message["body"] for message in held["messages"]] == [
        "Where is my refund?",
        "Let me look.",
        "A regular.",
        "Thank you",
    ]
    assert agent.ask(path).json() == held

    assert agent.tell(f"{path}/resolve", {"epoch": 1}).json() == {"state": "resolved"}
    rated = carla.tell(f"tickets/{ticket['id']}/rating", {"score": 5, "solved": True, "comment": "Quick!"})
    assert (rated.status_code, rated.json()["state"]) == (200, "resolved")
    frames = carla.ask(f"tickets/{ticket['id']}/events", after=2).json()
    assert [frame["type"] for frame in frames["frames"]] == [
        "ticket.held",
        "message.posted",
        "message.posted",
        "ticket.resolved",
        "ticket.rated",
    ]
    assert frames["seq"] == rated.json()["seq"]

    entry = LedgerEntry.objects.get()
    earned = agent.ask("earnings").json()
    assert earned == {
        "next": None,
        "previous": None,
        "results": [
            {
                "at": earned["results"][0]["at"],
                "kind": "ticket",
                "amount_cents": 400,
                "currency": "EUR",
                "reference": f"offer:{offer}",
                "memo": entry.memo,
            }
        ],
    }
    assert agent.tell("shift/offline", {"epoch": 1}).json() == {"shift": None}
    assert agent.ask("me").json() == {
        "id": anna.pk,
        "name": "Anna",
        "email": "anna@agents.example",
        "languages": ["en", "de"],
        "skills": [
            {"key": "cards", "name": "Cards", "level": 3, "certified_until": None},
            {"key": "payments", "name": "Payments", "level": 3, "certified_until": None},
        ],
        "pools": ["first"],
        "auto_accept": False,
        "stream": f"agent:{anna.pk}",
    }
