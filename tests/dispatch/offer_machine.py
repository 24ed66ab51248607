"""Offers and shifts by their public services on a real database, against the model of offer_model.py, in random order.

Each answer is predicted, and after each step every row is as the model says and the invariants hold. Nobody sleeps: time passes
by moving the database's columns back. A refused command has changed nothing, because the model has not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

import agents.errors
import tickets.errors
from agents.models import Agent, Shift
from dispatch import automatic, desk, offers, presence, queue
from dispatch.models import Offer
from dispatch.runs import match_pool
from tests.cast import World
from tests.dispatch import offer_model
from tests.dispatch.offer_model import ANSWER, Model
from tests.forcing import force_offline
from tests.invariants import broken
from tickets import kept, lifecycle
from tickets.models import Ticket

UNITS = {"Anna": 60, "Bernd": 60, "Clara": 30}  # a ticket takes 30
MOST_TICKETS = 4
HELD_AND_HOLDER = "I1 a held ticket has a holder, and only a held one"

people = st.sampled_from(sorted(UNITS))
which = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5])  # of those there are, modulo their number
runs = st.sampled_from([True, True, False])
epochs = st.sampled_from([*["this"] * 12, "old", "never"])
strangers = st.sampled_from([*[None] * 12, *sorted(UNITS)])  # who answers somebody else's offer
CHOICES = [*["online"] * 5, "beat", "pause", "lunch", "finish", "offline", "forced"]

# Every moment the rules know, moved into the past by the same seconds.
PAST = [
    f"UPDATE {table} SET {', '.join(f'{name} = {name} - make_interval(secs => %(seconds)s)' for name in columns)}"
    for table, columns in {
        "dispatch_offer": ("made_at", "expires_at", "answered_at", "ended_at"),
        "tickets_ticket": (
            "created_at",
            "waiting_since",
            "held_at",
            "first_held_at",
            "resolved_at",
            "closed_at",
        ),
        "agents_shift": ("started_at", "idle_since", "online_since", "lost_at", "ended_at"),
        "agents_lease": ("beat_at", "expires_at"),
    }.items()
]


class OffersAndShifts(RuleBasedStateMachine):
    """`world` is given by the test: its people stay from one example to the next, what an example does is rolled back."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(UNITS)
        self.ids = {name: agent.pk for name, agent in self.world.agents.items()}
        self.names = {pk: name for name, pk in self.ids.items()}
        self.scene = transaction.atomic()
        self.scene._from_testcase = True  # services insist on being outermost
        self.scene.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.scene.__exit__(None, None, None)
        kept.forget()

    @initialize()
    def begin(self) -> None:
        """A room where something happens: else most examples would end before the first offer."""
        for agent in sorted(UNITS):
            self._go_online(agent)
        self._open_ticket()
        self.match(dies=False)

    # --- Choosing -----------------------------------------------------------------------------------------------------

    def epoch(self, agent: str, kind: str) -> int:
        last = self.model.last_epoch(agent)
        return {"this": last, "old": last - 1, "never": 99}[kind]

    def offer(self, number: int, first: str) -> offer_model.Offer:
        there = sorted(self.model.offers.values(), key=lambda one: (one.state != first, -one.pk))
        return there[number % len(there)]

    def answering(self, number: int, first: str, kind: str, stranger: str | None) -> tuple[int, str, int]:
        """(offer, who says something about it, their epoch)."""
        offer = self.offer(number, first)
        agent = stranger or offer.agent
        return offer.pk, agent, self.epoch(agent, kind)

    def same(self, refusal: str | None, act: Callable[[], Any]) -> None:
        """The service must do or refuse what the model does."""
        said = None
        try:
            act()
        except (agents.errors.Refusal, tickets.errors.Refusal) as error:
            said = type(error).__name__
        assert said == refusal

    # --- Rules --------------------------------------------------------------------------------------------------------

    def _open_ticket(self) -> None:
        self.model.tickets[self.world.ticket().pk] = "waiting"

    def _go_online(self, agent: str) -> None:
        self.model.go_online(agent)
        presence.go_online(agent_id=self.ids[agent])

    @rule(agent=people, kind=epochs, how=st.sampled_from(CHOICES), run=runs)
    def choose(self, agent: str, kind: str, how: str, run: bool) -> None:
        pk, epoch, model = self.ids[agent], self.epoch(agent, kind), self.model
        if how == "online":
            self._go_online(agent)
        elif how == "forced":
            self._force_offline(agent, epoch)
        elif how == "beat":
            self.same(model.beat(agent, epoch), lambda: presence.beat(agent_id=pk, epoch=epoch))
        elif how == "finish":
            refusal = model.choose(agent, epoch, "finishing", "")
            self.same(refusal, lambda: presence.finish(agent_id=pk, epoch=epoch))
        elif how == "offline":
            refusal = model.go_offline(agent, epoch)
            self.same(refusal, lambda: presence.go_offline(agent_id=pk, epoch=epoch))
        else:
            reason = how if how == "lunch" else ""
            refusal = model.choose(agent, epoch, "paused", reason)
            self.same(refusal, lambda: presence.pause(agent_id=pk, epoch=epoch, reason=reason))
        self._run(run)

    def _force_offline(self, agent: str, epoch: int) -> None:
        for shift in self.model.shifts:
            if (shift.agent, shift.epoch) == (agent, epoch):
                row = Shift.objects.get(agent_id=self.ids[agent], epoch=epoch)
                assert force_offline(shift_id=row.pk) == self.model.force_offline(shift)

    @rule(agent=people, on=st.booleans())
    def auto_accept(self, agent: str, on: bool) -> None:
        (self.model.auto.add if on else self.model.auto.discard)(agent)
        automatic.auto_accept_choose(agent_id=self.ids[agent], on=on)

    def _run(self, run: bool) -> None:
        """What changes who may get what asks for a run, and mostly it comes at once."""
        if run:
            self.match(dies=False)

    @rule(dies=st.sampled_from([False, True]))
    def match(self, dies: bool) -> None:
        """`dies`: before it has accepted for anybody."""
        possible = self.model.may_be_asked()
        kept.forget()  # others would say so after two seconds
        with pytest.MonkeyPatch.context() as patch:
            if dies:
                patch.setattr(automatic, "accept_due", lambda: 0)
            count = match_pool(self.world.pool.pk)
        made = Offer.objects.filter(pk__gt=max(self.model.offers, default=0)).order_by("pk")
        assert len(made) == count
        for row in made:
            agent = self.names[row.agent_id]
            assert (row.ticket_id, agent) in possible
            shift = self.model.open_shift(agent)
            assert shift
            on = agent in self.model.auto
            self.model.made(
                offer_model.Offer(row.pk, row.ticket_id, shift, self.model.now + ANSWER, automatic=on)
            )
        self._nobody_is_left_over(possible, [(row.ticket_id, self.names[row.agent_id]) for row in made])
        if not dies and any(row.automatic for row in made):
            self.model.accept_due()

    def _nobody_is_left_over(self, possible: set[tuple[int, str]], made: list[tuple[int, str]]) -> None:
        asked, busy = {ticket for ticket, _agent in made}, {agent for _ticket, agent in made}
        assert len(busy) == len(made)  # each is asked about one ticket at most
        for ticket in asked:
            there = [agent for about, agent in made if about == ticket]
            assert len(there) == 1 or not self.model.auto & set(there)
        if not self.model.auto & {
            agent for _ticket, agent in possible
        }:  # else others were passed over for them
            assert all(ticket in asked or agent in busy for ticket, agent in possible)

    @precondition(lambda self: self.model.of("pending"))
    @rule(number=which, kind=epochs, stranger=strangers, yes=st.sampled_from([True, True, False]), run=runs)
    def answer(self, number: int, kind: str, stranger: str | None, yes: bool, run: bool) -> None:
        pk, agent, epoch = self.answering(number, "pending", kind, stranger)
        refusal = (self.model.accept if yes else self.model.decline)(pk, agent, epoch)
        act = offers.offer_accept if yes else offers.offer_decline
        self.same(refusal, lambda: act(offer_id=pk, agent_id=self.ids[agent], epoch=epoch))
        self._run(run)

    @precondition(lambda self: self.model.of("accepted"))
    @rule(number=which, kind=epochs, stranger=strangers, resolve=st.booleans(), run=runs)
    def work_ends(self, number: int, kind: str, stranger: str | None, resolve: bool, run: bool) -> None:
        pk, agent, epoch = self.answering(number, "accepted", kind, stranger)
        ticket = self.model.offers[pk].ticket
        refusal = self.model.finish_work(ticket, agent, epoch, resolve=resolve)
        act = desk.resolve if resolve else desk.hand_back
        self.same(refusal, lambda: act(agent=self.world.agents[agent], epoch=epoch, ticket_id=ticket))
        self._run(run)

    @rule(
        number=which,
        heard=st.booleans(),
        does=st.sampled_from(["opens", "opens", "closes", "reopens"]),
        run=runs,
    )
    def customer(self, number: int, heard: bool, does: str, run: bool) -> None:
        """`heard`: the listener ends a closed ticket's offers at once, else the tick."""
        ticket = sorted(self.model.tickets, reverse=True)[number % len(self.model.tickets)]
        row = Ticket.objects.select_related("customer").get(pk=ticket)
        if does == "opens" and len(self.model.tickets) < MOST_TICKETS:
            self._open_ticket()
        elif does == "reopens":
            self.same(self.model.reopen(ticket), lambda: lifecycle.ticket_reopen(ticket=row, body="Again"))
        elif does == "closes":
            self.same(self.model.close(ticket), lambda: lifecycle.ticket_close(ticket=row))
            if heard:
                self.model.hear_of_closing(ticket)
                offers.offers_cancel(ticket_id=ticket)
        self._run(run)

    @rule(
        hundreds=st.sampled_from([0, 0, 1, 1, 2, 3, 7]),
        beating=st.booleans(),
        part=st.sampled_from(["nothing", "accepts", "expires", "expires", "leases", "graces", "closing"]),
        run=runs,
    )
    def time_passes(self, hundreds: int, beating: bool, part: str, run: bool) -> None:
        """Hundreds of seconds, so that the moments of the model (150, 250, 600, 650) are never near; then part of the tick."""
        self.model.now += 100 * hundreds
        with connection.cursor() as cursor:
            for statement in PAST:
                cursor.execute(statement, {"seconds": 100 * hundreds})
        for shift in self.model.shifts if beating else []:
            if shift.open:
                self.choose(shift.agent, "this", "beat", run=False)
        getattr(self, f"_tick_{part}")()
        self.model.finished_end()
        presence.finished_end()
        self._run(run)

    def _tick_nothing(self) -> None:
        pass

    def _tick_accepts(self) -> None:
        self.model.accept_due()
        automatic.accept_due()

    def _tick_expires(self) -> None:
        self.model.expire_due()
        for offer_id, shift_id in offers.due_offer_ids():
            assert offers.offer_expire(offer_id=offer_id, shift_id=shift_id)

    def _tick_leases(self) -> None:
        self.model.leases_end()
        presence.leases_end()

    def _tick_graces(self) -> None:
        self.model.graces_end()
        presence.graces_end()

    def _tick_closing(self) -> None:
        for ticket in self.model.unfinished():
            self.model.hear_of_closing(ticket)
        for ticket in queue.closed_with_live_offers():
            offers.offers_cancel(ticket_id=ticket)

    # --- After each step ----------------------------------------------------------------------------------------------

    def check_invariants(self, settings: Any, *more: Any, **named: Any) -> None:
        super().check_invariants(settings, *more, **named)
        self.as_modelled()

    def as_modelled(self) -> None:
        """Every row is as the model says, and the invariants hold."""
        assert sorted(self.rows(), key=repr) == sorted(self.model.rows(), key=repr)

        def query(sql: str) -> list[Any]:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())

        found = broken(query)
        # A closed ticket's offers end in the moment after.
        unfinished = self.model.unfinished()
        left = [row for row in found.pop(HELD_AND_HOLDER, []) if row[0] not in unfinished]
        assert (found, left) == ({}, [])

    def rows(self) -> list[tuple[object, ...]]:
        mine = self.ids.values()
        return [
            *(("ticket", *row) for row in Ticket.objects.values_list("pk", "state")),
            *(
                ("offer", *row)
                for row in Offer.objects.values_list(
                    "pk", "agent__name", "shift__epoch", "state", "reason", "automatic"
                )
            ),
            *(
                ("shift", name, epoch, state, reason, lost_at is not None, end_reason, taken)
                for name, epoch, state, reason, lost_at, end_reason, taken in Shift.objects.values_list(
                    "agent__name", "epoch", "state", "reason", "lost_at", "end_reason", "units_taken"
                )
            ),
            *(
                ("agent", *row)
                for row in Agent.objects.filter(pk__in=mine).values_list("name", "auto_accept")
            ),
        ]
