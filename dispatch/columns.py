"""What a run saw, and what its tickets ask for, as the columns that the solver works on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple

import numpy as np

from dispatch.matching.problem import F32, I8, I32, I64, Agents, Needs, Pairs, Problem, Tickets, certified
from dispatch.members import profiles_of
from dispatch.routes import LANGUAGES, PolicySpec, Routes, RouteSpec
from dispatch.rules import offers, steps
from dispatch.rules.newcomers import is_new, newcomers_first
from dispatch.rules.reserve import is_reserved
from dispatch.sight import People, TicketRow


class Asked(NamedTuple):
    """What a ticket asks of the people of one pool, at the step that its wait has reached."""

    spec: RouteSpec
    required: Mapping[int, int]  # skill id → least level
    preferred: Mapping[int, int]


def asked_of(plan: Routes, row: TicketRow, pool_id: int) -> Asked:
    """What a ticket that waits in this pool asks there."""
    spec = spec_of(plan, row)
    step = steps.at(spec.steps, pool_id, row.waited) or steps.Step(0, pool_id)
    return Asked(spec, steps.required(spec.required, step), steps.preferred(spec.preferred, step))


def problem_of(
    tickets: Sequence[TicketRow],
    people: People,
    plan: Routes,
    policy: PolicySpec,
    only: Mapping[int, Collection[int]],
) -> Problem:
    """The columns that the solver works on. `only`: ticket id → the people whom it waits for, if it does.

    Two queries if a profile is new or changed, else none.
    """
    needs = [asked_of(plan, row, policy.pool_id) for row in tickets]
    ages = plan.ages(people.seen_at)
    ids = np.array([row.id for row in tickets], np.int64)
    specs = [one.spec for one in needs]
    profiles = profiles_of(people.id, people.profile_version)
    rows = profiles.rows(people.id)
    skills, levels = profiles.skills, profiles.levels[rows]
    needed = {skill for one in needs for skill in (*one.required, *one.preferred)}
    column = {skill: place for place, skill in enumerate(skills.tolist())}
    if missing := sorted(needed - column.keys()):  # nobody has them, or they are certificates
        column |= {skill: len(column) + place for place, skill in enumerate(missing)}
        skills = np.append(skills, missing)
        levels = np.append(levels, np.zeros((len(people), len(missing)), np.int8), axis=1)
        for skill in missing:
            if skill < 0:
                levels[:, column[skill]] = profiles.certified(certified(skill), rows, people.seen_at)
    # What is being wrapped up is free for the next ticket, and counts as load until then (rules.units, ADR 14).
    free = people.units - people.units_taken + (people.units_wrapping if policy.next_up else 0)
    accept, accept_row = _acceptance(tickets, people)
    here = set(people.id.tolist()) if only else set()
    excluded: set[tuple[int, int]] = set()
    for row, one in zip(tickets, needs, strict=True):
        if row.answered:
            able = _able(
                row, one, people, free=free, languages=profiles.languages[rows], levels=levels, column=column
            )
            said_no = {said["agent"]: -said["ago"] for said in row.answered}
            excluded |= {(row.id, agent) for agent in offers.excluded(said_no, able, 0.0)}
        if row.id in only:
            excluded |= {(row.id, agent) for agent in here - set(only[row.id])}
    return Problem.trusted(
        tickets=Tickets.trusted(
            id=ids,
            # Only open time ages; the steps of a route go by the clock.
            waited_seconds=np.array(
                [ages[row.topic_id](row.waited) if row.topic_id in ages else row.waited for row in tickets],
                np.float64,
            ),
            target_seconds=np.array([spec.target_seconds or 1 for spec in specs], np.float64),
            max_wait_seconds=np.array([spec.max_wait_seconds or inf for spec in specs], np.float64),
            priority=np.array([min(max(row.priority, -1), 10) for row in tickets], np.float64),
            units=np.array([spec.units for spec in specs], np.int32),
            language=np.array(
                [LANGUAGES.index(row.language) if row.language in LANGUAGES else -1 for row in tickets],
                np.int8,
            ),
            required=Needs.of([one.required for one in needs], column),
            preferred=Needs.of([one.preferred for one in needs], column),
            known=Pairs.of((row.id, agent) for row in tickets for agent in row.known),
            excluded=Pairs.of(sorted(excluded)),
            newcomers_first=newcomers_first(ids, policy.exploration_percent),
            # By the clock, as the steps: a ticket that comes at night must not stay reserved until the morning.
            reserved=np.array(
                [
                    is_reserved(
                        row.waited,
                        policy.reserve_seconds,
                        urgent=row.priority > 0,
                        promised=row.id in only or bool(row.known),
                    )
                    for row in tickets
                ],
                np.bool_,
            ),
            accept_row=accept_row,
        ),
        agents=Agents.trusted(
            id=people.id,
            free_units=free,
            capacity_units=people.units,
            load=(people.units_taken / people.units).astype(np.float32),
            # Who wraps up is not idle yet.
            idle_seconds=np.where(
                people.units_wrapping > 0, np.float32(0), np.maximum(people.idle, np.float32(0))
            ),
            share=people.share,
            languages=profiles.languages[rows],
            levels=levels,
            skill_id=skills,
            accept=accept,
            max_pending=np.ones(len(people), np.int8),  # one card at a time, as by default
            new=is_new(people.answered),
            quality=people.quality,
            booked=people.booked,
        ),
        weights=policy.weights,
        fair_share=1.0,  # shares of members are relative to the pool's mean already
        skill_demand=np.ones(len(skills)),  # as by default
    )


def spec_of(plan: Routes, row: TicketRow) -> RouteSpec:
    """The route of a ticket that waits in a pool."""
    spec = plan.of(row.topic_id)
    assert spec is not None  # the queue's condition let only routed tickets in
    if row.passed_to is not None:
        return replace(spec, pool_id=row.passed_to, steps=steps.of_pool(row.passed_to))
    return spec


def _able(
    row: TicketRow,
    asked: Asked,
    people: People,
    *,
    free: I32,
    languages: I64,
    levels: I8,
    column: Mapping[int, int],
) -> set[int]:
    """Those of the free people who may take this ticket now, whether they said no to it or not."""
    able = free >= asked.spec.units
    if row.language in LANGUAGES:
        able &= languages >> LANGUAGES.index(row.language) & 1 != 0
    for skill, level in asked.required.items():
        able &= levels[:, column[skill]] >= level
    return set(people.id[able].tolist())


def _acceptance(tickets: Sequence[TicketRow], people: People) -> tuple[F32, I32]:
    """Agents.accept, and each ticket's row of it: a row for each topic that has one of its own and one for all others; where
    that is a single row, as in most runs, (m,) and nothing.
    """
    own = people.by_topic
    topics = [topic if (topic := row.topic_id or 0) in own else None for row in tickets]
    row_of = {topic: place for place, topic in enumerate(dict.fromkeys(topics))}
    rates = [people.accept_rate if topic is None else own[topic] for topic in row_of]
    if len(rates) <= 1:
        return next(iter(rates), people.accept_rate), np.arange(len(tickets), dtype=np.int32)
    return np.stack(rates), np.array([row_of[topic] for topic in topics], np.int32)
