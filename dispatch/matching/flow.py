"""The best assignment of a large match, as a min-cost flow over kinds of tickets and equal people (ADR 12).

    source → ticket's kind → people → sink

A ticket is an arc into its kind, since all it adds to a value is its own; equal people are one node with an arc each to
the sink. Tickets with a history are nodes: a known one may go through its kind, or straight to whom it knows; one that
somebody is barred from has arcs to everybody else. A kind that all can take who can take a stricter one, at the same
worth (the same skill at a lower level), has an arc to that one in place of arcs to its people. So 10,000 × 10,000 with
200 kinds are 10⁵ arcs and not 10⁷.

The four rules in turn:

1. the most overdue tickets that can be served together, the oldest first: a max flow, and only where it does not reach
   them all a min-cost flow by rank (the oldest such set has the highest sum of ranks; matroid, see ``solve``). They are
   supplies of their kinds from here on, which must flow;
2. as many tickets as possible: a max flow. A flow of that size exists with the tickets of 1 in it (Mendelsohn and
   Dulmage);
3. the sum of values on a grid, times ``ties``, which is more than 4 can add up to;
4. ranks of people and of tickets.

Whole numbers throughout. OR-Tools' solvers: push-relabel, and cost scaling after A. V. Goldberg, "An efficient
implementation of a scaling minimum-cost flow algorithm", 1997; one thread, and the same answer for the same input.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from math import floor, log2

import numpy as np
from ortools.graph.python.max_flow import SimpleMaxFlow
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from dispatch.matching.dense import COARSEST_WITH_TIES
from dispatch.matching.match import FINEST, Match
from dispatch.matching.problem import F64, I64, Bool, Index

EXACT = 2.0**60  # most that a cost times the nodes may be: OR-Tools scales costs by the nodes, in 64 bits
SOURCE, SINK = 0, 1
BLOCK = 256  # kinds looked at together where a matrix over all would only be in the way


@dataclass(frozen=True)
class _Net:
    """The arcs, in blocks one after the other: tickets (r of them), known tickets into their kind, straight ones, kinds
    to people, people to the sink, kinds to stricter ones."""

    nodes: int
    tail: Index
    head: Index
    capacity: I64
    worth: F64  # 0 where a block has none
    entry: Index  # (r,) node of each ticket: its kind, or its own
    via: Index  # rows of the second block
    straight: tuple[Index, Index]  # row, group of the third
    bulk: tuple[Index, Index]  # kind, group of the fourth
    links: list[
        tuple[int, int]
    ]  # kind and the next stricter one, of the sixth; what leads into a kind comes before
    group: Index  # (c,) of each person: equal people have the same

    @property
    def starts(self) -> list[int]:
        """Where the blocks after the tickets begin."""
        sizes = (len(self.entry), len(self.via), len(self.straight[0]), len(self.bulk[0]), len(self.group))
        return [int(start) for start in np.cumsum(sizes)]


def flow(match: Match) -> tuple[Index, Index]:
    """Rows and columns of the best pairs by the four rules of ``solve``; some 100 bytes an arc."""
    net = _net(match)
    pairs = _most(net, np.ones(len(match), np.bool_))
    if not pairs:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    late = _late(match, net)
    return _pairs(match, net, _cheapest(net, pairs, late, *_costs(match, net, pairs)), late)


def _net(match: Match) -> _Net:
    t, c = match.open.shape
    rows = np.arange(len(match))
    group, first = _equals(match)
    knows = np.zeros(len(match), np.bool_)
    knows[match.known[0]] = True
    special = np.flatnonzero(knows | match.lone)
    kinds, people, own = 2, 2 + t, 2 + t + len(first)  # where the nodes of each sort begin
    entry = kinds + match.kind
    entry[special] = own + np.arange(len(special))
    # Known tickets that nobody is barred from: through their kind, or straight to those they know.
    via = np.flatnonzero(knows & ~match.lone)
    straight_row, straight_column, straight_worth = (
        part[~match.lone[match.known[0]]] for part in match.known
    )
    # Tickets that somebody is barred from: to everybody but them.
    lone = np.flatnonzero(match.lone)
    place = np.full(len(match), -1)
    place[lone] = np.arange(len(lone))
    may = match.open[match.kind[lone]][:, first]
    may[place[match.barred[0]], group[match.barred[1]]] = False
    at, lone_group = np.nonzero(may)
    lone_worth, _ = match.worth_of(lone[at], first[lone_group])
    straight = (
        np.concatenate([straight_row, lone[at]]),
        np.concatenate([group[straight_column], lone_group]),
    )
    # Kinds that only such tickets are of need no arcs.
    plain = np.zeros(t, np.bool_)
    plain[match.kind[~match.lone]] = True
    direct, links = _nested(match.open[:, first] & plain[:, None], match.worth)
    kind, of_kind = np.nonzero(direct)
    wide, strict = np.array(links, np.intp).reshape(-1, 2).T
    slots = np.bincount(group, match.slots, len(first)).astype(np.int64)
    entries, straights = np.ones(len(match), np.int64), np.ones(len(straight[0]), np.int64)
    return _Net(
        nodes=own + len(special),
        tail=np.concatenate(
            [
                np.full(len(rows), SOURCE),
                entry[via],
                entry[straight[0]],
                kinds + kind,
                people + group,
                kinds + wide,
            ]
        ),
        head=np.concatenate(
            [
                entry,
                kinds + match.kind[via],
                people + straight[1],
                people + of_kind,
                np.full(c, SINK),
                kinds + strict,
            ]
        ),
        capacity=np.concatenate(
            [
                entries,
                np.ones(len(via), np.int64),
                straights,
                slots[of_kind],
                match.slots,
                np.full(len(links), len(rows)),
            ]
        ),
        worth=np.concatenate(
            [
                np.zeros(len(rows) + len(via)),
                straight_worth,
                lone_worth,
                match.worth[kind, first[of_kind]],
                np.zeros(c + len(links)),
            ]
        ),
        entry=entry,
        via=via,
        straight=straight,
        bulk=(kind, of_kind),
        links=links,
        group=group,
    )


def _nested(may: Bool, worth: F64) -> tuple[Bool, list[tuple[int, int]]]:
    """(t, groups) whom each kind leads to by itself, and (kind, stricter kind) for what it leaves to others."""
    families: dict[bytes, list[int]] = {}
    size = np.count_nonzero(may, axis=1)
    for kind in np.argsort(size, kind="stable").tolist():
        if size[kind]:
            families.setdefault(sha256(worth[kind]).digest(), []).append(kind)
    direct = may.copy()
    links = []
    for family in families.values():
        for strict, wide in pairwise(family):
            if may[wide][may[strict]].all():
                direct[wide] &= ~may[strict]
                links.append((wide, strict))
    return direct, links[::-1]  # widest first


def _equals(match: Match) -> tuple[Index, Index]:
    """Group of each person, and the first person of each group: equal are those who may take the same kinds, worth the
    same. Whom a ticket knows or must not go to is alone."""
    t, c = match.open.shape
    # A sum that equal columns share, then a look at those that do.
    factors = np.arange(1, 2 * t, 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    key = np.zeros(c, np.uint64)
    for start in range(0, t, BLOCK):
        part = slice(start, start + BLOCK)
        seen = np.where(match.open[part], match.worth[part], -1.0).view(np.uint64)
        key += np.einsum("t,tc->c", factors[part], seen)
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    leader = first[place]
    alone = np.zeros(c, np.bool_)
    alone[match.known[1]] = True
    alone[match.barred[1]] = True
    follows = np.flatnonzero(leader != np.arange(c))
    follows = follows[~alone[follows] & ~alone[leader[follows]]]
    for start in range(0, len(follows), BLOCK):
        some = follows[start : start + BLOCK]
        mine, theirs = match.open[:, some], match.open[:, leader[some]]
        same = (mine == theirs) & (~mine | (match.worth[:, some] == match.worth[:, leader[some]]))
        alone[some] = ~same.all(axis=0)
    joined = np.arange(c)
    follows = follows[~alone[follows]]
    joined[follows] = leader[follows]
    heads, group = np.unique(joined, return_inverse=True)
    return group, heads


def _most(net: _Net, rows: Bool) -> int:
    """How many of these tickets can be served together."""
    solver = SimpleMaxFlow()
    solver.add_arcs_with_capacity(net.tail, net.head, _only(net, rows))
    status = solver.solve(SOURCE, SINK)
    if status != solver.OPTIMAL:
        raise RuntimeError(f"max flow ended with {status}")
    return int(solver.optimal_flow())


def _late(match: Match, net: _Net) -> Bool:
    """(r,) overdue tickets that can all be served together, the oldest first."""
    if not match.overdue.any():
        return match.overdue
    most = _most(net, match.overdue)
    if most == np.count_nonzero(match.overdue):
        return match.overdue
    cost = np.zeros(len(net.tail), np.int64)
    cost[: len(match)] = np.arange(len(match)) - len(match)
    nobody = np.zeros(len(match), np.bool_)
    flows = _cheapest(net, most, nobody, cost, _only(net, match.overdue))
    return flows[: len(match)] > 0


def _only(net: _Net, rows: Bool) -> I64:
    """Capacities with these tickets and no others."""
    capacity = net.capacity.copy()
    capacity[: len(rows)] = rows
    return capacity


def _costs(match: Match, net: _Net, pairs: int) -> tuple[I64, I64]:
    """Cost and capacity of each arc when ``pairs`` tickets are served.

    The step of the grid is 2⁻ᵏ with the highest k ≤ FINEST for which costs stay below EXACT. 1,000 × 1,000: 24; 10,000 ×
    10,000: 24 where everybody is needed and ties cannot be, about 17 where half are. A term of 1 is a whole level of fit.
    """
    r, (start, end) = len(match), (net.starts[1], net.starts[3])
    worth = net.worth[start:end]
    worth = worth - worth.min()  # every served ticket pays the lowest, so it tells nobody apart
    ticket = match.ticket - match.ticket.min()
    span = max(float(worth.max()), float(ticket.max()), 2.0**-FINEST)
    people = int(match.slots.sum())
    # The highest sum of ranks less the lowest, of tickets and of people: none when all are needed.
    ties = 1 + min(pairs, r - pairs) * r + min(pairs, people - pairs) * len(match.slots)
    most = EXACT / net.nodes

    def bits(factor: int) -> int:
        return floor(log2(((most - r - len(match.slots)) / factor - 1) / span))

    k = bits(ties)
    ranked = k >= COARSEST_WITH_TIES
    if not ranked:
        ties, k = 1, bits(1)
    step = 2.0 ** min(k, FINEST)
    cost = np.zeros(len(net.tail), np.int64)
    cost[:r] = np.rint(ticket * step).astype(np.int64) * -ties
    cost[start:end] = np.rint(worth * step).astype(np.int64) * -ties
    if ranked:
        cost[:r] += np.arange(r) - r
        cost[end : net.starts[4]] = np.arange(len(match.slots)) - len(match.slots)
    return cost, net.capacity


def _cheapest(net: _Net, pairs: int, late: Bool, cost: I64, capacity: I64) -> I64:
    """Flow of each arc when ``pairs`` tickets are served, those of ``late`` among them."""
    capacity = capacity.copy()
    capacity[: len(late)] *= ~late
    supply = np.bincount(net.entry[late], minlength=net.nodes)
    supply[SOURCE], supply[SINK] = pairs - np.count_nonzero(late), -pairs
    solver = SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(net.tail, net.head, capacity, cost)
    solver.set_nodes_supplies(np.arange(net.nodes), supply)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise RuntimeError(f"min-cost flow ended with {status}")
    flows: I64 = solver.flows(arcs)
    return flows


def _pairs(match: Match, net: _Net, flows: I64, late: Bool) -> tuple[Index, Index]:
    """The flow taken apart: what enters a node are its tickets, what leaves it their people, in any order."""
    in_kind, straight, bulk, people, handed_on = np.split(flows, net.starts)[1:]
    by_kind = (flows[: len(match)] > 0) | late
    by_kind[net.straight[0]] = by_kind[match.lone] = False
    by_kind[net.via[in_kind > 0]] = True
    row = np.flatnonzero(by_kind)
    # Who goes on to a stricter kind does not matter: all have the same people there.
    stand = match.kind[row]
    for (wide, strict), number in zip(net.links, handed_on.tolist(), strict=True):
        stand[np.flatnonzero(stand == wide)[:number]] = strict
    row = row[np.argsort(stand, kind="stable")]
    kind, group = (np.repeat(part, bulk) for part in net.bulk)
    assert (kind == np.sort(stand)).all()
    # To the people of each group: kinds' tickets first, then straight ones.
    taken = straight > 0
    row = np.concatenate([row, net.straight[0][taken]])
    group = np.concatenate([group, net.straight[1][taken]])
    column = np.repeat(np.arange(len(people)), people)
    column = column[np.argsort(net.group[column], kind="stable")]
    order = np.argsort(group, kind="stable")
    assert (group[order] == net.group[column]).all()
    return row[order], column
