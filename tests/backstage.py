"""A Python process on the stack's database, kept open: tests set scenes and act as others through the same services.

    anna = backstage.run("result = world.agent('Anna').pk")

What a snippet leaves in `result` comes back as JSON; names stay from one snippet to the next. The fixture `backstage` is
in tests/conftest.py: each test begins with the small world of tests/cast.py and nobody in it.
"""

import json
import os
import subprocess
import sys
from typing import Any

import psycopg2

from config.stack import PROJECT
from tests.stack import LiveStack
from tests.waiting import until

LOOP = """
import json, sys
import django
django.setup()
from agents.models import *
from dispatch import desk, presence, runs, silence, tasks, wrap_up
from dispatch.models import *
from dispatch.offers import *
from tickets import conversation, kept, lifecycle, returning
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

# Offers stay open for long, since no test is about how fast it answers them. Topics, routes, pool and skills stay, since the
# processes keep them in mind for some seconds.
EMPTY = """
SET lock_timeout = '2s';
TRUNCATE tickets_ticket, tickets_customer, agents_agent, agents_user, dispatch_run, django_session CASCADE;
TRUNCATE dispatch_poolstanding, dispatch_forecast;
UPDATE dispatch_rate SET bonus_cents = 0, waiting_cents_per_minute = 0, release_percent = 0;
UPDATE dispatch_route SET offer_seconds = 120, wrap_up_seconds = 0, silent_seconds = 300, units = 30;
"""
FUNCTIONS = """
import time
from datetime import timedelta
from django.test import Client
from agents import shifts
from agents.tokens import account_token_make
from tests.waiting import until
from tickets import access, bell

def agent(name, **more):
    made = world.agent(name, **more)
    client = Client()
    client.force_login(made.user, backend="django.contrib.auth.backends.ModelBackend")
    return {"id": made.pk, "token": account_token_make(user=made.user),
            "session": client.cookies["sessionid"].value, "stream": f"agent:{made.pk}"}

def let_all_hear():
    # Until all processes have what admins have set: each keeps it in mind for some seconds.
    time.sleep(kept.KEPT_SECONDS + 0.1)
    kept.forget()

def pending(**which):
    # Their first open offer, once it is there.
    found = Offer.objects.filter(state="pending", **which)
    until(found.exists, f"an offer of {which}")
    return found.first()

def offered(agent_id):
    return pending(agent_id=agent_id).pk

def staff(name):
    made = User.objects.create_superuser(f"{name.lower()}@staff.example", "secret", name=name)
    client = Client()
    client.force_login(made, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value

ring_now = bell._ring_now
shifts.LEASE = timedelta(minutes=10)  # who goes online here has nobody who beats; pages do, by their own processes
world = make_world()
Policy.objects.create(pool=world.pool, version=1, exploration_percent=0)  # see tests/conftest.py: world
"""


class Backstage:
    """The process. `clear` empties the scene."""

    def __init__(self, stack: LiveStack) -> None:
        self.stack = stack
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOOP],
            cwd=PROJECT,
            env=os.environ | dict(stack.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.run(FUNCTIONS)

    def clear(self) -> None:
        until(self._emptied, "the database is emptied")
        self.run("world.agents.clear(); bell._ring_now = ring_now")

    def _emptied(self) -> bool:
        try:
            self.stack.sql(EMPTY)
        except psycopg2.OperationalError:  # a process is at work on it
            return False
        return True

    def run(self, code: str) -> Any:
        assert self.process.stdin
        assert self.process.stdout
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
