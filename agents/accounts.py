"""How accounts come to be, and how programs sign in.

Nobody signs up alone. Agents apply (onboarding.py), staff are made by an admin.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from agents.models import AccountToken, ApiToken, User
from agents.tokens import account_token_of, token_of


class ClosedSignup(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  allauth's signature
        return False


class OtherSystem:
    """Who asks with an API token: nobody's account, with no permission of one."""

    is_authenticated = is_active = True
    is_anonymous = is_staff = is_superuser = False
    pk = None

    def has_perm(self, permission: str, obj: Any = None) -> bool:  # noqa: ARG002  as an account's
        return False


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


class ScopedTokenAuthentication(BaseAuthentication):
    """“Authorization: Bearer <token>” of another system (tokens.py). Only views that name a scope take it."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = token_of(secret.strip())
        if token is None:
            raise AuthenticationFailed(_("Invalid token."))
        return OtherSystem(), token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  DRF's signature
        return "Bearer"


class AgentTokenAuthentication(TokenAuthentication):
    """“Authorization: Token <key>”. Token, account and agent are one query: it is that of every request of a program."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        token = account_token_of(key)
        if token is None:
            raise AuthenticationFailed(_("Invalid token."))
        return token.user, token


def access_withdraw(user_id: int) -> None:
    """End all log-ins of an account, and its tokens: open sockets are closed at their next beat. Inner.

    Django would only refuse the old sessions when they ask again; a socket asks once, and then lives as long as the row.
    Rows do not say whose they are, so all unexpired ones are read: log-ins of agents and staff, and this is rare. Three
    queries, two without any log-in.
    """
    live = Session.objects.filter(expire_date__gt=Now())
    mine = [
        session.session_key
        for session in live.iterator(chunk_size=500)
        if session.get_decoded().get(SESSION_KEY) == str(user_id)
    ]
    if mine:
        Session.objects.filter(session_key__in=mine).delete()
    AccountToken.objects.filter(user_id=user_id).delete()
