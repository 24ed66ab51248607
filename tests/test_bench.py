"""The bench runs and writes what it promises. Its figures are not looked at: they mean nothing on a machine that tests."""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.stack import PROJECT
from dispatch import consumers, runs
from tickets import bell, intake, writing

FIELDS = {"name", "value", "unit", "floor", "ratio", "rounds"}


@pytest.mark.servers
def test_quick_rows(tmp_path: Path) -> None:
    out = tmp_path / "latest.json"
    command = [sys.executable, "-m", "bench", "--quick", "--out", str(out), "accept", "sockets", "match"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(out.read_text())
    assert [row["name"] for row in rows] == [
        "accept",
        "accept_p99",
        "accept_http",
        "accept_http_p99",
        "sockets_p50",
        "sockets_p99",
        "sockets_memory",
        "match_1000",
        "match_10000",
    ]
    for row in rows:
        assert row.keys() >= FIELDS
        assert row["rounds"] == 1
        assert row["value"] > 0
        assert row["floor"] > 0
        assert row["name"] in done.stdout


def test_the_results_in_the_tree_are_whole() -> None:
    text = (PROJECT / "bench" / "results" / "latest.json").read_text()
    rows = json.loads(text)
    assert {row["name"] for row in rows} >= {
        "offer_p50",
        "offer_p99",
        "run_begins_p50",
        "run_begins_p99",
        "intake",
        "accept",
        "accept_p99",
        "sockets_p99",
        "sockets_memory",
        "match_1000",
        "match_10000",
    }
    for row in rows:
        assert row.keys() >= FIELDS
        assert row["rounds"] >= 3
        assert row["value"] > 0
        assert row["floor"] > 0
    assert not re.search(r"(?<!\w)/(tmp|home|root|usr|Users|var)/", text)


def test_an_unknown_row_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "speed"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "no such row: speed; there are offer, intake, accept, sockets, match" in done.stderr


def test_what_the_hops_trace_is_called_as_it_expects() -> None:
    """bench/hops.py takes the place of these; a change of their arguments once left every ticket without an offer."""
    assert list(inspect.signature(runs._write).parameters)[:2] == ["policy", "wanted"]
    assert next(iter(inspect.signature(runs.match_pool).parameters)) == "pool_id"
    assert list(inspect.signature(bell.ahead).parameters) == ["streams", "writer"]
    assert list(inspect.signature(consumers._look_all).parameters) == ["batch", "loop", "writer"]
    assert list(inspect.signature(writing.commit).parameters) == ["number", "model", "then"]
    assert callable(intake.insert_linked)
