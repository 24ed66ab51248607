"""The wallboard as the browser gets it: parts of the page, drawn once for all who read the same language, and its frames."""

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation

from dispatch import alert_words
from dispatch.models import AlertKind
from dispatch.wall.charts import chart
from dispatch.wall.shapes import Board, Half

STREAM = "wall"
CHARTS = ("waited", "level", "offered")
PARTS = (
    "alerts",
    "now",
    "people",
    "waits",
    "lines",
    "spans",
    *CHARTS,
    *(f"{name}_rows" for name in CHARTS),  # the table behind each
)
EVERY = 12  # half hours from one word below a chart to the next

Frame = dict[str, Any]


def drawn(board: Board, language: str, *, acts: bool, opens: bool) -> Mapping[str, str]:
    """Part → HTML, drawn once a board. `acts`: with the buttons of who may intervene; `opens`: with links for who may read
    tickets."""
    key = (language, acts, opens)
    if key not in board.drawn:
        with translation.override(language):
            context = context_of(board, acts=acts, opens=opens)
            board.drawn[key] = {
                name: render_to_string(f"dispatch/lead/wall/{name}.html", context) for name in PARTS
            }
    return board.drawn[key]


def context_of(board: Board, *, acts: bool, opens: bool) -> dict[str, Any]:
    """Of the page and its parts, in the language that is on."""
    halves = board.halves
    names = [_clock(half) if place % EVERY == EVERY // 2 else "" for place, half in enumerate(halves)]
    today = next((place for place, half in enumerate(halves) if half.begins_at == board.midnight), None)
    waited = [[half.span.kept, half.span.missed, half.span.left, half.span.pending] for half in halves]
    level = [
        [100 * half.span.service_level] if half.span.service_level is not None else [] for half in halves
    ]
    offered = [
        [
            half.span.accepted,
            half.span.declined,
            half.span.expired,
            half.span.rescinded,
            half.span.withdrawn,
        ]
        for half in halves
    ]
    return {
        "board": board,
        "acts": acts,
        "opens": opens,
        "parts": PARTS,
        "alerts": alert_words.listed(board.alerts),
        # Those of which there is no alert yet, or whose rule is off.
        "silent": [
            alert_words.process(kind)
            for kind in board.silent
            if not any(one.kind == AlertKind.SILENT and one.subject == kind for one in board.alerts)
        ],
        "waited": chart(waited, names, midnight=today),
        "level": chart(level, names, midnight=today, most=100.0, unit=" %"),
        "offered": chart(offered, names, midnight=today),
        "rows": list(reversed(halves)),
    }


def _clock(half: Half) -> str:
    return timezone.localtime(half.begins_at).strftime("%H:%M")


def frame(board: Board, parts: Mapping[str, str] | None = None) -> Frame:
    """The state of a board as a snapshot of its stream; `parts` to be put into the page."""
    found: Frame = {
        "stream": STREAM,
        "seq": board.seq,
        "type": "snapshot",
        "at": board.at.isoformat(),
        "data": data(board),
    }
    if parts is not None:
        found["html"] = "".join(parts.values())
    return found


def data(board: Board) -> dict[str, Any]:
    """Its figures for programs: counts, seconds, and shares from 0 to 1, null where there is nothing to divide by."""
    return {
        "waiting": board.waiting,
        "longest_seconds": None if board.longest is None else round(board.longest, 1),
        "nobody_online": board.flagged,
        "offers_open": board.offers_open,
        "chats": board.chats,
        "put_aside": board.aside,
        "people": {
            name: getattr(board.people, name)
            for name in ("online", "busy", "wrap_up", "paused", "finishing", "lost", "offline")
        },
        "occupancy": board.people.occupancy,
        "service_level_today": board.today.service_level,
        "counted_at": board.counted_at.isoformat() if board.counted_at else None,
        "alerts": len(board.alerts),
    }
