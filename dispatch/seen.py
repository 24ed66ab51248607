"""What runs saw, stored with them when there is time for it: an offer that is on its way waits for nobody.

Packing and storing take as long as finding the pairs, on the cores that the readers of the bell need at that very moment. So a
matcher packs what each run saw a little later, and stores it once a second for all its runs since (tasks.match): all at once
would make the next ticket wait. A process that is killed loses what runs of its last second saw: they can be read, and not
solved again.
"""

from collections import deque
from typing import NamedTuple

from dispatch.matching import snapshot
from dispatch.matching.problem import Problem
from dispatch.matching.solve import Solution
from tickets.planned import planned

MOST = 64  # runs; what they saw lies in memory until it is stored

_STORE = """
    UPDATE dispatch_run run SET snapshot = seen.snapshot
    FROM unnest($1::bigint[], $2::bytea[]) AS seen(id, snapshot) WHERE run.id = seen.id RETURNING 1
"""


class Seen(NamedTuple):
    run_id: int
    problem: Problem
    solution: Solution


_noted: deque[Seen] = deque()
_packed: deque[tuple[int, bytes]] = deque()  # run's id, snapshot


def note(run_id: int, problem: Problem, solution: Solution) -> None:
    """Keep in mind what a run saw, until store()."""
    _noted.append(Seen(run_id, problem, solution))


def full() -> bool:
    """Whether it should be stored now, whatever else there is to do."""
    return len(_noted) + len(_packed) >= MOST


def pack() -> None:
    """Pack what one run saw, the oldest, if there is any that is not packed. No query."""
    if _noted:
        one = _noted.popleft()
        _packed.append((one.run_id, snapshot.pack(one.problem, one.solution)))


def store() -> int:
    """Store what was noted; returns of how many runs. One query, none when there is nothing."""
    while _noted:
        pack()
    packed = []
    while _packed:
        packed.append(_packed.popleft())
    if packed:
        planned(_STORE, [[run_id for run_id, _ in packed], [stored for _, stored in packed]])
    return len(packed)
