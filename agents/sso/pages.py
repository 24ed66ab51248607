"""How allauth asks which account it is, and the page for who is not let in."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from agents.sso.linking import SignOnRefused, sign_on

WHY = {
    "unverified": _(
        "Your company's sign-on has not confirmed your e-mail address, so we cannot tell whose account it is."
    ),
    "linked": _("The account with your address belongs to another sign-on. An admin can separate them."),
    "inactive": _("Your account here is switched off."),
    "agent": _("Agents log in with their e-mail address and password."),
    "no_role": _("None of your groups has a role here. Please ask whoever runs this place."),
    "failed": _(
        "Signing on did not work. Please try again; if it happens again, tell whoever runs this place."
    ),
}


def _refuse(request: HttpRequest, why: str) -> ImmediateHttpResponse:
    return ImmediateHttpResponse(render(request, "account/sso_refused.html", {"why": WHY[why]}, status=403))


class Accounts(DefaultSocialAccountAdapter):
    """Nobody signs up by it alone, and no account that is logged in can be linked by a visit."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        claims = sociallogin.account.extra_data.get("id_token", {})
        nonce = sociallogin.state.get("nonce")
        if not nonce or claims.get("nonce") != nonce or sociallogin.state.get("process") != "login":
            raise _refuse(request, "failed")
        try:
            user, account = sign_on(
                provider=sociallogin.account.provider, uid=sociallogin.account.uid, claims=claims
            )
        except SignOnRefused as refused:
            raise _refuse(request, refused.why) from None
        sociallogin.user, sociallogin.account = user, account
        sociallogin.email_addresses = []
        if account.extra_data:  # allauth keeps what the provider tells of a person; nobody here needs it
            account.extra_data = {}
            account.save(update_fields=["extra_data"])

    def on_authentication_error(self, request: HttpRequest, *_args: Any, **_more: Any) -> None:
        """A word for people; what the provider said is of no use to them."""
        raise _refuse(request, "failed")


def button(request: HttpRequest) -> dict[str, str]:  # noqa: ARG001  a context processor
    """The button's text, empty where single sign-on is off."""
    return {"sso_name": settings.SSO_NAME if settings.SSO_ISSUER else ""}
