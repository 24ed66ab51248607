"""`manage.py demo_traffic`: people who live through the public interfaces, against real processes."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from config.stack import PROJECT
from dispatch.demo.people import NEWCOMERS
from tests.stack import LiveStack, live_stack

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
        env=_environment(town),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _environment(town: LiveStack) -> dict[str, str]:
    import os

    return os.environ | dict(town.environment)


def count(town: LiveStack, query: str) -> int:
    return int(town.sql(query)[0][0])


def test_tickets_are_opened_answered_resolved_and_rated_and_it_ends_by_itself(town: LiveStack) -> None:
    process = start(
        town, "--minutes", "0.5", "--speed", "25", "--rate", "90", "--agents", "10", "--seed", "7"
    )
    said, _ = process.communicate(timeout=90)
    assert process.returncode == 0, said
    assert re.search(r"stopped; \d+ tickets opened", said), said
    assert "FAULTS" not in said, said

    states = dict(town.sql("SELECT state, count(*) FROM tickets_ticket GROUP BY state"))
    assert states.get("resolved", 0) >= 5, (states, said)
    assert count(town, "SELECT count(*) FROM tickets_rating") >= 2, said
    assert count(town, "SELECT count(*) FROM tickets_message WHERE author = 'agent'") >= 15
    assert count(town, "SELECT count(DISTINCT language) FROM tickets_ticket") == 2
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


def test_it_survives_a_restart_of_the_web_and_ends_on_sigterm(town: LiveStack) -> None:
    process = start(town, "--speed", "25", "--rate", "120", "--agents", "8")
    try:
        deadline = time.monotonic() + 40
        while count(town, "SELECT count(*) FROM dispatch_offer WHERE state = 'accepted'") == 0:
            assert time.monotonic() < deadline, "nothing was accepted"
            time.sleep(0.3)
        town.processes.kill("web")
        town.processes.restart("web")
        before = count(town, "SELECT count(*) FROM tickets_ticket WHERE state = 'resolved'")
        while count(town, "SELECT count(*) FROM tickets_ticket WHERE state = 'resolved'") < before + 2:
            assert time.monotonic() < deadline + 40, "nothing was resolved after the restart"
            time.sleep(0.3)
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert count(town, "SELECT count(*) FROM agents_shift WHERE ended_at IS NULL") == 0, said
