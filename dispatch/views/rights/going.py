"""Leaving and being erased: the consequences first, the password for what cannot be undone."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from agents.errors import Refusal
from agents.models import Agent, Leaving, PayoutAccount
from agents.views.people import agent_page
from agents.views.work import SeeOther
from dispatch import leaving
from dispatch.models import Offer, OfferState


@require_safe
@never_cache
@agent_page
def going(request: HttpRequest, agent: Agent) -> HttpResponse:
    """What leaving and erasing do, and the forms."""
    return _page(request, agent)


def _page(request: HttpRequest, agent: Agent, problem: str = "", status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "agent": agent,
        "leaving": Leaving.objects.filter(agent=agent).first(),
        "held": Offer.objects.filter(agent=agent, state=OfferState.ACCEPTED).count(),
        "owed": [
            {"currency": currency, "cents": cents} for currency, cents in leaving.owed(agent.pk) if cents > 0
        ],
        "account": PayoutAccount.objects.filter(agent=agent).first(),
        "grace_days": leaving.GRACE.days,
        "problem": problem,
    }
    return render(request, "dispatch/rights/going.html", context, status=status)


@sensitive_post_parameters("password")
@require_POST
@never_cache
@agent_page
def go(request: HttpRequest, agent: Agent, action: str) -> HttpResponse:
    """`action`: leave, come-back, erase (with the password), withdraw."""
    acts: dict[str, tuple[Callable[[], object], str]] = {
        "leave": (lambda: leaving.leave(agent_id=agent.pk), _("You get no more offers.")),
        "come-back": (lambda: leaving.come_back(agent_id=agent.pk), _("Good to have you back.")),
        "erase": (
            lambda: leaving.erase_ask(
                agent_id=agent.pk,
                password=request.POST.get("password", ""),
                forgoes=request.POST.get("forgoes") == "yes",
            ),
            _("You will be erased. Until then you can withdraw this here."),
        ),
        "withdraw": (lambda: leaving.erase_withdraw(agent_id=agent.pk), _("You are not erased.")),
    }
    act, said = acts[action]
    try:
        act()
    except Refusal as refusal:
        return _page(request, agent, str(refusal.detail), refusal.status)
    messages.success(request, said)
    return SeeOther(reverse("rights_going"))
