"""The console: one page, drawn by the server, kept fresh by the socket."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agents.models import Agent
from dispatch import cards, feed, fragments, looks
from dispatch.views.people import agent_page


@require_GET
@never_cache
@agent_page
def console(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Presence, offers, desk. `?ticket=…` chooses a thread, for readers without JavaScript too."""
    # The numbers are read before what they stand for: what happens in between is drawn again, never missed.
    look = looks.look(agent.pk)
    desk = fragments.desk(agent)
    after = {feed.stream_of(agent.pk): look.seq} | {entry["ticket"].stream: entry["seq"] for entry in desk}
    wanted = request.GET.get("ticket", "")
    held = [entry["ticket"].public_id for entry in desk]
    context: dict[str, Any] = (
        {
            "agent": agent,
            "desk": desk,
            "after": after,
            "chosen": wanted if wanted in held else (held[0] if held else ""),
            "earnings": cards.earnings(agent.pk),
        }
        | fragments.offers(look)
        | fragments.presence(agent, look)
    )
    return render(request, "dispatch/console.html", context)
