"""What a run saw, small enough to keep for every run, and enough to run it again to the same pairs.

Everybody online stays in it, so that "why not me" has an answer later; but of people who could take none of
the tickets the measured figures (load, idle, share, acceptance) are left out: the solver never looks at them
(``solve`` drops such columns first), and figures are what does not compress. What they add to others' scores
is kept by itself: fair_share as a number, and supply of skills by levels and units, which stay.

Layout, little-endian: magic ``SBM``, one byte version, zlib stream of a header of lengths and the columns one
after the other, each with its bytes transposed (all first bytes, all second bytes, …; Blosc's shuffle),
because the high bytes of small numbers are equal and compress to nothing.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dispatch.matching.problem import Agents, Needs, Pairs, Problem, Tickets
from dispatch.matching.solve import Solution, solve
from dispatch.matching.weights import Weights

MAGIC = b"SBM"
# of the layout and of the arithmetic: raise it when score or solve may give other pairs for the same input
VERSION = 6
# 2 has no newcomers, 3 no quality and no booked hours, 4 no reserve, 5 no acceptance by topic; without them the arithmetic is
# the same. (By pair, which 5 and before could hold, it was in tests only.)
READS = (2, 3, 4, 5, 6)
LEVEL = 1  # zlib; 6 saves a tenth and costs three times as long
LARGEST = 64 * 2**20  # bytes unpacked: a damaged or hostile snapshot must not eat the memory

_TICKETS = (
    ("id", "<i8"),
    ("waited_seconds", "<f8"),
    ("target_seconds", "<f8"),
    ("max_wait_seconds", "<f8"),
    ("priority", "<f8"),
    ("units", "<i4"),
    ("language", "<i1"),
)
_AGENTS = (
    ("id", "<i8"),
    ("free_units", "<i4"),
    ("capacity_units", "<i4"),
    ("languages", "<i8"),
    ("max_pending", "<i1"),
)
_TICKET_FLAGS = (("newcomers_first", "<i1"),)  # since version 3, after everything else
_AGENT_FLAGS = (("new", "<i1"),)
_QUALITY = (
    ("quality", "<f4"),
)  # since version 4, with its weight and that of the next after everything else
_BOOKED = (("booked", "<i1"),)
_MEASURED = (("load", "<f4"), ("idle_seconds", "<f4"), ("share", "<f4"))
_NEEDS = (("ticket", "<i4"), ("skill", "<i4"), ("level", "<i1"))
_NEWER_WEIGHTS = ("quality", "booked")  # since version 4
_NEWER = struct.Struct(f"<{len(_NEWER_WEIGHTS)}d")
_RESERVED = (("reserved", "<i1"),)  # since version 5, with its weight
_RESERVE = struct.Struct("<d")
_WEIGHTS = tuple(
    field.name for field in fields(Weights) if field.name not in (*_NEWER_WEIGHTS, "reserve")
)  # all as doubles; max_parallel is a small whole number
_HEAD = struct.Struct(f"<9I{len(_WEIGHTS)}dd")  # nine lengths, the weights, the fair share


class SnapshotUnreadable(ValueError):
    """Not a snapshot, of another version, or damaged."""


class ReplayDiffers(AssertionError):
    """The same input gave other pairs than were stored."""


def pack(problem: Problem, solution: Solution) -> bytes:
    """The snapshot of a run. ``solution`` must be of ``problem``."""
    tickets, agents = problem.tickets, problem.agents
    able = solution.scores.agent_able
    n, m = len(tickets), len(agents)
    rows = len(agents.accept) if agents.accept.ndim == 2 else 0  # of acceptance; 0: by person alone
    parts = [
        _HEAD.pack(
            n,
            m,
            len(agents.skill_id),
            rows,
            len(tickets.required.level),
            len(tickets.preferred.level),
            len(tickets.known.ticket_id),
            len(tickets.excluded.ticket_id),
            len(solution.ticket),
            *(float(getattr(problem.weights, name)) for name in _WEIGHTS),
            problem.fair_share,
        )
    ]
    parts += [_shuffle(getattr(tickets, name), dtype) for name, dtype in _TICKETS]
    for needs in (tickets.required, tickets.preferred):
        parts += [_shuffle(getattr(needs, name), dtype) for name, dtype in _NEEDS]
    for pairs in (tickets.known, tickets.excluded):
        parts += [_shuffle(pairs.ticket_id, "<i8"), _shuffle(pairs.agent_id, "<i8")]
    parts += [_shuffle(getattr(agents, name), dtype) for name, dtype in _AGENTS]
    parts += [_shuffle(getattr(agents, name) * able, dtype) for name, dtype in _MEASURED]
    parts += [_shuffle((agents.accept * able).ravel(), "<f4")]
    # By skill, not by person: most have few skills, and long runs of zeros compress best.
    parts += [_shuffle(agents.levels.T.ravel(), "<i1")]
    parts += [_shuffle(agents.skill_id, "<i8"), _shuffle(problem.skill_demand, "<f8")]
    parts += [_shuffle(column, "<i4") for column in (solution.ticket, solution.agent)]
    parts += [_shuffle(getattr(tickets, name), dtype) for name, dtype in _TICKET_FLAGS]
    parts += [_shuffle(getattr(agents, name), dtype) for name, dtype in _AGENT_FLAGS]
    parts += [_shuffle(agents.quality * able, "<f4")]
    parts += [_shuffle(getattr(agents, name), dtype) for name, dtype in _BOOKED]
    parts += [_NEWER.pack(*(float(getattr(problem.weights, name)) for name in _NEWER_WEIGHTS))]
    parts += [_shuffle(getattr(tickets, name), dtype) for name, dtype in _RESERVED]
    parts += [_RESERVE.pack(float(problem.weights.reserve))]
    if rows:
        parts += [_shuffle(tickets.accept_row, "<i4")]  # since version 6; before there was a row a ticket
    return MAGIC + bytes([VERSION]) + zlib.compress(b"".join(parts), LEVEL)


def unpack(data: bytes) -> tuple[Problem, list[tuple[int, int]]]:
    """The problem (measured figures of people who could take nothing are 0) and the stored pairs by id.

    Raises SnapshotUnreadable.
    """
    if data[:3] != MAGIC:
        raise SnapshotUnreadable("this is no snapshot of a matching run")
    version = int.from_bytes(data[3:4], "little")
    if version not in READS:
        read = ", ".join(map(str, READS))
        raise SnapshotUnreadable(f"snapshot version {data[3:4].hex()}, this program reads {read}")
    try:
        stream = zlib.decompressobj()
        raw = stream.decompress(data[4:], LARGEST)
        if not stream.eof or stream.unused_data:
            raise SnapshotUnreadable("the snapshot is cut off, too large or has something behind its end")
        return _read(raw, version)
    except (zlib.error, struct.error, ValueError, IndexError) as error:
        raise SnapshotUnreadable(f"the snapshot is damaged: {error}") from error


def replay(data: bytes) -> Solution:
    """Solve the stored input again. Raises ReplayDiffers if other pairs come out, SnapshotUnreadable if it
    cannot be read."""
    problem, stored = unpack(data)
    solution = solve(problem)
    if solution.ids != stored:
        raise ReplayDiffers(f"stored {stored}, now {solution.ids}")
    return solution


def _read(raw: bytes, version: int) -> tuple[Problem, list[tuple[int, int]]]:
    head = _HEAD.unpack_from(raw)
    n, m, s, rows, required, preferred, known, excluded, offers = head[:9]
    weights = dict.fromkeys(_NEWER_WEIGHTS, 0.0) | dict(zip(_WEIGHTS, head[9:-1], strict=True))
    at = _HEAD.size

    def take(count: int, dtype: str) -> NDArray[Any]:
        nonlocal at
        width = np.dtype(dtype).itemsize
        planes = np.frombuffer(raw, np.uint8, count * width, at)
        at += count * width
        return (
            np.ascontiguousarray(planes.reshape(width, count).T).view(dtype)[:, 0]
            if count
            else np.empty(0, dtype)
        )

    def table(count: int, columns: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        return {name: take(count, dtype) for name, dtype in columns}

    ticket_columns = table(n, _TICKETS)
    needs = [Needs(**table(count, _NEEDS)) for count in (required, preferred)]
    pairs = [Pairs(take(count, "<i8"), take(count, "<i8")) for count in (known, excluded)]
    agent_columns = table(m, _AGENTS) | table(m, _MEASURED)
    if rows and version < 6:
        rows = n
    accept = take((rows or 1) * m, "<f4")
    levels = take(m * s, "<i1").reshape(s, m).T
    skill_id, skill_demand = take(s, "<i8"), take(s, "<f8")
    ticket, agent = take(offers, "<i4"), take(offers, "<i4")
    if version > 2:
        ticket_columns |= table(n, _TICKET_FLAGS)
        agent_columns |= table(m, _AGENT_FLAGS)
    if version > 3:
        agent_columns |= table(m, _QUALITY) | table(m, _BOOKED)
        weights |= dict(zip(_NEWER_WEIGHTS, _NEWER.unpack_from(raw, at), strict=True))
        at += _NEWER.size
    if version > 4:
        ticket_columns |= table(n, _RESERVED)
        weights["reserve"] = _RESERVE.unpack_from(raw, at)[0]
        at += _RESERVE.size
    if rows and version > 5:
        ticket_columns["accept_row"] = take(n, "<i4")
    if at != len(raw):
        raise SnapshotUnreadable(f"{len(raw) - at} bytes too many")
    agents = Agents(**agent_columns, levels=levels, skill_id=skill_id)
    problem = Problem(
        tickets=Tickets(
            **ticket_columns, required=needs[0], preferred=needs[1], known=pairs[0], excluded=pairs[1]
        ),
        agents=replace(agents, accept=accept.reshape(rows, m) if rows else accept),
        weights=Weights(**weights | {"max_parallel": int(weights["max_parallel"])}),
        fair_share=head[-1],
        skill_demand=skill_demand,
    )
    stored = zip(problem.tickets.id[ticket].tolist(), problem.agents.id[agent].tolist(), strict=True)
    return problem, list(stored)


def _shuffle(column: NDArray[Any], dtype: str) -> bytes:
    plain = np.ascontiguousarray(column, dtype)
    if plain.itemsize == 1:
        return plain.tobytes()
    return plain.view(np.uint8).reshape(len(plain), plain.itemsize).T.tobytes()
