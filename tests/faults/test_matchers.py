"""Pools run in parallel: a run that takes long keeps only its own pool."""

from collections.abc import Iterator

import psycopg2
import pytest

from tests.people import Person, open_ticket, prepare
from tests.stack import LiveStack, live_stack
from tests.waiting import until

pytestmark = pytest.mark.servers

SECOND = """
from agents.models import Agent, Pool
from dispatch.models import Route
pool = Pool.objects.create(key="second", name_en="Second line", name_de="Zweite Reihe")
Route.objects.filter(topic__key="card").update(pool=pool)
Agent.objects.get(name="Ben").pools.set([pool])
"""


@pytest.fixture(params=[2, 1], ids=["two", "control: one"])
def matchers(request: pytest.FixtureRequest) -> int:
    count: int = request.param
    return count


@pytest.fixture
def stack(matchers: int) -> Iterator[LiveStack]:
    with live_stack("matchers", matchers=matchers) as started:
        yield started


def test_a_long_run_keeps_only_its_own_pool(stack: LiveStack, matchers: int) -> None:
    prepare(stack, "Anna", "Ben")
    stack.manage("shell", "--no-imports", "-c", SECOND)
    for name in ("Anna", "Ben"):
        Person(stack, name).post("shift/online")
    # Nobody beats here, and a slow machine takes longer than a lease.
    stack.sql("UPDATE agents_lease SET expires_at = now() + interval '1 hour'")
    shift = "SELECT s.id FROM agents_shift s JOIN agents_agent a ON a.id = s.agent_id WHERE a.name = 'Anna'"
    [[anna]] = stack.sql(shift)

    def offered(topic: str) -> bool:
        found = stack.sql(
            "SELECT 1 FROM dispatch_offer o JOIN tickets_ticket t ON t.id = o.ticket_id"
            " JOIN tickets_topic p ON p.id = t.topic_id WHERE p.key = %s",
            [topic],
        )
        return bool(found)

    slow = psycopg2.connect(stack.database_url)
    try:
        with slow.cursor() as cursor:
            # The run of the first pool has to wait for Anna's row, for as long as we like.
            cursor.execute("SELECT 1 FROM agents_shift WHERE id = %s FOR UPDATE", [anna])
            open_ticket(stack, "Where is my refund?", topic="refund")
            until(
                lambda: bool(stack.sql("SELECT 1 FROM pg_locks WHERE NOT granted")),
                "the first run never waits",
            )
            open_ticket(stack, "My card is blocked", topic="card")
            if matchers == 2:
                until(lambda: offered("card"), "the second pool waits for the first")
            else:
                with pytest.raises(AssertionError, match="nobody"):
                    until(lambda: offered("card"), "nobody runs the second pool", seconds=2.0)
            assert not offered("refund")
            slow.rollback()
        until(lambda: offered("refund") and offered("card"), "it never ends")
    finally:
        slow.close()
