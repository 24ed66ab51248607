"""How accounts come to be, and how programs sign in.

Nobody signs up alone. Agents apply (onboarding.py), staff are made by an admin.
"""

from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import LOGIN_SESSION_KEY
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.http import int_to_base36
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from agents.models import AccountToken, ApiToken
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
    """End all log-ins of an account, also those that wait for its second factor, and its tokens: open sockets are closed at
    their next beat. Inner.

    Django would only refuse the old sessions when they ask again; a socket asks once, and then lives as long as the row.
    Rows do not say whose they are, so all unexpired ones are read: log-ins of agents and staff, and this is rare. Three
    queries, two without any log-in.
    """
    live = Session.objects.filter(expire_date__gt=Now())
    mine = [
        session.session_key
        for session in live.iterator(chunk_size=500)
        if _is_of(session.get_decoded(), user_id)
    ]
    if mine:
        Session.objects.filter(session_key__in=mine).delete()
    AccountToken.objects.filter(user_id=user_id).delete()


def _is_of(session: Mapping[str, Any], user_id: int) -> bool:
    """Whether this account is logged in there, or its password was given and the second factor is asked for."""
    waiting = session.get(LOGIN_SESSION_KEY) or {}
    return session.get(SESSION_KEY) == str(user_id) or waiting.get("user_pk") == int_to_base36(user_id)
