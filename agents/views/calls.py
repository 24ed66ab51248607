"""Calls on devices: the switches of this browser, the list of the others, quiet hours, time to answer."""

from datetime import time
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_time
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from agents.answering import MOST_SECONDS, extra_seconds_choose
from agents.errors import BadExtraSeconds, BadQuietHours, Refusal
from agents.models import Agent, CallWishes
from agents.push import device_keep, device_remove, device_wishes, devices_of, public_key, wishes_keep
from agents.views.people import agent_page

AREAS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


@require_safe
@never_cache
@agent_page
def calls(request: HttpRequest, agent: Agent) -> HttpResponse:
    """What the agent may be called for, and where; how much time they have to answer."""
    return _page(request, agent)


def _page(request: HttpRequest, agent: Agent, *, status: int = 200, **shown: str) -> HttpResponse:
    """`shown`: what stands in the fields after a refusal; else what is kept. One query for the wishes."""
    wishes = CallWishes.objects.filter(agent=agent).first()
    kept = {
        "quiet_from": _shown(wishes.quiet_from if wishes else None),
        "quiet_until": _shown(wishes.quiet_until if wishes else None),
        "time_zone": agent.time_zone,
        "extra_seconds": str(agent.extra_seconds),
    }
    context: dict[str, Any] = (
        kept
        | shown
        | {
            "agent": agent,
            "devices": devices_of(agent.pk),
            "push_key": public_key(),
            "zones": sorted(zone for zone in available_timezones() if zone.startswith(AREAS)),
            "house_zone": settings.TIME_ZONE,
            "most_seconds": MOST_SECONDS,
        }
    )
    return render(request, "agents/calls.html", context, status=status)


def _shown(moment: time | None) -> str:
    return moment.strftime("%H:%M") if moment else ""


@require_POST
@never_cache
@agent_page
def device(request: HttpRequest, agent: Agent) -> HttpResponseBase:
    """What this browser may be called for, by its script. Answers with what is so now; `kept`: whether we still know it."""
    said = request.POST
    try:
        kept = device_keep(
            agent_id=agent.pk,
            endpoint=said.get("endpoint", ""),
            p256dh=said.get("p256dh", ""),
            auth=said.get("auth", ""),
            offers=said.get("offers") == "1",
            busy=said.get("busy") == "1",
            user_agent=request.headers.get("User-Agent", ""),
        )
    except Refusal as refusal:
        return JsonResponse({"code": refusal.code, "detail": str(refusal.detail)}, status=refusal.status)
    told = {"offers": bool(kept and kept.offers), "busy": bool(kept and kept.busy)}
    return JsonResponse(told | {"kept": kept is not None})


@require_POST
@never_cache
@agent_page
def state(request: HttpRequest, agent: Agent) -> HttpResponse:
    """What this browser may be called for. A POST, because the endpoint is a secret and belongs into no log."""
    endpoint = request.POST.get("endpoint", "").replace("\x00", "")
    return JsonResponse(device_wishes(agent_id=agent.pk, endpoint=endpoint))


@require_POST
@never_cache
@agent_page
def remove(request: HttpRequest, agent: Agent, device_id: int) -> HttpResponse:
    if device_remove(agent_id=agent.pk, device_id=device_id):
        messages.success(request, _("Nothing comes to that device any more."))
    return redirect("calls")


@require_POST
@never_cache
@agent_page
def wishes(request: HttpRequest, agent: Agent) -> HttpResponse:
    said = {name: request.POST.get(name, "").strip() for name in ("quiet_from", "quiet_until", "time_zone")}
    try:
        wishes_keep(
            agent_id=agent.pk,
            quiet_from=_moment(said["quiet_from"]),
            quiet_until=_moment(said["quiet_until"]),
            time_zone=said["time_zone"],
        )
    except Refusal as refusal:
        return _page(request, agent, status=refusal.status, problem=str(refusal.detail), **said)
    messages.success(request, _("Your quiet hours are kept."))
    return redirect("calls")


@require_POST
@never_cache
@agent_page
def answering(request: HttpRequest, agent: Agent) -> HttpResponse:
    """More time for each offer."""
    said = request.POST.get("extra_seconds", "").strip()
    try:
        if not (said.isascii() and said.isdecimal() and len(said) < 5):
            raise BadExtraSeconds
        extra_seconds_choose(agent_id=agent.pk, seconds=int(said))
    except Refusal as refusal:
        problem = str(refusal.detail)
        return _page(request, agent, status=refusal.status, answering_problem=problem, extra_seconds=said)
    messages.success(request, _("Kept. It counts from your next offer on."))
    return redirect("calls")


def _moment(text: str) -> time | None:
    if not text:
        return None
    try:
        found = parse_time(text)
    except ValueError:
        found = None
    if found is None:
        raise BadQuietHours
    return found
