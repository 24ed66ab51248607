"""The roles of staff as Django groups, written by `manage.py roles`, again after each upgrade: what a role may do.

A group that an installation has made itself is left alone. A role's group is set to what stands here: rights that were added
to it by hand go. Superusers need no role.
"""

from collections.abc import Callable
from typing import NamedTuple

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from agents.permissions import NO_POWER

OURS = ("agents", "tickets", "dispatch")

LEADS = {
    "be_alerted", "add_simulation", "decide", "change_escalation", "change_misuse", "reveal_personal",
    "intervene", "change_review", "answer_contest", "answer_inquiry",
}  # fmt: skip
POOL_ADMINS = {
    "own_pools",
    "view_pool", "change_pool",
    "view_agent", "change_agent", "import_agent", "export_agent",
    "view_agentskill", "add_agentskill", "change_agentskill", "delete_agentskill",
    "view_skill", "view_topic", "view_rate",
    "view_shift", "change_shift", "view_lease",
    "view_route", "change_route",
    "view_routestep", "add_routestep", "change_routestep", "delete_routestep",
    "view_requirement", "add_requirement", "change_requirement", "delete_requirement",
    "view_policy", "add_policy", "change_policy",
    "view_neededhour", "add_neededhour", "change_neededhour", "view_booking",
    "view_cannedreply", "add_cannedreply", "change_cannedreply", "delete_cannedreply",
    "view_offer", "view_ticket", "view_message", "view_ticketevent", "view_rating",
}  # fmt: skip


class Name(NamedTuple):
    app: str
    codename: str


class Role(NamedTuple):
    group: str  # its name: what agents read of who decided about them (onboarding.role_of)
    has: Callable[[Name], bool]


def _admin(name: Name) -> bool:
    """All there is, but to be mailed alerts, which is a wish, and to be confined to own pools."""
    ours = name.app in OURS and f"{name.app}.{name.codename}" not in NO_POWER
    return ours or (name.app == "auth" and name.codename.endswith("_group"))


def _lead(name: Name) -> bool:
    # Where people's money goes is the office's business.
    sees = (
        name.app in OURS and name.codename.startswith("view_") and not name.codename.startswith("view_payout")
    )
    return sees or (name.app in OURS and name.codename in LEADS)


def _pool_admin(name: Name) -> bool:
    return name.app in OURS and name.codename in POOL_ADMINS


def _auditor(name: Name) -> bool:
    return (name.app in OURS and name.codename.startswith("view_")) or name.codename == "view_group"


ROLES: dict[str, Role] = {
    "admin": Role("Admins", _admin),
    "pool_admin": Role("Pool admins", _pool_admin),
    "team_lead": Role("Team leads", _lead),
    "auditor": Role("Auditors", _auditor),
}


@transaction.atomic
def roles_write() -> dict[str, tuple[int, int]]:
    """Each role's group has what it should; role → (rights given, rights taken). Twice is as once."""
    every = {
        one.pk: Name(one.content_type.app_label, one.codename)
        for one in Permission.objects.select_related("content_type")
    }
    done = {}
    for key, role in ROLES.items():
        group, _made = Group.objects.get_or_create(name=role.group)
        has = set(group.permissions.values_list("pk", flat=True))
        should = {pk for pk, name in every.items() if role.has(name)}
        group.permissions.add(*should - has)
        group.permissions.remove(*has - should)
        done[key] = (len(should - has), len(has - should))
    return done
