"""Puts Later & Co into the database, once."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction

from agents.models import Agent, AgentSkill, AgentStatus, Pool, Skill, User
from dispatch.backoffice.roles import ROLES, roles_write
from dispatch.demo.articles import help_articles
from dispatch.demo.brand import (
    CANNED,
    DEFAULT_CENTS,
    DEFAULT_LIKES,
    DEFAULT_POOL,
    DOMAIN,
    HELPERS,
    PASSWORD,
    POLICY_NOTES,
    POLICY_WEIGHTS,
    POOLS,
    RATE,
    REVIEWS,
    SKILLS,
    TOPICS,
)
from dispatch.demo.hours import offer_hours
from dispatch.demo.learning import lessons
from dispatch.demo.pay import give_details
from dispatch.demo.people import ADMIN, AGENTS, LEAD, Person
from dispatch.demo.practising import scripts
from dispatch.models import Policy, Rate, Requirement, Route, RouteStep
from tickets.models import CannedReply, Topic

ADDRESSES = [f"{ADMIN[0]}@{DOMAIN}", f"{LEAD[0]}@{DOMAIN}", *(person.email for person in AGENTS)]


def seed() -> bool:
    """Make everything, all or nothing; returns whether it was made now.

    What is there stays as it is, also what an admin renamed or deleted: the whole is made once, and known by its accounts.
    """
    with transaction.atomic():
        if User.objects.filter(email__in=ADDRESSES).exists():
            return False
        # One hash for all: the password is no secret, and 42 honest ones would take seconds.
        password = make_password(PASSWORD)
        _staff(password)
        skills = {
            key: Skill.objects.create(key=key, name_en=en, name_de=de) for key, (en, de) in SKILLS.items()
        }
        pools = {key: Pool.objects.create(key=key, name_en=en, name_de=de) for key, (en, de) in POOLS.items()}
        for key, pool in pools.items():
            Policy.objects.create(
                pool=pool, version=1, note=POLICY_NOTES[key], **REVIEWS, **POLICY_WEIGHTS[key]
            )
        _topics(skills, pools)
        lessons(skills)
        scripts()
        for person in AGENTS:
            _agent(person, password, skills, pools)
        help_articles(User.objects.get(email=f"{ADMIN[0]}@{DOMAIN}"))
        give_details()
        offer_hours()
        CannedReply.objects.bulk_create(
            CannedReply(
                title=title, body=body, language=language, topic=Topic.objects.filter(key=topic).first()
            )
            for language, topic, title, body in CANNED
        )
    return True


def _staff(password: str) -> None:
    login, name = ADMIN
    User.objects.create(
        email=f"{login}@{DOMAIN}", name=name, password=password, is_staff=True, is_superuser=True
    )
    login, name = LEAD
    lead = User.objects.create(
        email=f"{login}@{DOMAIN}", name=name, password=password, is_staff=True, language="de"
    )
    roles_write()
    lead.groups.add(Group.objects.get(name=ROLES["team_lead"].group))


def _topics(skills: dict[str, Skill], pools: dict[str, Pool]) -> None:
    for position, spec in enumerate(TOPICS, start=1):
        topic = Topic.objects.create(
            key=spec.key,
            name_en=spec.name_en,
            name_de=spec.name_de,
            position=position,
            priority=spec.priority,
        )
        route = Route.objects.create(
            topic=topic,
            pool=pools[spec.pool],
            offer_seconds=spec.offer_seconds,
            units=spec.units,
            expected_minutes=spec.minutes,
            target_seconds=spec.target_seconds,
            wrap_up_seconds=spec.wrap_up_seconds,
        )
        seconds, helper = HELPERS[spec.pool]
        RouteStep.objects.create(route=route, after_seconds=seconds, pool=pools[helper])
        for needs, required in ((spec.needs, True), (spec.likes, False)):
            for skill, level in needs.items():
                Requirement.objects.create(route=route, skill=skills[skill], level=level, required=required)
        Rate.objects.create(topic=topic, amount_cents=spec.cents, **RATE)
    default = Route.objects.create(topic=None, pool=pools[DEFAULT_POOL], offer_seconds=30)
    for skill, level in DEFAULT_LIKES.items():
        Requirement.objects.create(route=default, skill=skills[skill], level=level, required=False)
    Rate.objects.create(topic=None, amount_cents=DEFAULT_CENTS, **RATE)


def _agent(person: Person, password: str, skills: dict[str, Skill], pools: dict[str, Pool]) -> None:
    user = User.objects.create(
        email=person.email,
        name=person.name,
        password=password,
        language="de" if "de" in person.languages else "en",
    )
    agent = Agent.objects.create(
        user=user, name=person.first_name, status=AgentStatus.ADMITTED, languages=list(person.languages)
    )
    agent.pools.add(*(pools[key] for key in person.pools))
    AgentSkill.objects.bulk_create(
        AgentSkill(agent=agent, skill=skills[key], level=level) for key, level in person.skills.items()
    )
