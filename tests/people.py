"""People of tests that run against the stack: seeded by a command, then they use the public interfaces only."""

from typing import Any

import httpx

from agents.models import Agent, Pool, Skill
from tests.cast import PASSWORD, World, make_world
from tests.stack import LiveStack
from tickets.models import Topic

SEED = """
from tests.people import world_of
world_of({names!r})
"""


def world_of(names: list[str]) -> None:
    """In the stack's database, by `manage.py shell`: the small world of tests/cast.py, and these agents in it."""
    if Pool.objects.exists():
        world = World(
            Pool.objects.get(key="first"),
            Skill.objects.get(key="payments"),
            Skill.objects.get(key="cards"),
            Topic.objects.get(key="refund"),
            Topic.objects.get(key="card"),
        )
    else:
        world = make_world()
    for name in names:
        if not Agent.objects.filter(name=name).exists():
            world.agent(name)


class Person:
    """An agent who works by the REST API."""

    def __init__(self, stack: LiveStack, name: str) -> None:
        self.client = httpx.Client(base_url=f"{stack.base_url}/api/v1/", timeout=20)
        token = self.post("token", email=f"{name.lower()}@agents.example", password=PASSWORD)["token"]
        self.token = token
        self.client.headers["Authorization"] = f"Token {token}"

    @classmethod
    def prepared(cls, stack: LiveStack, name: str) -> "Person":
        """The person, whose account is made first."""
        prepare(stack, name)
        return cls(stack, name)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """A command that must succeed; returns its answer."""
        answer = self.client.post(path, json=body)
        assert answer.is_success, (path, answer.status_code, answer.text)
        found: dict[str, Any] = answer.json()
        return found


def prepare(stack: LiveStack, *names: str) -> None:
    """Make the small world with these agents in the stack's database, unless they are there."""
    stack.manage("shell", "--no-imports", "-c", SEED.format(names=list(names)))


def open_ticket(stack: LiveStack, text: str, **more: str) -> dict[str, Any]:
    """A customer opens a ticket by the API; returns its answer with id and token."""
    answer = httpx.post(f"{stack.base_url}/api/v1/tickets", json={"text": text, **more}, timeout=20)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found
