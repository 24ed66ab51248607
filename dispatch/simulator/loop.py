"""The simulated clock: a heap of events, and a run of the policy after each moment in which something changed.

An own loop: simpy takes five times as long for an event (docs/adr/0013).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Set
from enum import IntEnum
from heapq import heappop, heappush
from math import inf

import numpy as np

from dispatch.rules import offers as rules
from dispatch.rules.offers import EFFECTS, State
from dispatch.rules.reserve import is_reserved
from dispatch.rules.steps import Step
from dispatch.rules.units import room_for
from dispatch.simulator.case import World
from dispatch.simulator.policies import DRAWN, Policy
from dispatch.simulator.presence import Presence


class What(IntEnum):
    """Kinds of events."""

    ARRIVAL = 0  # of a ticket
    PATIENCE = 1  # a customer leaves
    ANSWER = 2  # to an offer, or its deadline
    WRAP = 3  # the customer has their answer, the agent wraps up
    DONE = 4  # the agent is through with a ticket
    BACK = 5  # who missed an offer returns
    AGAIN = 6  # a declined ticket may be offered to the same people again
    STEP = 7  # a ticket's wait has reached the next step of its route
    OPEN = 8  # a ticket is no longer reserved
    COME = 9  # an agent goes online
    LEAVE = 10  # an agent takes nothing new any more, and ends what they have


class Play:
    """One policy in one world. `run` plays it; what happened stands in the columns a ticket, −1 or nan where it did not."""

    def __init__(self, world: World, policy: Policy) -> None:
        m, n = world.case.agents, len(world.at)
        self.world, self.policy = world, policy
        self.now = 0.0
        self.chance = np.random.default_rng([world.seed, 4])  # of the random policy alone
        self.last_asked = -1
        self.solves, self.solve_seconds = 0, 0.0
        self.events = 0

        self.steps = [policy.means.steps or kind.steps for kind in world.case.kinds]
        self.reached = [0] * n  # place of the step that the ticket is on
        self.waiting: list[int] = []  # tickets without an open offer, oldest first
        self.reserved: set[int] = set()  # tickets that have only just come (rules.reserve)
        self.said_no: dict[int, dict[int, float]] = {}  # ticket → agent → when
        self.open: dict[int, list[int]] = {}  # ticket → its open offers
        self.accepted_at = [inf] * n
        self.holder = [-1] * n
        self.left = [False] * n
        self.offered = [0] * n
        self.rescinded = [0] * n
        self.expired = [0] * n

        auto = world.auto_order[: round(policy.means.auto_share * m)]
        self.auto = frozenset(auto)
        self.presence = Presence(world.case)
        self.free: set[int] = set(range(m) if self.presence.always else ())  # may be asked now
        self.online = [True] * m  # has not missed an offer
        self.pending = [0] * m  # open offers
        self.turn = [0] * m  # offers so far that wanted an answer
        self.taken = [0] * m  # units of tickets they hold
        self.wrapping = [0] * m  # of which are being wrapped up
        self.wraps: list[list[int]] = [[] for _ in range(m)]  # tickets that are, in their order
        self.ends_at = [inf] * n  # when the work on a ticket ends
        self.over = [False] * n  # it has
        self.idle_since = [0.0] * m
        self.worked = [0.0] * m  # seconds of work that ended
        self.worked_all = 0.0
        self.busy = np.zeros(m)  # seconds of work within what is measured
        self.away = np.zeros(m)  # seconds offline after a missed offer, likewise

        self._offers: list[tuple[int, int, float]] = []  # ticket, agent, deadline
        self._state: list[State] = []
        self._heap: list[tuple[float, int, int, int]] = []
        self._order = 0
        self._changed = self._at_once = False

    # --- The clock ----------------------------------------------------------------------------------------------------

    def run(self) -> Play:
        """Play until the last ticket that came is served, or everybody has left for good."""
        handlers = (
            self._arrival, self._patience, self._answer, self._wrap, self._done, self._back, self._again,
            self._step, self._open, self._come, self._leave,
        )  # fmt: skip
        for when, agent, comes in self.presence.changes():
            self._at(when, What.COME if comes else What.LEAVE, agent)
        if self.world.at:
            self._at(self.world.at[0], What.ARRIVAL, 0)
        heap = self._heap
        while heap:
            self.now, _, what, which = heappop(heap)
            self.events += 1
            handlers[what](which)
            while self._changed and not (heap and heap[0][0] == self.now):
                self._at_once = False
                self._match()
                self._changed = (
                    self._at_once
                )  # an offer takes people away: it makes nothing new possible, its end does
        return self

    def _at(self, when: float, what: What, which: int) -> None:
        # Events of one moment come in the order in which they were made.
        self._order += 1
        heappush(self._heap, (when, self._order, what, which))

    def _match(self) -> None:
        """One run, if anybody who is free may take anything that waits."""
        free, kind = self.free, self.world.kind
        sorts = {(kind[ticket], self.reached[ticket]) for ticket in self.waiting}
        if not free or all(free.isdisjoint(self.world.able(k, self.steps[k][place])) for k, place in sorts):
            return
        asked: dict[int, list[int]] = {}
        for ticket, agent in self.policy.choose(self):
            asked.setdefault(ticket, []).append(agent)
        for ticket, agents in asked.items():
            self.waiting.remove(ticket)
            for agent in rules.asks_nobody_else(self.auto, agents):
                if self.holder[ticket] < 0:  # somebody may have answered at once
                    self._ask(ticket, agent)

    # --- What a policy may ask ----------------------------------------------------------------------------------------

    def may_take(self, ticket: int, free: Set[int]) -> list[int]:
        """Those of these agents who may take the ticket, by id."""
        able = free & self.able(ticket)
        if ticket in self.said_no:
            able = able - self.excluded(ticket)
        units = self._units(ticket)
        return sorted(agent for agent in able if self.units_free(agent) >= units)

    def step(self, ticket: int) -> Step:
        """The step of its route that the ticket's wait has reached."""
        return self.steps[self.world.kind[ticket]][self.reached[ticket]]

    def able(self, ticket: int) -> frozenset[int]:
        """Agents who may take the ticket on its present step, had they the time."""
        return self.world.able(self.world.kind[ticket], self.step(ticket))

    def excluded(self, ticket: int) -> frozenset[int]:
        """To whom this ticket is not offered because they said no to it."""
        able = self.free & self.able(ticket)
        return rules.excluded(self.said_no.get(ticket, {}), able, self.now)

    def units_free(self, agent: int) -> int:
        """Units that an offer may take; those of a ticket that is being wrapped up are free for the next."""
        ahead = self.wrapping[agent] if self.policy.means.next_up else 0
        return self.world.case.capacity - self.taken[agent] + ahead

    def idle(self, agent: int) -> float:
        """Seconds since their last ticket ended; 0 while they hold one."""
        return 0.0 if self.taken[agent] else self.now - self.idle_since[agent]

    def share(self, agent: int) -> float:
        """Work per online hour over what everybody's mean is, drawn to 1 by DRAWN: what a Standing keeps, whose window of a
        week is longer than what is played here. Work stands for pay.
        """
        hourly = self.hourly
        if not hourly:
            return 1.0
        online = self.presence.seconds(agent, self.now)
        return (self.worked[agent] + DRAWN * hourly) / (online + DRAWN) / hourly

    @property
    def hourly(self) -> float:
        """Mean work per online second until now; 0 while nothing has ended."""
        if not self.worked_all:
            return 0.0
        return self.worked_all / len(self.worked) / self.presence.mean_seconds(self.now)

    # --- Events -------------------------------------------------------------------------------------------------------

    def _arrival(self, ticket: int) -> None:
        world = self.world
        self.waiting.append(ticket)
        if world.patience[ticket] < inf:
            self._at(self.now + world.patience[ticket], What.PATIENCE, ticket)
        for step in self.steps[world.kind[ticket]][1:]:
            self._at(self.now + step.after_seconds, What.STEP, ticket)
        seconds = self.policy.means.reserve_seconds
        if is_reserved(0.0, seconds, urgent=False, promised=False):
            self.reserved.add(ticket)
            self._at(self.now + seconds, What.OPEN, ticket)
        if ticket + 1 < len(world.at):
            self._at(world.at[ticket + 1], What.ARRIVAL, ticket + 1)
        self._changed = True

    def _patience(self, ticket: int) -> None:
        if self.holder[ticket] >= 0:
            return
        self.left[ticket] = True
        offers = self.open.pop(ticket, None)
        if offers is None:
            self.waiting.remove(ticket)
        for offer in offers or ():
            self._end(offer, State.CANCELLED)

    def _ask(self, ticket: int, agent: int) -> None:
        offer = len(self._offers)
        kind = self.world.case.kinds[self.world.kind[ticket]]
        expires = rules.deadline(self.now, kind.offer_seconds)
        self._offers.append((ticket, agent, expires))
        self._state.append(State.PENDING)
        self.open.setdefault(ticket, []).append(offer)
        self.offered[ticket] += 1
        self.pending[agent] += 1
        self._look(agent)
        if agent in self.auto:
            self._accept(offer)
            return
        _, seconds = self.world.answer(agent, self.turn[agent])
        self.turn[agent] += 1
        # The offer's number is all that an event carries: the answer is drawn once more when it comes.
        if seconds == 0:
            self._at_once = True
            self._answer_now(offer, self.turn[agent] - 1)
        else:
            self._at(min(self.now + seconds, expires), What.ANSWER, offer)

    def _answer(self, offer: int) -> None:
        if self._state[offer] is State.PENDING:
            self._answer_now(offer, self.turn[self._offers[offer][1]] - 1)

    def _answer_now(self, offer: int, turn: int) -> None:
        _, agent, expires = self._offers[offer]
        yes, _ = self.world.answer(agent, turn)
        if not rules.answerable(self.now, expires):
            self._end(offer, State.EXPIRED)
        elif yes:
            self._accept(offer)
        else:
            self._end(offer, State.DECLINED)

    def _accept(self, offer: int) -> None:
        ticket, agent, _ = self._offers[offer]
        self._state[offer] = State.ACCEPTED
        self.pending[agent] -= 1
        self.holder[ticket], self.accepted_at[ticket] = agent, self.now
        if EFFECTS[State.ACCEPTED].rescinds_siblings:
            for other in self.open.pop(ticket):
                if other != offer:
                    self.rescinded[ticket] += 1
                    self._end(other, State.RESCINDED)
        self._begin(ticket, agent)
        self._look(agent)

    def _begin(self, ticket: int, agent: int) -> None:
        """The work begins. A next-up ends as many wrap-ups as it needs room of; what was left of them is done beside it."""
        world, case = self.world, self.world.case
        units = self._units(ticket)
        wraps = [(old, self._units(old)) for old in self.wraps[agent]]
        ending = room_for(units, case.capacity - self.taken[agent], wraps)
        if ending is None:
            raise ValueError(f"agent {agent} has no room for ticket {ticket}")
        left = 0.0
        for old in ending:
            rest = self.ends_at[old] - self.now
            left += rest * self._units(old) / units
            self._count(agent, self.now, self.ends_at[old], -self._units(old))
            self._end_work(old)
        self.taken[agent] += units
        seconds = world.handling(ticket, agent)
        self.ends_at[ticket] = end = self.now + seconds + left
        self._count(agent, self.now, end, units)
        if self.policy.means.next_up and case.wrap_share:
            self._at(end - seconds * case.wrap_share, What.WRAP, ticket)
        self._at(end, What.DONE, ticket)

    def _count(self, agent: int, begin: float, end: float, units: int) -> None:
        """Work of so many units, of what is measured."""
        case = self.world.case
        seconds = max(min(end, case.horizon) - max(begin, case.warm_up), 0.0)
        self.busy[agent] += seconds * units / case.capacity

    def _wrap(self, ticket: int) -> None:
        agent = self.holder[ticket]
        self.wrapping[agent] += self._units(ticket)
        self.wraps[agent].append(ticket)
        self._look(agent)

    def _done(self, ticket: int) -> None:
        if self.over[ticket]:  # the next ticket has ended its wrap-up
            return
        agent = self.holder[ticket]
        self._end_work(ticket)
        self.idle_since[agent] = self.now
        self._look(agent)

    def _end_work(self, ticket: int) -> None:
        """The ticket's units are free, and what was worked on it is known."""
        agent, units = self.holder[ticket], self._units(ticket)
        self.over[ticket] = True
        self.taken[agent] -= units
        if ticket in self.wraps[agent]:
            self.wraps[agent].remove(ticket)
            self.wrapping[agent] -= units
        worked = self.now - self.accepted_at[ticket]
        self._credit(agent, worked * units / self.world.case.capacity)

    def _back(self, agent: int) -> None:
        self.online[agent] = True
        self._look(agent)

    def _again(self, ticket: int) -> None:
        self._changed |= self.holder[ticket] < 0

    def _step(self, ticket: int) -> None:
        # Counted and not computed from the time: a rounding must not keep a ticket below its step.
        self.reached[ticket] += 1
        self._changed |= self.holder[ticket] < 0

    def _open(self, ticket: int) -> None:
        self.reserved.remove(ticket)
        self._changed |= self.holder[ticket] < 0

    def _come(self, agent: int) -> None:
        self.presence.change(agent, self.now, comes=True)
        self.idle_since[agent] = self.now
        self._look(agent)

    def _leave(self, agent: int) -> None:
        self.presence.change(agent, self.now, comes=False)
        for offers in list(self.open.values()):
            for offer in [one for one in offers if self._offers[one][1] == agent]:
                self._end(offer, State.REVOKED)
        self._look(agent)

    def _end(self, offer: int, state: State) -> None:
        """A pending offer ends otherwise than by a yes; what follows is in the rules."""
        ticket, agent, _ = self._offers[offer]
        if state not in rules.FOLLOWS[self._state[offer]]:
            raise ValueError(f"{self._state[offer]} → {state}")
        self._state[offer] = state
        self.pending[agent] -= 1
        effect = EFFECTS[state]
        if effect.remembered:
            self.said_no.setdefault(ticket, {})[agent] = self.now
            self._at(self.now + rules.AGAIN_SECONDS, What.AGAIN, ticket)
        if effect.pauses:
            self.expired[ticket] += 1
            self.online[agent] = False
            away = self._away(agent)
            case = self.world.case
            self.away[agent] += max(min(self.now + away, case.horizon) - max(self.now, case.warm_up), 0.0)
            self._at(self.now + away, What.BACK, agent)
        siblings = self.open.get(ticket)
        if siblings is not None:
            siblings.remove(offer)
            if not siblings:  # all said no: it waits again, and keeps its age
                del self.open[ticket]
                if not self.left[ticket]:
                    insort(self.waiting, ticket)
        self._look(agent)

    # --- Small steps --------------------------------------------------------------------------------------------------

    def _look(self, agent: int) -> None:
        """Whether they may be asked, after something about them has changed."""
        there = self.online[agent] and self.presence.there[agent]
        asks = rules.may_be_asked(online=there, open_offers=self.pending[agent])
        if asks and self.units_free(agent) > 0:
            self.free.add(agent)
        else:
            self.free.discard(agent)
        self._changed = True

    def _units(self, ticket: int) -> int:
        return self.world.case.kinds[self.world.kind[ticket]].units

    def _away(self, agent: int) -> float:
        """Until they are back: of a draw of its own, so that answers stay in step."""
        chance = np.random.default_rng([self.world.seed, 5, agent, self.turn[agent]])
        return float(chance.exponential(self.world.case.away_mean))

    def _credit(self, agent: int, seconds: float) -> None:
        self.worked[agent] += seconds
        self.worked_all += seconds
