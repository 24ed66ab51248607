"""The accounts of a replay's agents: in all pools, with all skills and languages."""

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from agents.models import Agent, AgentSkill, AgentStatus, Pool, Skill, User
from dispatch.demo.brand import DOMAIN

LEVEL = 4


def prepare(count: int, password: str) -> list[str]:
    """Have `count` agents who can log in with this password; returns their e-mail addresses.

    Those of earlier runs are taken again, with what pools, skills and languages there are now.
    """
    emails = [f"replay-{number:03}@{DOMAIN}" for number in range(1, count + 1)]
    hashed = make_password(password)  # once: 200 times would take half a minute
    languages = [code for code, _name in settings.LANGUAGES]
    with transaction.atomic():
        User.objects.bulk_create(
            [User(email=email, name=email.partition("@")[0].title(), password=hashed) for email in emails],
            update_conflicts=True,
            unique_fields=["email"],
            update_fields=["password"],
        )
        users = User.objects.filter(email__in=emails).order_by("email")
        Agent.objects.bulk_create(
            [
                Agent(user=user, name=user.name, status=AgentStatus.ADMITTED, languages=languages)
                for user in users.filter(agent=None)
            ]
        )
        agents = list(Agent.objects.filter(user__in=users))
        membership = Agent.pools.through
        membership.objects.bulk_create(
            [
                membership(agent_id=agent.pk, pool_id=pool_id)
                for agent in agents
                for pool_id in Pool.objects.values_list("pk", flat=True)
            ],
            ignore_conflicts=True,
        )
        AgentSkill.objects.bulk_create(
            [
                AgentSkill(agent=agent, skill_id=skill_id, level=LEVEL)
                for agent in agents
                for skill_id in Skill.objects.values_list("pk", flat=True)
            ],
            ignore_conflicts=True,
        )
    return emails
