"""One matching run: look, solve, write offers, store what it saw. One run a pool reads or writes at a time (advisory lock).

What a run reads and what it writes are one journey to the database each, and no transaction holds them together: while it
solves, the world goes on, and the statement that writes looks once more at all that matters (STILL_FREE).
"""

import json
import logging
import time
from collections.abc import Sequence, Set
from dataclasses import asdict
from functools import lru_cache, partial
from math import inf
from typing import NamedTuple

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from dispatch import automatic, calling, events, feed, routes, seen, sight
from dispatch.alone import Hold, PoolBusy, alone
from dispatch.columns import Asked, asked_of, problem_of, spec_of
from dispatch.matching.explain import Reason, reasons
from dispatch.matching.solve import Solution, solve
from dispatch.members import Present, able, auto_accepting, members_forget, online
from dispatch.pricing import Terms, price, surge
from dispatch.routes import PolicySpec, Routes, RouteSpec
from dispatch.rules import steps
from dispatch.rules.offers import AGAIN_SECONDS, asks_nobody_else, in_parallel
from dispatch.rules.units import is_next_up
from dispatch.sight import ALONE, PASSED_AT, Coming, People, TicketRow, see
from tickets import bell, timeline
from tickets import events as ticket_events
from tickets.models import Ticket, TicketState
from tickets.planned import Statement, committing
from tickets.writing import WriterHangs, planned_after

logger = logging.getLogger(__name__)


def match_pool(pool_id: int, *, wait: bool = True, store: bool = True, coming: Coming | None = None) -> int:
    """Match the pool's waiting tickets with its free people once, and make the offers. Outermost.

    Returns the number of offers made. Waits for a run of the same pool that is under way, or, without `wait`, raises PoolBusy;
    safe to run twice. `coming`: a ticket that is just being written, for which it waits. Without `store` the caller has what it
    saw stored, when there is time (seen.store). While what admins have set and everybody's profile is known: two queries, one
    that commits and lets go of the pool, and one that stores what it saw.
    """
    calm.discard(pool_id)
    try:
        made = _run(pool_id, wait=wait, store=store, coming=coming)
    except WriterHangs:
        made = NOTHING._replace(again=True)  # without that ticket: the tick finds it
    if not made.again:
        return made.offers
    return made.offers + _run(pool_id, wait=wait, store=store, coming=None).offers


calm: set[int] = set()  # pools whose last run left no ticket without an offer; of a matcher's one thread


def _run(pool_id: int, *, wait: bool, store: bool, coming: Coming | None) -> "Made":
    """Raises WriterHangs when `coming` does not come."""
    plan = routes.routes()
    policy = routes.policy(pool_id)
    with alone(pool_id, wait=wait) as hold:
        coming = None if hold.number is None else coming
        found = sight.foreseen(pool_id, plan, coming) if coming else None
        writer = coming.writer if coming and found else None
        if found:
            hold.held = False  # until it writes
        else:
            found = see(pool_id, plan, hold.lock, coming)
        if found is None:
            raise PoolBusy
        tickets, people = found
        if not tickets:
            calm.add(pool_id)
            return NOTHING
        if not len(people):
            _flag(tickets, plan, [False] * len(tickets))
            return NOTHING
        only = _waited_for(pool_id, tickets, plan)
        problem = problem_of(tickets, people, plan, policy, only)
        begun = time.perf_counter()
        solution = solve(problem)
        micros = int((time.perf_counter() - begun) * 1e6)
        wanted = wanted_pairs(tickets, people, solution, plan, auto_accepting(pool_id))
        possible = solution.scores.ticket_able.tolist()
        hold.till_written = all(possible) and not any(row.flagged for row in tickets)  # nothing to flag then
        made = _write(policy, wanted, solution, micros, hold, writer=writer) if wanted else NOTHING
        served = made.tickets == len(tickets)
        if not served and (writer is not None or made.offers < len(wanted)):
            made = made._replace(again=True)  # somebody was faster, or it is not as it was foreseen
        else:
            _flag(tickets, plan, possible)
    if served:
        calm.add(pool_id)
    if made.automatic:
        automatic.accept_due()  # without the pool's lock: whoever accepts locks shifts and tickets
    if made.run_id is not None:
        logger.info("offers made", extra={"run": made.run_id, "pool": pool_id})
        # Now that the offers are on their way. A death before this leaves a run that can be read but not solved again.
        seen.note(made.run_id, problem, solution)
        if store:
            seen.store()
    return made


class Wanted(NamedTuple):
    """One pair of the solver, with what an offer needs."""

    ticket: TicketRow
    agent_id: int
    shift_id: int
    profile_version: int
    spec: RouteSpec
    reason: Reason
    next_up: bool  # while they wrap up their last ticket


class Made(NamedTuple):
    """What a run wrote."""

    offers: int
    run_id: int | None
    automatic: bool  # whether any of the offers is to somebody who accepts automatically
    tickets: int  # that are offered to somebody
    again: bool = False  # another run is due: it is not as it was foreseen, or a ticket has not come


NOTHING = Made(0, None, automatic=False, tickets=0)


def wanted_pairs(
    tickets: Sequence[TicketRow],
    people: People,
    solution: Solution,
    plan: Routes,
    auto_accepts: Set[int] = frozenset(),
) -> list[Wanted]:
    """The solver's pairs, without parallel offers to people who wrap up; and of a ticket for which somebody accepts
    automatically, only theirs.
    """
    free = people.units - people.units_taken
    wanted = []
    asked: dict[int, list[int]] = {}
    for (i, j, _value), reason in zip(solution.pairs, reasons(solution), strict=True):
        spec = spec_of(plan, tickets[i])
        ahead = is_next_up(spec.units, int(free[j]))
        if not in_parallel(reason["round"], idle=not ahead):
            continue
        if ahead:
            reason["next_up"] = True
        if tickets[i].asked_first == int(people.id[j]):
            reason["again" if tickets[i].front else "by_name"] = True
        person = int(people.id[j]), int(people.shift_id[j]), int(people.profile_version[j])
        wanted.append(Wanted(tickets[i], *person, spec, reason, ahead))
        asked.setdefault(tickets[i].id, []).append(person[0])
    asked = {ticket: asks_nobody_else(auto_accepts, agents) for ticket, agents in asked.items()}
    return [one for one in wanted if one.agent_id in asked[one.ticket.id]]


# Shifts and tickets are locked in order first, and in statements of their own: only the next one sees the offers that were
# made, and the tickets and shifts that were ended, by whoever held these locks before.
IS_ALONE = f"current_setting('{ALONE}') = 'true'"  # whether the pool's lock was there to be had; else nothing is waited for
LOCK_SHIFTS = f"SELECT 1 FROM agents_shift WHERE id = ANY($1::bigint[]) AND {IS_ALONE} ORDER BY id FOR UPDATE"  # noqa: S608
LOCK_TICKETS = (
    f"SELECT 1 FROM tickets_ticket WHERE id = ANY($1::bigint[]) AND {IS_ALONE} ORDER BY id FOR UPDATE"  # noqa: S608
)


def _locks(shifts: Sequence[int], tickets: Sequence[int]) -> list[Statement]:
    return [(LOCK_SHIFTS, [list(shifts)]), (LOCK_TICKETS, [list(tickets)])]


# Who has left since they were seen, is no member any more, has other skills, or was offered something by the run of another
# pool, is left out.
STILL_FREE = """
    s.state = 'online' AND s.lost_at IS NULL
    AND s.units_taken - CASE WHEN w.next_up THEN s.units_wrapping ELSE 0 END + w.units <= s.units
    AND NOT EXISTS (SELECT FROM dispatch_offer o WHERE o.agent_id = s.agent_id AND o.state = 'pending')
    AND EXISTS (
        SELECT FROM agents_agent a JOIN agents_user u ON u.id = a.user_id
        JOIN agents_agent_pools member ON member.agent_id = a.id AND member.pool_id = $9
        WHERE a.id = s.agent_id AND a.status = 'admitted' AND u.is_active AND a.profile_version = w.version)
"""
# The customer may have closed it since it was seen, a lead passed it on to others, or the run of another pool that it has come
# to was faster.
STILL_WAITING = f"""
    t.state = 'waiting' AND NOT EXISTS (SELECT FROM dispatch_offer o WHERE o.ticket_id = t.id AND o.state = 'pending')
    AND (SELECT {PASSED_AT} FROM dispatch_transfer passed WHERE passed.ticket_id = t.id)
        IS NOT DISTINCT FROM (SELECT max(w.passed_at) FROM wanted w WHERE w.ticket_id = t.id)
"""  # noqa: S608  nothing from outside is in it
# All that a run writes is one statement: units, the run, its offers, the tickets' timelines, the agents' feeds. By the clock,
# and not by when the statement came: it may have waited for the ticket (planned_after).
WRITE = f"""
WITH wanted AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::text[], $7::int[], $8::text[],
                         $14::int[], $15::bool[], $16::int[], $17::text[], $18::bigint[])
    WITH ORDINALITY AS w(ticket_id, agent_id, shift_id, units, pay_cents, currency, seconds, why, version, next_up, surge_cents,
                            terms, passed_at, place)),
still AS (SELECT id FROM tickets_ticket t WHERE {IS_ALONE} AND id IN (SELECT ticket_id FROM wanted) AND {STILL_WAITING}),
taken AS (
    UPDATE agents_shift s SET units_taken = s.units_taken + CASE WHEN w.next_up THEN 0 ELSE w.units END
    FROM wanted w JOIN still ON still.id = w.ticket_id
    WHERE s.id = w.shift_id AND {STILL_FREE}
    RETURNING s.id),
made AS (SELECT w.* FROM wanted w JOIN taken ON taken.id = w.shift_id),
run AS (
    INSERT INTO dispatch_run (pool_id, policy_id, tickets, agents, offers, solve_micros, snapshot, started_at)
    SELECT $9::bigint, $10::bigint, $11::int, $12::int, count(*), $13::int, '', clock_timestamp() FROM made HAVING count(*) > 0
    RETURNING id, started_at),
offer AS (
    INSERT INTO dispatch_offer
        (ticket_id, agent_id, shift_id, run_id, state, reason, units, next_up, pay_cents, surge_cents, currency, terms, why,
         automatic, made_at, expires_at)
    SELECT ticket_id, agent_id, shift_id, run.id, 'pending', '', units, next_up, pay_cents, surge_cents, currency,
        terms::jsonb, why::jsonb, (SELECT auto_accept FROM agents_agent a WHERE a.id = made.agent_id),
        run.started_at,
        run.started_at + make_interval(
            secs => seconds + (SELECT extra_seconds FROM agents_agent a WHERE a.id = made.agent_id))
    FROM made, run ORDER BY place
    RETURNING id, ticket_id, agent_id, automatic),
offered AS (
    SELECT ticket_id, jsonb_build_object('agents', jsonb_agg(agent_id ORDER BY id)) AS data FROM offer GROUP BY ticket_id),
made_known AS (SELECT agent_id, jsonb_build_object('offer', id) AS data FROM offer),
{timeline.numbering("offered", ticket_events.OFFERED)},
{feed.counting("made_known", events.OFFER_MADE)}
SELECT (SELECT json_agg(json_build_array(public_id, seq)) FROM numbered),
       (SELECT json_agg(json_build_array(agent_id, seq)) FROM counted),
       (SELECT id FROM run),
       (SELECT coalesce(bool_or(automatic), false) FROM offer),
       (SELECT json_agg(id) FROM offer WHERE EXISTS (
            SELECT FROM agents_pushdevice d WHERE d.agent_id = offer.agent_id AND d.offers AND d.stopped_at IS NULL)),
       EXISTS (SELECT FROM still), {IS_ALONE}
"""  # noqa: S608  nothing from outside is in it


def _write(
    policy: PolicySpec,
    wanted: Sequence[Wanted],
    solution: Solution,
    micros: int,
    hold: Hold,
    *,
    writer: int | None,
) -> Made:
    """Make the offers, once the transaction of `writer` is over, and ring. Two queries, and one for the rates when they are not
    kept. With a `writer` nothing was read, and the pool is locked here. Raises WriterHangs, PoolBusy.

    The bell of whoever is a ticket's first choice rings before anything is written (bell.ahead): it is heard meanwhile.
    """
    today, rates = timezone.localdate(), routes.rates()
    pays = [price(one.ticket.topic_id, today, rates) for one in wanted]
    waiting, free = len(solution.problem.tickets), len(solution.problem.agents)
    surges = [
        surge(pay.cents, policy.surge_percent, waiting=waiting, free=free, bound=policy.surge_from)
        for pay in pays
    ]
    shifts = [one.shift_id for one in wanted]
    write = partial(
        planned_after,
        writer,
        WRITE,
        [
            [one.ticket.id for one in wanted],
            [one.agent_id for one in wanted],
            shifts,
            [one.spec.units for one in wanted],
            [pay.cents for pay in pays],
            [pay.currency for pay in pays],
            [one.spec.offer_seconds for one in wanted],
            [json.dumps(one.reason) for one in wanted],
            policy.pool_id,
            policy.id,
            len(solution.problem.tickets),
            len(solution.problem.agents),
            micros,
            [one.profile_version for one in wanted],
            [one.next_up for one in wanted],
            surges,
            [_stored(pay.terms) for pay in pays],
            [one.ticket.passed_at for one in wanted],
        ],
        first=[
            *([hold.lock] if writer is not None else []),
            *_locks(shifts, [*{one.ticket.id for one in wanted}]),
        ],
    )
    if writer is not None:
        hold.held = True  # with or without the lock, should it fail
    heard: Set[str] = frozenset()
    if hold.number is not None:
        # Of parallel offers that of the first choice alone: their card would come later if all were drawn at the same time.
        first = {one.ticket.id: feed.stream_of(one.agent_id) for one in reversed(wanted)}
        hold.told = True
        with committing(), bell.ahead(first.values(), hold.number.writer) as heard:
            written = write(begin=True)
            if not written[0][-1]:
                raise PoolBusy
            hold.commit()
    else:
        written = write()
    [(told, counted, run_id, any_automatic, to_call, waited, _alone)] = written
    bells = [(feed.stream_of(agent_id), seq) for agent_id, seq in counted or []]
    # Agents first: the customer's page shows nothing of an offer.
    bell.ring_all(
        [one for one in bells if one[0] not in heard]
        + [(f"ticket:{public_id}", seq) for public_id, seq in told or []]
    )
    calling.offers_ask(to_call or [])
    if len(counted or []) < len(wanted) and waited:
        members_forget(policy.pool_id)  # perhaps somebody was left out who is known wrongly
    return Made(len(counted or []), run_id, any_automatic, len(told or []))


@lru_cache(maxsize=256)
def _stored(terms: Terms) -> str:
    """Terms of pay as an offer stores them; there are as many as there are rates."""
    return json.dumps(asdict(terms))


def _waited_for(pool_id: int, tickets: Sequence[TicketRow], plan: Routes) -> dict[int, set[int]]:
    """Ticket id → people of the pool whom it waits for in its first seconds, who can take it and are online, if only busy:
    the colleague to whom it was passed on by name, else those who have helped its customer before, by its route.

    No query while there is nobody whom a ticket could wait for; else those of online().
    """
    hopes = {row.id: _hopes(row, plan) for row in tickets if row.asked_first or row.known}
    here = online([pool_id]) if any(hopes.values()) else []
    found = {}
    for row in tickets:
        for hopeful in hopes.get(row.id, []):
            asked = asked_of(plan, row, pool_id)
            if people := {one.agent_id for one in here if one.agent_id in hopeful and _may(one, asked, row)}:
                found[row.id] = people
                break
    return found


def _hopes(row: TicketRow, plan: Routes) -> list[set[int]]:
    """Whom a ticket would wait for now, the first choice first."""
    hopes = [{row.asked_first}] if row.asked_first is not None else []
    if row.known and row.waited < spec_of(plan, row).known_seconds:
        hopes.append(set(row.known))
    said_no = _said_no(row, ever=True)
    return [hopeful for hope in hopes if (hopeful := hope - said_no)]


def _may(one: Present, asked: Asked, row: TicketRow) -> bool:
    return able(one, asked.required, row.language)


def _said_no(row: TicketRow, *, ever: bool = False) -> set[int]:
    """Who declined it or gave it back, lately or ever."""
    return {said["agent"] for said in row.answered if ever or said["ago"] < AGAIN_SECONDS}


def _flag(tickets: Sequence[TicketRow], plan: Routes, possible: Sequence[bool]) -> None:
    """Mark tickets that nobody who is online could take, busy or not, at any step, and unmark those that somebody could.

    No query while somebody free can take each ticket; one or two more when not, and those of the marks.
    """
    stuck = [row for row, can in zip(tickets, possible, strict=True) if not can]
    helped = [row.id for row, can in zip(tickets, possible, strict=True) if can and row.flagged]
    here = online(plan.pools()) if stuck else []
    alone = []
    for row in stuck:
        said_no, spec = _said_no(row), spec_of(plan, row)
        # As the last step of each pool asks: while a step is ahead that somebody could answer, there is somebody.
        asked = {
            pool_id: asked_of(plan, row._replace(waited=inf), pool_id)
            for pool_id in steps.pools(spec.steps, inf)
        }
        someone = any(
            one.pool_id in asked and one.agent_id not in said_no and _may(one, asked[one.pool_id], row)
            for one in here
        )
        if someone and row.flagged:
            helped.append(row.id)
        elif not someone and not row.flagged:
            alone.append(row.id)
    if alone or helped:
        with transaction.atomic():
            for ids, event, mark in (
                (alone, ticket_events.FLAGGED, Now()),
                (helped, ticket_events.UNFLAGGED, None),
            ):
                timeline.advance(
                    Ticket.objects.filter(pk__in=ids, state=TicketState.WAITING), event, flagged_at=mark
                )
