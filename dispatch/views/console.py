"""The console: one page, drawn by the server, kept fresh by the socket."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agents.models import Agent
from agents.push import public_key
from agents.views.people import admitted_page
from dispatch import cards, demand, drafts, feed, fragments, hours, keys, looks


@require_GET
@never_cache
@admitted_page
def console(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Presence, offers, desk. `?ticket=…` chooses a thread, for readers without JavaScript too."""
    return page(request, agent, request.GET.get("ticket", ""))


def page(
    request: HttpRequest, agent: Agent, wanted: str, kept: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """The whole page with the thread `wanted` open. `kept`: {"ticket", "kind", "body", "problem", "files_lost"} of what
    was refused (views/commands.py); a ticket that is no longer held has no composer for it.
    """
    # The numbers are read before what they stand for: what happens in between is drawn again, never missed.
    look = looks.look(agent.pk)
    desk = fragments.desk(agent)
    after = {feed.stream_of(agent.pk): look.seq} | {entry["ticket"].stream: entry["seq"] for entry in desk}
    held = [entry["ticket"].public_id for entry in desk]  # or wrapped up
    context: dict[str, Any] = {
        "agent": agent,
        "desk": desk,
        "after": after,
        "chosen": wanted if wanted in held else (held[0] if held else ""),
        "earnings": cards.earnings(agent.pk, agent.zone),
        "kept": kept,
        "drafts": drafts.of(agent),
        "push_key": public_key(),
        "next_hour": hours.next_booking(agent.pk),
        "zone": agent.zone,
        "demand": demand.next_hours(agent, get_language() or "en"),
        "actions": [
            {"action": action, "words": str(keys.ACTIONS[action][1]), "key": key}
            for action, key in keys.of(agent).items()
        ],
    } | fragments.presence(agent, look)
    with timezone.override(agent.zone):  # the cards are drawn here, and not within the page
        context |= fragments.offers(look, request=request)
    if kept is not None and kept["ticket"] not in held:
        messages.warning(request, kept["problem"])
    return render(request, "dispatch/console.html", context, status=status)
