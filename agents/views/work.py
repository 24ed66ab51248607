"""Applying: the public page with its form, and the link that confirms the address."""

from collections.abc import Mapping

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from agents import onboarding
from agents.errors import AddressTaken, KeyReused
from agents.forms import ApplyForm, PasswordForm, new_key
from agents.limits import too_often
from agents.models import Agent, User

INVALID = 422
BACKEND = "django.contrib.auth.backends.ModelBackend"


class SeeOther(HttpResponseRedirect):
    """After a POST: GET that page, so that reloading sends nothing again."""

    status_code = 303


@require_http_methods(["GET", "HEAD", "POST"])
def work(request: HttpRequest) -> HttpResponse:
    """What the work is, and the form."""
    return apply_page(request)


def apply_page(
    request: HttpRequest, *, prefilled: Mapping[str, object] | None = None, known_by: str = ""
) -> HttpResponse:
    """The page, for a stranger or with what is known of a customer already (dispatch/views/work.py).

    Whatever the address is, the answer is the same: what there is to tell is in the letter.
    """
    if request.method != "POST":
        initial = {"key": new_key(), "languages": [(get_language() or "en")[:2]], **(prefilled or {})}
        return _page(request, ApplyForm(initial=initial), known_by)
    form = ApplyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, known_by, INVALID)
    if form.cleaned_data["website"]:
        # Programs fill in every field. A person whose browser did so must not lose the text, so it is not swallowed.
        form = form.renewed()
        form.add_error(
            None, _("This looked as if a program had filled in the form. Please send it once more.")
        )
        return _page(request, form, known_by, INVALID)
    if too_often(request, "apply"):
        form = form.renewed()
        form.add_error(None, _("Too many applications came from here. Please try again in an hour."))
        return _page(request, form, known_by, 429)
    try:
        onboarding.apply(key=form.cleaned_data["key"], known_by=known_by, **form.said())
    except KeyReused as refusal:
        form = form.renewed()
        form.add_error(None, str(refusal.detail))
        return _page(request, form, known_by, refusal.status)
    request.session["applied_with"] = form.cleaned_data["email"]  # for the next page's words only
    return SeeOther(reverse("work_sent"))


@never_cache
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Look into your mail."""
    context = {"email": request.session.get("applied_with", ""), "days": onboarding.LINK_LIFETIME.days}
    return render(request, "agents/sent.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The letter's link. Opening it confirms nothing, since mail programs do that too; choosing a password does."""
    found = onboarding.application_by_token(token)
    if found.agent_id is not None:
        return _confirmed(request, found.agent)
    user = User(email=found.email, name=found.real_name)
    form = PasswordForm(request.POST if request.method == "POST" else None, user=user)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "application": found}
        return render(request, "agents/confirm.html", context, status=INVALID if form.errors else 200)
    try:
        agent = onboarding.confirm(token=token, password=form.cleaned_data["password1"])
    except AddressTaken:
        return _confirmed(request, None)
    login(request, agent.user, backend=BACKEND)
    return SeeOther(reverse("journey"))


def _confirmed(request: HttpRequest, agent: Agent | None) -> HttpResponse:
    """Confirmed before: on to one's own page, if it is one's own, else to the log-in."""
    if agent is not None and request.user.pk == agent.user_id:
        return redirect("journey")
    return render(request, "agents/confirmed.html")


def _page(request: HttpRequest, form: ApplyForm, known_by: str, status: int = 200) -> HttpResponse:
    context = {"form": form.described(), "known_by": known_by, "here": request.path}
    return render(request, "agents/work.html", context, status=status)
