"""A Python process on the stack's database, kept open: tests set scenes and act as others through the same services.

    backstage = Backstage(stack)
    anna = backstage.run("result = world.agent('Anna').pk")

What a snippet leaves in `result` comes back as JSON; names stay from one snippet to the next.
"""

import json
import os
import subprocess
import sys
from typing import Any

from config.stack import PROJECT
from tests.stack import LiveStack

LOOP = """
import json, sys
import django
django.setup()
from agents.models import *
from dispatch import desk, presence, runs, tasks
from dispatch.models import *
from dispatch.offers import *
from tickets import conversation, lifecycle
from tickets.models import *
from tests.cast import make_world
scope = dict(globals())
for line in sys.stdin:
    scope["result"] = None
    try:
        exec(json.loads(line), scope)
        answer = {"result": scope["result"]}
    except Exception as error:
        answer = {"error": repr(error)}
    print("=" + json.dumps(answer, default=str), flush=True)
"""

EMPTY = """
TRUNCATE tickets_ticket, tickets_customer, tickets_topic, agents_agent, agents_user, agents_pool, agents_skill,
         dispatch_run, dispatch_route, dispatch_rate, django_session CASCADE
"""


class Backstage:
    """Starts with an empty database and the small world of tests/cast.py as `world`."""

    def __init__(self, stack: LiveStack) -> None:
        stack.sql(EMPTY)
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOOP],
            cwd=PROJECT,
            env=os.environ | dict(stack.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.run("world = make_world()")

    def run(self, code: str) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("="):
                answer = json.loads(line[1:])
                assert "error" not in answer, f"{answer['error']} in {code}"
                return answer["result"]
        raise AssertionError(f"the process behind the scenes ended in {code}")

    def ticket(self, text: str = "Where is my refund?", topic: str = "refund", language: str = "en") -> str:
        """A ticket of the customer Carla. Returns its public id."""
        return str(
            self.run(
                f"result = world.ticket({text!r}, topic=Topic.objects.get(key={topic!r}), language={language!r}).public_id"
            )
        )

    def customer_says(self, public_id: str, text: str) -> None:
        self.run(
            f"conversation.customer_reply(ticket=Ticket.objects.get(public_id={public_id!r}), body={text!r})"
        )

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=20)
