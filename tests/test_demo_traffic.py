"""`manage.py demo_traffic`: people who live through the public interfaces, against real processes."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from config.stack import PROJECT
from dispatch.demo.people import NEWCOMERS
from tests.stack import LiveStack, live_stack
from tests.waiting import until

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def town() -> Iterator[LiveStack]:
    """A stack of its own with the example data and no past."""
    with live_stack("traffic") as started:
        started.manage("seed_demo", "--no-past")
        yield started


def start(town: LiveStack, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo_traffic", "--base-url", town.base_url, *words],
        cwd=PROJECT,
        env=os.environ | dict(town.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def count(town: LiveStack, query: str) -> int:
    return int(town.sql(query)[0][0])


def ended(process: subprocess.Popen[str]) -> str:
    """Have it end, as Ctrl-C and `make demo` do. Returns what it said; fails unless it ended well."""
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said


# How much people get done in a time depends on the machine: what is waited for is that it is done.
PATIENCE = 150.0
LIVELY = """
SELECT (SELECT count(*) FROM tickets_ticket WHERE state = 'resolved') >= 5
   AND (SELECT count(*) FROM tickets_rating) >= 2
   AND (SELECT count(*) FROM tickets_message WHERE author = 'agent') >= 15
   AND (SELECT count(DISTINCT language) FROM tickets_ticket) = 2
"""


def test_tickets_are_opened_answered_resolved_and_rated(town: LiveStack) -> None:
    process = start(town, "--speed", "25", "--rate", "90", "--agents", "10", "--seed", "7")
    try:
        until(lambda: town.sql(LIVELY) == [(True,)] or process.poll() is not None, "people live", PATIENCE)
    finally:
        said = ended(process)
    assert "FAULTS" not in said, said
    assert re.search(r"stopped; \d+ tickets opened", said), said
    assert town.sql(LIVELY) == [(True,)], said
    # All went home, and nothing is left with them.
    assert count(town, "SELECT count(*) FROM agents_shift WHERE ended_at IS NULL") == 0, said
    assert count(town, "SELECT count(*) FROM dispatch_offer WHERE state IN ('pending', 'accepted')") == 0
    # Each completed offer was paid once.
    completed = count(town, "SELECT count(*) FROM dispatch_offer WHERE state = 'completed'")
    assert completed == count(town, "SELECT count(*) FROM agents_ledgerentry WHERE kind = 'ticket'") > 0
    newcomers = ", ".join(f"'{person.email}'" for person in NEWCOMERS)
    assert (
        count(
            town,
            "SELECT count(*) FROM agents_shift s JOIN agents_agent a ON a.id = s.agent_id"
            f" JOIN agents_user u ON u.id = a.user_id WHERE u.email IN ({newcomers})",
        )
        == 0
    )


def test_it_survives_a_restart_of_the_web(town: LiveStack) -> None:
    process = start(town, "--speed", "25", "--rate", "120", "--agents", "8")
    accepted = "SELECT count(*) FROM dispatch_offer WHERE state = 'accepted'"
    resolved = "SELECT count(*) FROM tickets_ticket WHERE state = 'resolved'"
    try:
        until(lambda: count(town, accepted) > 0, "something is accepted", PATIENCE)
        town.processes.kill("web")
        town.processes.restart("web")
        before = count(town, resolved)
        until(lambda: count(town, resolved) >= before + 2, "something is resolved after it", PATIENCE)
    finally:
        said = ended(process)
    assert count(town, "SELECT count(*) FROM agents_shift WHERE ended_at IS NULL") == 0, said


def test_it_ends_by_itself(town: LiveStack) -> None:
    process = start(town, "--minutes", "0.05", "--rate", "90", "--agents", "2")
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert re.search(r"stopped; \d+ tickets opened", said), said
    assert count(town, "SELECT count(*) FROM agents_shift WHERE ended_at IS NULL") == 0, said
