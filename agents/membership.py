"""Who is in which pool, and what an agent can do: changed for many at once, by admins and imports.

Whoever leaves a pool keeps what they hold and is asked about nothing more of it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, AgentSkill, AgentStatus

Members: Any = Agent.pools.through

ADDED, THERE, NOT_ADMITTED, NOT_THERE, GONE = (
    _("is a member now"),
    _("is a member already"),
    _("is not admitted, so not a member either"),
    _("is no member there"),
    _("is no member any more"),
)
DONE = (ADDED, GONE)
Outcomes = list[tuple[Agent, "str | Promise"]]


@transaction.atomic
def members_add(*, pool_id: int, agent_ids: Iterable[int]) -> Outcomes:
    """Admitted agents become members. For each of them what became of it: ADDED, THERE or NOT_ADMITTED."""
    agents = _locked(agent_ids)
    there = set(Members.objects.filter(pool_id=pool_id, agent__in=agents).values_list("agent_id", flat=True))
    found: Outcomes = []
    for agent in agents:
        if agent.pk in there:
            found.append((agent, THERE))
        elif agent.status != AgentStatus.ADMITTED:
            found.append((agent, NOT_ADMITTED))
        else:
            found.append((agent, ADDED))
    Members.objects.bulk_create(
        [Members(pool_id=pool_id, agent_id=agent.pk) for agent, outcome in found if outcome is ADDED],
        ignore_conflicts=True,
    )
    return found


@transaction.atomic
def members_take_out(*, pool_id: int, agent_ids: Iterable[int]) -> Outcomes:
    """They are members no longer. For each of them what became of it: GONE or NOT_THERE."""
    agents = _locked(agent_ids)
    rows = Members.objects.filter(pool_id=pool_id, agent__in=agents)
    there = set(rows.values_list("agent_id", flat=True))
    rows.delete()
    return [(agent, GONE if agent.pk in there else NOT_THERE) for agent in agents]


@transaction.atomic
def members_move(*, from_pool_id: int, to_pool_id: int, agent_ids: Iterable[int]) -> Outcomes:
    """Members of the one are members of the other instead. Who is no member of the first stays where they are (NOT_THERE)."""
    agents = _locked(agent_ids)
    out = members_take_out(pool_id=from_pool_id, agent_ids=[agent.pk for agent in agents])
    moved = members_add(pool_id=to_pool_id, agent_ids=[agent.pk for agent, said in out if said is GONE])
    return [*moved, *((agent, said) for agent, said in out if said is NOT_THERE)]


def _locked(agent_ids: Iterable[int]) -> list[Agent]:
    """`no_key`: offers may go on pointing at them."""
    rows = Agent.objects.select_for_update(no_key=True, of=("self",)).select_related("user")
    return list(rows.filter(pk__in=list(agent_ids)).order_by("pk"))


def agent_locked(agent_id: int) -> None:
    """Whoever decides about this agent, or opens a shift of theirs, waits until the caller has committed. Inner."""
    _locked([agent_id])


@dataclass(frozen=True)
class Wanted:
    """What an agent shall be; None: as it is."""

    pools: frozenset[int] | None = None
    skills: Mapping[int, int] | None = None  # skill id → level
    languages: tuple[str, ...] | None = None


def profile_set(*, agent_id: int, wanted: Wanted, within: Collection[int] | None = None) -> None:
    """Pools, skills with levels, languages of one agent; certificates stay. `within`: of other pools nothing changes. Inner.

    Only what differs is written, so that only that is in the history.
    """
    if wanted.pools is not None:
        rows = Members.objects.filter(agent_id=agent_id)
        if within is not None:
            rows = rows.filter(pool_id__in=within)
        has = set(rows.values_list("pool_id", flat=True))
        rows.filter(pool_id__in=has - wanted.pools).delete()
        Members.objects.bulk_create(
            [Members(agent_id=agent_id, pool_id=pool_id) for pool_id in sorted(wanted.pools - has)],
            ignore_conflicts=True,
        )
    if wanted.skills is not None:
        levels = dict(AgentSkill.objects.filter(agent_id=agent_id).values_list("skill_id", "level"))
        AgentSkill.objects.filter(agent_id=agent_id).exclude(skill_id__in=wanted.skills).delete()
        for skill_id, level in wanted.skills.items():
            if levels.get(skill_id) != level:
                AgentSkill.objects.update_or_create(
                    agent_id=agent_id, skill_id=skill_id, defaults={"level": level}
                )
    if wanted.languages is not None:
        Agent.objects.filter(pk=agent_id).exclude(languages=list(wanted.languages)).update(
            languages=list(wanted.languages)
        )
