"""Who may see an agent's page, and where everybody else is sent."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from agents.models import Agent, AgentStatus, User
from agents.shifts import practising

Page = Callable[..., HttpResponseBase]


def agent_of(request: HttpRequest) -> Agent | None:
    """The agent who asks; None when nobody is logged in, or somebody who is no agent. What they are shown has their clock."""
    if not request.user.is_authenticated:
        return None
    agent = Agent.objects.select_related("user").filter(user=request.user).first()
    request.reader_zone = agent.zone if agent else None  # type: ignore[attr-defined]
    return agent


def reader_zone(request: HttpRequest) -> dict[str, Any]:
    """`reader_zone` for templates/base.html, which draws in it: the agent's on their pages, else none, which is the house's.

    Drawing alone, not the whole request: what services count by the day, such as rates and certificates, is the house's day.
    """
    return {"reader_zone": getattr(request, "reader_zone", None)}


def agent_page(view: Page) -> Page:
    """A page for agents, called with (request, agent): staff are sent to the admin and team leads without it to their pages;
    others are told that it is not theirs.
    """

    @login_required
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        agent = agent_of(request)
        if agent is not None:
            return view(request, agent, *args, **kwargs)
        if isinstance(request.user, User) and request.user.is_staff:
            return redirect("admin:index")
        if request.user.has_perm("dispatch.view_run"):  # of the room above, so by their names only
            return redirect("lead_runs")
        return no_agent(request)

    return page


def admitted_page(view: Page) -> Page:
    """As agent_page, for who may go online or is practising; the others see where they stand."""

    @agent_page
    @wraps(view)
    def page(request: HttpRequest, agent: Agent, *args: Any, **kwargs: Any) -> HttpResponseBase:
        at_practice = agent.status == AgentStatus.APPLIED and practising(agent)
        if agent.status != AgentStatus.ADMITTED and not at_practice:
            return redirect("journey")
        return view(request, agent, *args, **kwargs)

    return page


def no_agent(request: HttpRequest) -> HttpResponse:
    return render(request, "agents/no_agent.html", status=403)
