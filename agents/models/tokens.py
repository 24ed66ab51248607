"""How programs sign in: another system of the company, or one of an account. Made and withdrawn in agents/tokens.py."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ApiToken(models.Model):
    """A token of another system, which may do what its scopes say and no more. It is nobody's: whoever made it may leave.

    Only its SHA-256 is kept; 256 random bits want no slow hash.
    """

    name = models.CharField(_("name"), max_length=80, help_text=_("Which system uses it, and for what."))
    begin = models.CharField(_("begins with"), max_length=12, editable=False)  # to find it again in a system
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=40), verbose_name=_("scopes"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="api_tokens_made",
        verbose_name=_("made by"),
        editable=False,
    )
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    # The command's Idempotency-Key and its content, by who made it.
    key = models.CharField(max_length=100, null=True, blank=True, editable=False)  # noqa: DJ001  null: no key was given
    key_digest = models.CharField(max_length=64, blank=True, editable=False)
    expires_at = models.DateTimeField(
        _("ends"), null=True, blank=True, help_text=_("Empty: it has no end, until somebody withdraws it.")
    )
    used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)  # to the minute
    revoked_at = models.DateTimeField(_("withdrawn"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["made_by", "key"], name="api_token_key_once", condition=Q(key__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AccountToken(models.Model):
    """By which a program is signed in as an account, until its password changes or the token ends. SHA-256, as above."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens", verbose_name=_("account")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    used_at = models.DateTimeField(_("last used"), db_default=Now(), editable=False)  # to five minutes

    class Meta:
        verbose_name = _("token of an account")
        verbose_name_plural = _("tokens of accounts")

    def __str__(self) -> str:
        return str(self.user)
