"""`manage.py replay`: texts of a file as load on real processes; nothing lost, nothing doubled, every offer seen."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.stack import PROJECT
from dispatch.simulated.replay import folded, read_texts
from dispatch.simulated.report import Percentiles, Report
from tests.stack import LiveStack, live_stack

TICKETS, AGENTS = 60, 15
TEXTS = [
    "Wo bleibt meine Karte? Ich warte seit über zwei Wochen!",
    'Der Laden sagt: "Das Geld ist zurück", ich sehe aber nichts.',
    "Zwei Fragen:\n1. Warum so spät?\n2. Wann bekomme ich Bescheid?",
    "Größe passt nicht; Rückgabe möglich? Grüße, Jürgen Weiß",
    "I paid twice, once by card, once by transfer. What now?",
    "It says “declined”, though I've paid on time, always.\n\nPlease help.",
    "Can I move the date, please, my salary is late",
    "„Anführungszeichen“ und 'einfache', dazu ein Semikolon; und ein Komma, alles da?",
    "Żółć, naïve, Ærø, 日本語 and an emoji 🙂",
    "What does the fee of 3,90 € stand for?",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "questions.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["text", "category"])
        rows.writerows((f"{text} ({number})", "anything") for number, text in enumerate(TEXTS * 4))
        rows.writerow(["   ", "empty"])
    return path


# --- Without servers --------------------------------------------------------------------------------------------------


def test_texts_are_read_whole_and_go_round(file: Path) -> None:
    texts = read_texts(file, 45)
    assert len(texts) == 45
    assert texts[2] == "Zwei Fragen:\n1. Warum so spät?\n2. Wann bekomme ich Bescheid? (2)"
    assert texts[40:] == texts[:5]


@pytest.mark.parametrize("content", ["", "question,category\nwhy,x\n", "text,category\n"])
def test_a_file_without_texts_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"no column|no text"):
        read_texts(path, 1)


@pytest.mark.parametrize("wrong", ["failed", "lost", "doubled", "unsettled", "offers_unseen"])
def test_one_wrong_figure_is_enough(wrong: str) -> None:
    assert Report(sent=3, acknowledged=3).good
    assert not Report(sent=3, acknowledged=3, **{wrong: 1}).good
    assert not Report(sent=3, acknowledged=2).good
    assert not Report().good


@pytest.mark.parametrize(
    ("events", "state", "twice"),
    [
        ([], "", False),
        (["opened"], "waiting", False),
        (["opened assisted"], "assisted", False),
        (["opened assisted", "handed_over"], "waiting", False),
        (["opened", "held", "message_posted", "resolved"], "resolved", False),
        (["opened", "held", "released", "held"], "held", False),
        (["opened", "held", "held"], "held", True),
    ],
)
def test_events_add_up_to_a_state(events: list[str], state: str, twice: bool) -> None:
    frames = [
        {"type": f"ticket.{event.split()[0]}", "data": {"assisted": "assisted" in event}} for event in events
    ]
    assert folded(frames) == (state, twice)


def test_percentiles_are_milliseconds() -> None:
    assert Percentiles.of([]) == Percentiles(None, None, None)
    assert Percentiles.of(number / 1000 for number in range(1, 101)) == Percentiles(51.0, 96.0, 100.0)


# --- On real processes ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town() -> Iterator[LiveStack]:
    with live_stack("replay") as started:
        started.manage("seed_demo", "--no-past")
        yield started


def replay(town: LiveStack, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "replay", *words],
        cwd=PROJECT,
        env=os.environ | dict(town.environment),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "never awaited" not in done.stderr
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


@pytest.mark.servers
def test_nothing_is_lost_doubled_or_unseen(town: LiveStack, file: Path) -> None:
    code, said = replay(
        town,
        str(file),
        *(
            "--base-url",
            town.base_url,
            "--rate",
            "10",
            "--count",
            str(TICKETS),
            "--agents",
            str(AGENTS),
            "--json",
        ),
    )
    assert code == 0, said
    report: dict[str, Any] = json.loads(said)
    assert report["good"] is True
    assert (report["sent"], report["acknowledged"], report["failed"]) == (TICKETS, TICKETS, 0)
    assert (report["lost"], report["doubled"], report["unsettled"], report["offers_unseen"]) == (0, 0, 0, 0)
    assert report["states"] == {"resolved": TICKETS}
    assert report["agents_online"] == AGENTS
    assert report["offers_made"] == report["offers_seen"] >= TICKETS
    assert report["accepted"] == TICKETS
    assert report["repeated"] == TICKETS // 20
    assert 0 < report["post"]["p50"] <= report["post"]["p99"]
    assert report["post_to_offer"]["p50"] > 0

    # The books of the database say the same.
    assert town.sql("SELECT count(*), count(DISTINCT intake_key) FROM tickets_ticket") == [(TICKETS, TICKETS)]
    assert town.sql("SELECT count(*) FROM dispatch_offer WHERE state = 'completed'") == [(TICKETS,)]
    assert town.sql("SELECT count(*) FROM agents_ledgerentry WHERE kind = 'ticket'") == [(TICKETS,)]
    assert town.sql("SELECT count(*) FROM dispatch_offer") == [(report["offers_made"],)]
    bodies = {row[0] for row in town.sql("SELECT body FROM tickets_message WHERE author = 'customer'")}
    assert bodies == set(read_texts(file, TICKETS))


@pytest.mark.servers
def test_a_wrong_address_is_said(town: LiveStack, file: Path) -> None:
    code, said = replay(town, str(file), "--base-url", "http://127.0.0.1:9", "--count", "1")
    assert code == 1
    assert "http://127.0.0.1:9 does not answer" in said
