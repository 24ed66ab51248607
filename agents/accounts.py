"""How accounts come to be, and how programs sign in.

Nobody signs up alone. Agents apply (a later room), staff are made by an admin.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed


class ClosedSignup(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  allauth's signature
        return False


class AgentTokenAuthentication(TokenAuthentication):
    """“Authorization: Token <key>”. Token, account and agent are one query: it is that of every request of a program."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        found = self.get_model()._default_manager.select_related("user__agent").filter(key=key)
        token: Any = found.first() if key.isalnum() else None  # a NUL would break the query
        if token is None or not token.user.is_active:
            raise AuthenticationFailed(_("Invalid token."))
        return token.user, token
