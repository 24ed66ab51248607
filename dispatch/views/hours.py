"""Booked hours: what there is in the agent's pools, by their own clock."""

from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
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


class Day(NamedTuple):
    """One day of the page, in its reader's zone."""

    day: date
    rows: list[Row]

    @property
    def bookable(self) -> int:
        return sum(not row.offered.booking and not row.offered.no for row in self.rows)

    @property
    def booked(self) -> int:
        return sum(row.offered.booking is not None for row in self.rows)


@require_safe
@never_cache
@admitted_page
def hours(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Booked ones first, then all by day.

    One day is unfolded: the one that is asked for (`?day=2026-03-29`), as after a booking in it, or the first in which
    something can be booked, as a rule today.
    """
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
        days = [Day(day, list(of_day)) for day, of_day in groupby(rows, key=lambda row: row.begins.date())]
        asked = request.GET.get("day", "")
        unfolded = next(
            (day for day in days if day.day.isoformat() == asked),
            next((day for day in days if day.bookable), days[0] if days else None),
        )
        context = {
            "agent": agent,
            "days": days,
            "unfolded": unfolded.day if unfolded else None,
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
    return _back(request)


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
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the page, with the day unfolded that the button was in."""
    return redirect(reverse("hours", query={"day": request.POST.get("day", "")}))
