"""Which rights an account has for the whole house, and which it may give."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from agents.models import User


def everywhere(user: Any, permission: str) -> bool:
    """Whether an account has this right for the whole house, as pages and interfaces want that know nothing of pools.

    Who is confined to own pools (`agents.own_pools`) has their rights in the admin only, where each row is looked at.
    """
    return bool(user.has_perm(permission)) and (user.is_superuser or not user.has_perm("agents.own_pools"))


# No power: whom alerts are mailed to, and who is confined to own pools. Who gives roles need not have them.
NO_POWER = frozenset({"dispatch.be_alerted", "agents.own_pools"})


def rights_beyond(giver: User) -> QuerySet[Permission]:
    """The rights that an account has not, and so gives to nobody, nor changes whoever has one. None for a superuser."""
    if giver.is_superuser:
        return Permission.objects.none()
    idle = Q(pk__in=[])
    for app, _dot, codename in (name.partition(".") for name in NO_POWER):
        idle |= Q(content_type__app_label=app, codename=codename)
    return Permission.objects.exclude(pk__in=rights_of(giver).values("pk")).exclude(idle)


def rights_of(user: User) -> QuerySet[Permission]:
    """What an account has by itself and by its groups, also while it is switched off. Nothing of a superuser's all."""
    return Permission.objects.filter(Q(user=user) | Q(group__user=user)).distinct()
