"""Tokens of programs, made once and shown once, withdrawn for good: of other systems with what they may do, and of accounts.

A scope is the right of an account under another name: who has the permission may use the same addresses as a person, and only
they may give it to a token.
"""

import hashlib
import json
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from agents.errors import KeyReused, ScopeNotYours, SignInOver, TokenNotFound
from agents.models import AccountToken, ApiToken, User
from agents.permissions import everywhere

PREFIX = "sbt_"  # so that scanners of code and logs know one when they see it
SHOWN = 12  # characters of its beginning that are kept
SELDOM = timedelta(minutes=1)  # from one note of its use to the next

ACCOUNT_PREFIX = "sba_"
MOST = 20  # tokens of one account: a program that signs in at each start piles up none
NOTED = timedelta(minutes=5)  # from one note of an account's token's use to the next


class Scope(NamedTuple):
    """`permission`: of an account that may do the same."""

    permission: str
    says: str | Promise


SCOPES: dict[str, Scope] = {
    "tickets:read": Scope("tickets.view_ticket", _("lists and reads tickets, personal data masked")),
    "tickets:write": Scope("tickets.add_ticket", _("opens tickets for customers")),
    "offers:read": Scope("dispatch.view_offer", _("lists offers")),
    "agents:read": Scope("agents.view_agent", _("lists agents, pools, skills and shifts")),
    "webhooks:manage": Scope(
        "dispatch.change_webhookendpoint", _("registers webhooks, sees and repeats deliveries")
    ),
}


class Made(NamedTuple):
    """`secret`: the token itself, this once; empty when the same command has made it before."""

    token: ApiToken
    secret: str


def token_make(
    *,
    by: User,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    key: str | None = None,
) -> Made:
    """Make a token. Outermost. Raises ScopeNotYours, and KeyReused when the key came with other content before."""
    for scope in scopes:
        if scope not in SCOPES or not everywhere(by, SCOPES[scope].permission):
            raise ScopeNotYours
    chosen = [scope for scope in SCOPES if scope in scopes]
    content = hashlib.sha256(json.dumps([name, chosen, expires_at], default=str).encode()).hexdigest()
    secret = PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(
                name=name,
                begin=secret[:SHOWN],
                digest=digest_of(secret),
                scopes=chosen,
                made_by=by,
                expires_at=expires_at,
                key=key,
                key_digest=content if key else "",
            )
    except IntegrityError as error:
        if "api_token_key_once" not in str(error):
            raise
        token = ApiToken.objects.get(made_by=by, key=key)
        if token.key_digest != content:
            raise KeyReused from None
        return Made(token, "")
    return Made(token, secret)


def token_revoke(*, token_id: int) -> ApiToken:
    """Withdraw a token: its next request is refused. Outermost; twice is once. Raises TokenNotFound."""
    ApiToken.objects.filter(pk=token_id, revoked_at__isnull=True).update(revoked_at=Now())
    token = ApiToken.objects.filter(pk=token_id).first()
    if token is None:
        raise TokenNotFound
    return token


def token_of(secret: str) -> ApiToken | None:
    """The token with this secret, if it is good for anything now; notes its use. One query, two each minute."""
    if not secret.startswith(PREFIX) or len(secret) > 100 or not secret.isascii():
        return None
    good = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
    token = ApiToken.objects.filter(good, digest=digest_of(secret), revoked_at__isnull=True).first()
    if token is not None and (token.used_at is None or token.used_at < timezone.now() - SELDOM):
        stale = Q(used_at__isnull=True) | Q(used_at__lt=Now() - SELDOM)
        ApiToken.objects.filter(stale, pk=token.pk).update(used_at=Now())
    return token


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def account_token_make(*, user: User) -> str:
    """A new token by which a program is this account; it is known only to who asks. Outermost. Raises SignInOver.

    `user`: as they were when they showed who they are. Who has another password since, or was disabled, has not: without that
    look a token could outlive the change of the password that it was made with.

    Beyond MOST the one goes whose use lies longest back; its sockets close at their next beat.
    """
    secret = ACCOUNT_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        now = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not now.is_active or now.password != user.password:
            raise SignInOver
        AccountToken.objects.create(user=user, digest=digest_of(secret))
        newest = AccountToken.objects.filter(user=user).order_by("-used_at", "-pk")
        AccountToken.objects.filter(user=user).exclude(pk__in=newest.values("pk")[:MOST]).delete()
    return secret


def account_token_of(secret: str) -> AccountToken | None:
    """The account's token with this secret, with account and agent; notes its use. One query, two each few minutes."""
    if not secret.isascii() or len(secret) > 100:
        return None
    token = (
        AccountToken.objects.select_related("user__agent")
        .filter(digest=digest_of(secret), user__is_active=True)
        .first()
    )
    if token is not None:
        _note([token.pk], token.used_at)
    return token


def account_tokens_alive(ids: Collection[int]) -> set[int]:
    """Which of these tokens are there; notes their use, since sockets are open with them. One query, two each few minutes."""
    used = dict(AccountToken.objects.filter(pk__in=ids).values_list("pk", "used_at"))
    if used:
        _note(used, min(used.values()))
    return set(used)


def _note(ids: Collection[int], longest_ago: datetime) -> None:
    if longest_ago < timezone.now() - NOTED:
        AccountToken.objects.filter(pk__in=ids, used_at__lt=Now() - NOTED).update(used_at=Now())


def account_token_end(*, token_id: int) -> None:
    """Nobody is signed in by it any more; open sockets close at their next beat. Outermost; twice is once."""
    AccountToken.objects.filter(pk=token_id).delete()
