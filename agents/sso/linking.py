"""Which account somebody is whom the provider has signed in, and which roles that account has from now on (ADR 36)."""

import logging
from collections.abc import Mapping
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q

from agents.errors import Refusal
from agents.models import Agent, PushDevice, User

logger = logging.getLogger(__name__)

ADMIN = "admin"  # the role of a superuser; all others are groups of Django


class SignOnRefused(Refusal):
    """Signed in there, and not let in here. `code` says why."""

    status = 403
    code = "sign_on_refused"

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


def sign_on(*, provider: str, uid: str, claims: Mapping[str, Any]) -> tuple[User, SocialAccount]:
    """The account, linked and with its roles. Outermost. Raises SignOnRefused; roles that are gone are taken all the same, and
    none is given.

    `claims`: those of the verified identity token. An account is found by the provider's own id of the person; the first time
    by an address that the provider says it has confirmed. Only who has a role gets a new account.
    """
    roles = roles_of(claims)
    with transaction.atomic():
        linked = SocialAccount.objects.select_related("user").filter(provider=provider, uid=uid).first()
        user = linked.user if linked is not None else _by_address(provider, claims)
        why = _why_not(user, roles)
        if user is None and not why:
            user = User.objects.create_user(_address(claims), name=str(claims.get("name", ""))[:120])
        elif user is not None and linked is None and not why:
            _theirs_alone(user, _address(claims), roles)
        if user is not None:
            _apply(user, roles, give=not why)
            if linked is None and not why:
                linked = SocialAccount.objects.create(user=user, provider=provider, uid=uid, extra_data={})
    if why:
        raise SignOnRefused(why)
    assert user is not None
    assert linked is not None
    return user, linked


def roles_of(claims: Mapping[str, Any]) -> set[str]:
    """Roles that the provider's groups bring, by SSO_ROLES; a group that is not named there brings nothing."""
    told = claims.get(settings.SSO_GROUPS_CLAIM, [])
    groups = (
        {told}
        if isinstance(told, str)
        else {one for one in told if isinstance(one, str)}
        if isinstance(told, list)
        else set()
    )
    return {role for group, role in settings.SSO_ROLES.items() if group in groups}


def _address(claims: Mapping[str, Any]) -> str:
    return str(claims.get("email") or "").strip().lower()


def _by_address(provider: str, claims: Mapping[str, Any]) -> User | None:
    """The account with the confirmed address. An unconfirmed one is anybody's claim; a linked account is somebody's already."""
    if claims.get("email_verified") is not True or "@" not in _address(claims):
        raise SignOnRefused("unverified")
    user = User.objects.select_for_update(no_key=True).filter(email=_address(claims)).first()
    if user is not None and SocialAccount.objects.filter(user=user, provider=provider).exists():
        raise SignOnRefused("linked")
    return user


def _theirs_alone(user: User, address: str, roles: set[str]) -> None:
    """Nobody else gets into an account that is about to be linked, and may have more rights from now on.

    Whoever made it, or changed it, may have written the address there and know the password. So what they could have kept goes:
    password, sessions, tokens, second factors (and with them log-ins that wait for one), other addresses, to which a new
    password would be sent, and devices, to which alerts and calls would. An agent who has confirmed the address here, and gets
    no role, keeps all of it.
    """
    mailboxes = EmailAddress.objects.filter(user=user)
    if not roles and mailboxes.filter(email=address, verified=True).exists():
        return
    user.set_unusable_password()
    user.save(update_fields=["password"])  # ends its sessions and tokens
    Authenticator.objects.filter(user=user).delete()
    mailboxes.exclude(email=address).delete()
    PushDevice.objects.filter(Q(user=user) | Q(agent__user=user)).delete()
    logger.warning(
        "single sign-on: account %s is linked; its password, sessions, tokens and second factors are withdrawn",
        user.pk,
    )


def _why_not(user: User | None, roles: set[str]) -> str:
    """Empty: nothing is against it."""
    is_agent = user is not None and Agent.objects.filter(user=user).exists()
    if user is not None and not user.is_active:
        return "inactive"
    if is_agent and not settings.SSO_AGENTS:
        return "agent"
    if not roles and not is_agent:
        return "no_role"
    return ""


def _apply(user: User, roles: set[str], *, give: bool) -> None:
    """Give what the provider's groups bring today, if they are let in, and take of what they could bring the rest. Other roles
    stay."""
    managed = set(settings.SSO_ROLES.values())
    names = roles - {ADMIN}
    groups = list(Group.objects.filter(name__in=names))
    if missing := names - {group.name for group in groups}:
        logger.warning("single sign-on: no group is called %s", ", ".join(sorted(missing)))
    user.groups.remove(*user.groups.filter(name__in=managed - names))
    if give:
        user.groups.add(*groups)
    if ADMIN in managed:
        user.is_superuser = ADMIN in roles and (give or user.is_superuser)
    user.is_staff = user.is_superuser or user.groups.exists()
    user.save(update_fields=["is_superuser", "is_staff"])
