"""Agents, topics and skills for the rows, made inside Django on the database of a stack (bench/inside.py).

One pool, 12 topics, 15 skills, every agent with 6 of them and both languages: each ticket finds some hundred people who may
take it. All in one pool is the hard case: each run looks at everybody.
"""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from agents.models import AccountToken, Agent, AgentSkill, AgentStatus, Lease, Pool, Shift, Skill, User
from agents.tokens import digest_of
from bench import past
from dispatch.models import Feed, Offer, Rate, Requirement, Route
from dispatch.runs import match_pool
from tickets.models import Channel, Customer, Ticket, Topic

TOPICS, SKILLS, HAS = 12, 15, 6
FAR = timedelta(hours=1)  # the first lease: sockets open later, their beats make it an ordinary one


def main(agents: int, offers: bool = False, tickets: int = 0) -> dict[str, Any]:
    """Everybody is online. With `offers`, (nearly) each has an open offer; `tickets` are closed and past.

    Returns {"agents": [[id, token, epoch], …], "offers": {agent id: offer id}, "topics": [key, …]}.
    """
    pool = Pool.objects.create(key="first", name_en="First line", name_de="Erste Reihe")
    skills = Skill.objects.bulk_create(
        [Skill(key=f"skill-{n}", name_en=f"Skill {n}", name_de=f"Fähigkeit {n}") for n in range(SKILLS)]
    )
    topics = _topics(pool, skills)
    people = _agents(agents, pool, skills)
    if tickets:
        past.make(pool.pk, tickets)
    pending = _offers(pool, people, topics) if offers else {}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum has done long since where people work
    return {
        "agents": [[agent.pk, f"{agent.user_id:040x}", 1] for agent in people],
        "offers": pending,
        "topics": [topic.key for topic in topics],
    }


def _topics(pool: Pool, skills: Sequence[Skill]) -> list[Topic]:
    topics = Topic.objects.bulk_create(
        [
            Topic(key=f"topic-{n}", name_en=f"Topic {n}", name_de=f"Thema {n}", position=n)
            for n in range(TOPICS)
        ]
    )
    for number, topic in enumerate(topics):
        route = Route.objects.create(topic=topic, pool=pool)
        Requirement.objects.create(route=route, skill=skills[number], level=2)
        Requirement.objects.create(route=route, skill=skills[(number + 3) % SKILLS], level=2, required=False)
    Route.objects.create(topic=None, pool=pool)
    Rate.objects.create(topic=None, amount_cents=250, valid_from=date(2026, 1, 1))
    return topics


def _agents(count: int, pool: Pool, skills: Sequence[Skill]) -> list[Agent]:
    dice = random.Random(7302)
    users = User.objects.bulk_create(
        [User(email=f"agent-{n}@agents.example", name=f"Agent {n}", password="!") for n in range(count)]
    )
    AccountToken.objects.bulk_create(
        [AccountToken(user=user, digest=digest_of(f"{user.pk:040x}")) for user in users]
    )
    admitted = {"status": AgentStatus.ADMITTED, "languages": ["en", "de"], "last_epoch": 1}
    people = Agent.objects.bulk_create([Agent(user=user, name=user.name, **admitted) for user in users])
    pool.members.set(people)
    AgentSkill.objects.bulk_create(
        [
            AgentSkill(agent=agent, skill=skill, level=dice.randint(1, 5))
            for agent in people
            for skill in dice.sample(list(skills), HAS)
        ]
    )
    shifts = Shift.objects.bulk_create(
        [Shift(agent=agent, epoch=1, units=agent.units, online_since=Now()) for agent in people]
    )
    Lease.objects.bulk_create([Lease(shift=shift, expires_at=Now() + FAR) for shift in shifts])
    Feed.objects.bulk_create([Feed(agent=agent) for agent in people])
    return people


def _offers(pool: Pool, people: Sequence[Agent], topics: Sequence[Topic]) -> dict[int, int]:
    """Open offers made by one real run, so that their cards are real; they last an hour."""
    customer = Customer.objects.create(name="Carla", email="carla@customers.example")
    Ticket.objects.bulk_create(
        [
            Ticket(
                customer=customer,
                topic=topics[n % len(topics)],
                summary="Where is my refund? I sent the parcel back two weeks ago.",
                language="en",
                channel=Channel.FORM,
                access_expires_at=Now() + FAR,
                link_mailed_at=Now(),
            )
            for n in range(len(people))
        ]
    )
    match_pool(pool.pk)
    Ticket.objects.filter(offers__isnull=True).update(state="closed", closed_at=Now())
    Offer.objects.update(expires_at=Now() + FAR)
    return dict(Offer.objects.values_list("agent_id", "pk"))
