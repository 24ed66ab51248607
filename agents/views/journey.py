"""Where somebody stands on the way to their first shift, and what they may say against a decision."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from agents import learning, onboarding
from agents.errors import Refusal
from agents.forms import AppealForm
from agents.models import Agent, AgentStatus, Application, Decision
from agents.views.people import agent_page
from agents.views.work import INVALID, SeeOther


@require_safe
@never_cache
@agent_page
def journey(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Each step and its state: applied, confirmed, learning, admission; decisions and appeals."""
    return _page(request, agent, AppealForm())


@require_POST
@never_cache
@agent_page
def appeal(request: HttpRequest, agent: Agent, decision_id: int) -> HttpResponse:
    """Say why a decision should not stand."""
    form = AppealForm(request.POST)
    if not form.is_valid():
        return _page(request, agent, form, INVALID)
    try:
        onboarding.appeal(agent_id=agent.pk, decision_id=decision_id, text=form.cleaned_data["text"])
    except Refusal as refusal:
        form.add_error(None, str(refusal.detail))
        return _page(request, agent, form, refusal.status)
    messages.success(request, _("We have your appeal. Another person answers it, by mail and here."))
    return SeeOther(reverse("journey"))


def _page(request: HttpRequest, agent: Agent, form: AppealForm, status: int = 200) -> HttpResponse:
    application = Application.objects.filter(agent=agent).first()
    decisions = list(Decision.objects.filter(agent=agent).select_related("appeal").order_by("-id"))
    standing = decisions[0] if decisions and decisions[0].against_the_agent else None
    wished = [*application.skills_wished, *application.skills_claimed] if application else []
    courses = learning.courses(agent, wished)
    context: dict[str, Any] = {
        "agent": agent,
        "application": application,
        "courses": courses,
        "certified": [course for course in courses if course.done],
        "ending": [course for course in courses if course.state in ("ends_soon", "expired")],
        "decisions": decisions,
        "standing": standing,
        "may_appeal": standing is not None and not hasattr(standing, "appeal"),
        "form": form,
        "waiting": agent.status == AgentStatus.APPLIED,
    }
    return render(request, "agents/journey.html", context, status=status)
