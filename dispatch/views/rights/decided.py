"""What was decided about the agent on a day, each with its reason."""

from datetime import date

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from agents.models import Agent
from agents.views.people import agent_page
from dispatch import about_me
from dispatch.views.lead.access import read_number

PAGE = 20


@require_safe
@never_cache
@agent_page
def decided(request: HttpRequest, agent: Agent) -> HttpResponse:
    """`day` (2026-11-22), `page` of the offers that were made, `others` of those that went to others. By the agent's clock."""
    with timezone.override(agent.zone):
        return _page(request, agent)


def _page(request: HttpRequest, agent: Agent) -> HttpResponse:
    days = about_me.days(agent)
    day = _day(request.GET.get("day", "")) or (days[0] if days else timezone.localdate())
    language = get_language() or "en"
    made = Paginator(about_me.made(agent, day, language), PAGE).get_page(request.GET.get("page"))
    count = about_me.absent_count(agent, day)
    offset = min(read_number(request.GET.get("others", "")), max(count - 1, 0))
    offset -= offset % about_me.ABSENT_SHOWN
    context = {
        "agent": agent,
        "day": day,
        "days": days if day in days else sorted([*days, day], reverse=True),
        "made": made,
        "events": about_me.others(agent, day),
        "absent": about_me.absent(agent, day, language, offset),
        "absent_count": count,
        "absent_first": offset + 1,
        "absent_last": min(offset + about_me.ABSENT_SHOWN, count),
        "newer": offset - about_me.ABSENT_SHOWN,
        "older": offset + about_me.ABSENT_SHOWN,
    }
    return render(request, "dispatch/rights/decided.html", context)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:  # the form of a day, and none that there is
        return None
