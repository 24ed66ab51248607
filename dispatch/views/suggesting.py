"""Suggestions beside a chat: fetched when a thread is opened and when its customer has written; a page without scripts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from agents.models import Agent
from agents.views.people import agent_page
from dispatch import suggestions
from dispatch.errors import NotHolder


@never_cache
@require_GET
@agent_page
def suggested(request: HttpRequest, agent: Agent, public_id: str) -> HttpResponse:
    """The list, in HTML; empty when the ticket is not with them."""
    try:
        found = suggestions.suggest(agent=agent, public_id=public_id)
    except NotHolder:
        found = []
    context = {"suggestions": found, "public_id": public_id}
    return render(request, "dispatch/parts/suggestions.html", context)


@never_cache
@require_POST
@agent_page
def used(request: HttpRequest, agent: Agent, public_id: str, suggestion_id: int) -> HttpResponse:  # noqa: ARG001
    """One was put into the composer."""
    try:
        suggestions.use(agent=agent, public_id=public_id, suggestion_id=suggestion_id)
    except NotHolder:
        return HttpResponse(status=403)
    return HttpResponse(status=204)
