"""`match_1000`, `match_10000`: one matching run of as many tickets as people, score building included, in a process of its own.

64 skills, 8 a person, one asked a ticket at level 1 to 3: a tenth of the pairs is feasible. Every person differs from every
other in acceptance and earnings, every ticket in its age; one ticket in 20 knows somebody, one in 50 was declined by somebody.

Ours: solve(). Floor: scipy's sparse matching (LAPJVsp) on the same scores, a matrix of all feasible pairs and a column for
each ticket that means "not served". Both must serve as many tickets and reach the same sum of values, or the bench fails.
Memory: the process's highest resident set less what it was once the problem stood.
"""

import resource
import time
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from bench import ground
from bench.ground import Plan, Row, middle, row
from config import embedded
from dispatch.matching import Agents, Needs, Pairs, Problem, Tickets, score, solve

SKILLS, SKILLS_EACH = 64, 8
FINEST = 20  # bits after the point in the floor
TOLERANCE = 1e-9  # of the sum: what adding up in another order may change


def measure(plan: Plan, servers: embedded.Servers) -> list[Row]:  # noqa: ARG001  every row has this signature
    return [
        compared(plan, "match_1000", plan.size(1_000, 100), repeat=plan.size(7, 1), floors=plan.rounds),
        compared(plan, "match_10000", plan.size(10_000, 300), repeat=1, floors=1),
    ]


def compared(plan: Plan, name: str, size: int, *, repeat: int, floors: int) -> Row:
    """`floors`: how often the floor is measured; at 10,000 it takes minutes."""
    sides = {side: {"side": side, "size": size, "repeat": repeat} for side in ("floor", "ours")}
    found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for number in range(plan.rounds):
        for side, wish in sides.items():
            if side == "ours" or number < floors:
                ground.say(f"  round {number + 1}/{plan.rounds}: {name}, {side}")
                found[side].append(ground.child("matching", wish, {}, seconds=3600.0))
    ours, floor = found["ours"], found["floor"]
    for one in ours:
        assert one["served"] == floor[0]["served"], (one, floor[0])
        assert abs(one["sum"] - floor[0]["sum"]) <= TOLERANCE * floor[0]["sum"], (one, floor[0])
    base = [one["ms"] for one in floor]
    return row(
        name,
        "ms",
        [one["ms"] for one in ours],
        base if floors == plan.rounds else base * plan.rounds,
        notes=f"{size} × {size}, {ours[0]['feasible']:.1%} feasible; floor is scipy's sparse matching"
        + ("" if floors == plan.rounds else ", measured once")
        + "; same sum of values",
        peak_mb=[round(one["peak"]) for one in ours],
        floor_peak_mb=[round(one["peak"]) for one in floor],
        score_ms=[round(one["score"], 1) for one in ours],
        gap=max(abs(one["sum"] - floor[0]["sum"]) for one in ours),
    )


def main(side: str, size: int, repeat: int) -> dict[str, float]:
    """In the child: milliseconds (median of `repeat`), of which score building, peak MB, and what came out."""
    run = {"ours": ours, "floor": floor}[side]
    run(problem(50, 50))  # libraries are loaded; a matcher lives long
    given = problem(size, size)
    before = resident()
    took, scoring = [], []
    for _ in range(repeat):
        begun = time.perf_counter()
        served, total = run(given)
        took.append(time.perf_counter() - begun)
    peak = resident() - before
    for _ in range(repeat):
        begun = time.perf_counter()
        scores = score(given)
        scoring.append(time.perf_counter() - begun)
    return {
        "ms": middle(took) * 1e3,
        "score": middle(scoring) * 1e3,
        "peak": peak,
        "served": served,
        "sum": total,
        "feasible": float(np.count_nonzero(scores.eligible)) / size**2,
    }


def resident() -> float:
    """Highest resident set so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ours(given: Problem) -> tuple[int, float]:
    solution = solve(given)
    return len(solution.ticket), float(solution.value.sum())


def floor(given: Problem) -> tuple[int, float]:
    scores = score(given)
    ticket, agent = np.nonzero(scores.eligible)
    value = scores.value_of(ticket, agent)
    n, m = scores.eligible.shape
    # As cost: what is lacking to the best, in whole numbers, since LAPJVsp may go round in circles on others. Not to serve
    # costs more than any sum can win; 0 would mean "no edge".
    value = np.rint(value * 2.0**FINEST)
    top = float(value.max()) + 1.0
    every = np.arange(n)
    cost = np.concatenate([top - value, np.full(n, top * n)])
    place = (np.concatenate([ticket, every]), np.concatenate([agent, m + every]))
    row_of, column_of = min_weight_full_bipartite_matching(csr_array((cost, place), shape=(n, m + n)))
    served = column_of < m
    chosen = scores.value_of(row_of[served], column_of[served])
    return int(np.count_nonzero(served)), float(chosen.sum())


def problem(n: int, m: int, seed: int = 1) -> Problem:
    """n tickets and m people as said above; the same for the same seed."""
    draw = np.random.default_rng(seed)
    levels = np.zeros((m, SKILLS), np.int8)
    skills = draw.random((m, SKILLS)).argsort(axis=1)[:, :SKILLS_EACH]
    np.put_along_axis(levels, skills, draw.integers(1, 6, skills.shape, np.int8), axis=1)
    ids: Any = np.arange(1, n + 1)
    people: Any = np.arange(1, m + 1)

    def pairs(share: float) -> Pairs:
        some = draw.choice(ids, int(n * share), replace=False)
        return Pairs(some, draw.choice(people, len(some)))

    return Problem(
        tickets=Tickets(
            id=ids,
            waited_seconds=draw.exponential(40.0, n),
            target_seconds=np.full(n, 60.0),
            max_wait_seconds=np.full(n, 300.0),
            priority=draw.choice([0.0, 0.0, 0.0, 1.0, 2.0], n),
            units=np.full(n, 25),
            language=np.full(n, -1),
            required=Needs(np.arange(n), draw.integers(0, SKILLS, n), draw.integers(1, 4, n)),
            known=pairs(1 / 20),
            excluded=pairs(1 / 50),
        ),
        agents=Agents(
            id=people,
            free_units=np.full(m, 100),
            capacity_units=np.full(m, 100),
            load=draw.choice([0.0, 0.25, 0.5], m),
            idle_seconds=draw.exponential(60.0, m),
            share=np.maximum(draw.normal(12.0, 2.0, m), 0.0),
            languages=np.zeros(m, np.int64),
            levels=levels,
            skill_id=np.arange(SKILLS),
            accept=draw.beta(6.0, 2.0, m),
        ),
    )
