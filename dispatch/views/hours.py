"""Booked hours: what there is in the agent's pools, by their own clock."""

from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

import agents.errors
import tickets.errors
from agents.models import Agent
from agents.views.people import admitted_page
from dispatch.errors import WHY_NOT
from dispatch.hours import Offered, hour_book, hour_drop, hours_for
from dispatch.rules.booking import HOUR, PATIENCE


class Row(NamedTuple):
    """One hour on the page. `begins` by the agent's clock: its fold tells two hours of one name apart, in autumn."""

    offered: Offered
    begins: datetime
    ends: datetime
    why_not: str | Promise


@require_safe
@never_cache
@admitted_page
def hours(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Booked ones first, then all by day."""
    with timezone.override(agent.zone):
        rows = [
            Row(
                one,
                one.hour.begins_at.astimezone(agent.zone),
                one.hour.begins_at + HOUR,
                WHY_NOT[one.no] if one.no else "",
            )
            for one in hours_for(agent)
        ]
        days = [
            {"day": day, "rows": list(of_day)}
            for day, of_day in groupby(rows, key=lambda row: row.begins.date())
        ]
        context = {
            "agent": agent,
            "days": days,
            "mine": [row for row in rows if row.offered.booking],
            "zone": agent.zone.key,
            "patience": int(PATIENCE.total_seconds() // 60),
        }
        return render(request, "dispatch/hours.html", context)


@require_POST
@never_cache
@admitted_page
def book(request: HttpRequest, agent: Agent, hour_id: int) -> HttpResponse:
    try:
        hour_book(agent_id=agent.pk, hour_id=hour_id)
    except (tickets.errors.Refusal, agents.errors.Refusal) as refusal:
        messages.warning(request, str(refusal.detail))
    else:
        messages.success(request, _("The hour is booked."))
    return redirect("hours")


@require_POST
@never_cache
@admitted_page
def drop(request: HttpRequest, agent: Agent, hour_id: int) -> HttpResponse:
    try:
        hour_drop(agent_id=agent.pk, hour_id=hour_id)
    except tickets.errors.Refusal as refusal:
        messages.warning(request, str(refusal.detail))
    else:
        messages.success(request, _("The hour is free for others again. Nothing follows from that."))
    return redirect("hours")
