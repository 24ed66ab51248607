"""What allauth shows in Django admin, without what nobody is to read or to put there: secrets of second factors, tokens and
clients, and addresses that would count as confirmed."""

from typing import ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from django.contrib import admin
from django.http import HttpRequest

# Single sign-on is set by settings and stores no token; their pages would show secrets, or let others be put beside them.
# To a confirmed address a new password is sent: who could write one down beside an account would have the account.
admin.site.unregister((EmailAddress, SocialApp, SocialToken, Authenticator))


@admin.register(Authenticator)
class AuthenticatorAdmin(admin.ModelAdmin[Authenticator]):
    """Who has a second factor. One that was lost can be deleted; `data` is its secret, and on no page."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type", "created_at", "last_used_at")
    list_select_related = ("user",)
    fields: ClassVar = ["user", "type", "created_at", "last_used_at"]
    readonly_fields = ("user", "type", "created_at", "last_used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  Django's signature
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: Authenticator | None = None,  # noqa: ARG002
    ) -> bool:
        return False
