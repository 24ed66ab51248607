"""The forecast for team leads: what will come, how many people it takes, who is there, what if, and how true it was."""

import csv
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import isfinite
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

import tickets.errors
from agents.models import Pool, Skill, User
from dispatch import forecasting, leading, routes, staffing
from dispatch.forecast.erlang import reachable
from dispatch.forecast.models import SEASONAL
from dispatch.forecasting import Key, Outlook
from dispatch.forms import WhatIfForm
from dispatch.staffing import Case, Row, Staffing
from dispatch.views.lead.access import lead_page, read_number
from dispatch.wall.charts import lines

SEES = "dispatch.view_forecast"
# fmt: off
COLUMNS = (
    "begins", "tickets", "low", "high", "seasonal_average", "needed", "least", "most", "booked", "usually_online", "lacking",
    "within_target", "left",
)
# fmt: on
STRETCHES = 12  # in which people lack, shown
SOON = 4  # half hours, in which calling people in helps


@dataclass(frozen=True)
class Stretch:
    """Half hours in a row in which people lack."""

    begins: datetime
    ends: datetime
    lacking: int  # at the worst
    soon: bool


@lead_page(SEES)
def forecast(request: HttpRequest) -> HttpResponse:
    """`pool` and `skill` by number, and what WhatIfForm has. Some twenty queries."""
    known = forecasting.outlooks(routes.routes())
    pools = list(Pool.objects.filter(pk__in=routes.routes().pools()))
    key = _key(request, known, pools)
    form = WhatIfForm(request.GET)
    case = form.case() if form.is_valid() else Case()
    context: dict[str, Any] = {
        "pools": pools,
        "skills": Skill.objects.filter(pk__in=[one.skill_id for one in known if one.skill_id]),
        "key": key,
        "form": form,
        "case": case,
        "query": request.GET.urlencode(),
    }
    if key in known:
        made = staffing.staffing(key, known, case)
        kept = forecasting.record(key)
        context |= {
            "made": made,
            "model": model_name(made.outlook.model),
            "baseline_chosen": made.outlook.model == SEASONAL,
            "recent": made.outlook.model == forecasting.RECENT,
            "errors": [
                (model_name(name), error) for name, error in made.outlook.errors.items() if error is not None
            ],
            "reachable": reachable(made.work),
            "patience": made.work.patience if isfinite(made.work.patience) else None,
            "demand_chart": lines(
                [[row.tickets for row in made.rows], [row.usual for row in made.rows]],
                [([row.low for row in made.rows], [row.high for row in made.rows])],
                _days(made),
            ),
            "people_chart": lines(
                [[float(row.needed or 0) for row in made.rows], [float(row.present) for row in made.rows]],
                [
                    (
                        [float(row.present) for row in made.rows],
                        [float(row.present + row.lacking) for row in made.rows],
                    )
                ],
                _days(made),
                stepped=True,
            ),
            "days": [
                (day, list(rows)) for day, rows in groupby(made.rows, key=lambda row: row.begins.date())
            ],
            "stretches": stretches(made.rows)[:STRETCHES],
            "hours": len(staffing.seats_of(made.rows, timezone.now())) if key.skill_id is None else 0,
            "kept": kept,
            "kept_whole": forecasting.whole(kept),
            "simulator": _simulator(made),
        }
    return render(request, "dispatch/lead/forecast.html", context, status=200 if form.is_valid() else 422)


@lead_page(SEES)
def forecast_csv(request: HttpRequest) -> HttpResponse:
    """The rows of the page, as a file: times with their offset, points in numbers, whatever the language."""
    made = _made(request)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="forecast-{made.outlook.day}.csv"'
    out = csv.writer(answer)
    out.writerow(COLUMNS)
    for row in made.rows:
        figures = [f"{number:.2f}" for number in (row.tickets, row.low, row.high, row.usual)]
        given = [f"{number:.3f}" for number in (row.expected.within, row.expected.left)]
        people = [row.needed, row.least, row.most, row.booked, f"{row.online:.2f}", row.lacking]
        out.writerow([row.begins.isoformat(), *figures, *people, *given])
    return answer


@lead_page(SEES, methods=("GET", "HEAD", "POST"))
def forecast_hours(request: HttpRequest) -> HttpResponse:
    """Says what would be written into the table of needed hours and asks why; with POST it is. `pool`, and the case."""
    made = _made(request)
    if made.key.skill_id is not None:
        raise Http404
    seats = staffing.seats_of(made.rows, timezone.now())
    context: dict[str, Any] = {
        "pool": Pool.objects.get(pk=made.key.pool_id),
        "hours": len(seats),
        "people_hours": sum(seats.values()),
        "until": max(seats, default=None),
        "back": f"{reverse('lead_forecast')}?{request.GET.urlencode()}",
    }
    if request.method == "POST":
        assert isinstance(request.user, User)
        why = request.POST.get("why", "")
        try:
            added, changed = leading.hours_write(
                lead=request.user, pool_id=made.key.pool_id, seats=seats, why=why
            )
        except tickets.errors.Refusal as refusal:
            context |= {"problem": str(refusal.detail), "why": why}
            return render(request, "dispatch/lead/forecast_hours.html", context, status=refusal.status)
        messages.success(
            request,
            _("Needed hours: %(added)s added, %(changed)s changed.") % {"added": added, "changed": changed},
        )
        return redirect(context["back"])
    return render(request, "dispatch/lead/forecast_hours.html", context)


def _made(request: HttpRequest) -> Staffing:
    known = forecasting.outlooks(routes.routes())
    key = _key(request, known, list(Pool.objects.filter(pk__in=routes.routes().pools())))
    form = WhatIfForm(request.GET)
    if key not in known or not form.is_valid():
        raise Http404
    return staffing.staffing(key, known, form.case())


def _key(request: HttpRequest, known: dict[Key, Outlook], pools: list[Pool]) -> Key:
    """The series that is asked for; the first pool's without a wish."""
    pool_id = read_number(request.GET.get("pool", ""))
    skill_id = read_number(request.GET.get("skill", "")) or None
    if not pool_id and skill_id:
        pool_id = next((one.pool_id for one in known if one.skill_id == skill_id), 0)
    if not pool_id and pools:
        pool_id = next((pool.pk for pool in pools if Key(pool.pk) in known), pools[0].pk)
    return Key(pool_id, skill_id)


def stretches(rows: list[Row]) -> list[Stretch]:
    """Half hours in a row, of one day, in which people lack."""
    found = []
    numbered = list(enumerate(rows))
    for (lacks, _day), group in groupby(numbered, key=lambda one: (one[1].lacking > 0, one[1].begins.date())):
        those = list(group)
        if lacks:
            first, last = those[0], those[-1]
            found.append(
                Stretch(
                    first[1].begins,
                    last[1].begins + forecasting.LENGTH,
                    max(row.lacking for _at, row in those),
                    first[0] < SOON,
                )
            )
    return found


def _days(made: Staffing) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for at, row in enumerate(made.rows):
        if at == 0 or row.begins.date() != made.rows[at - 1].begins.date():
            found.append((at, date_format(row.begins, "D j.")))
    return found


def _simulator(made: Staffing) -> str:
    """The simulator's page with the busiest half hour of the case filled in."""
    busiest = max(made.rows, key=lambda row: row.tickets)
    people = min(max(busiest.present, 2), 300)
    minutes = min(max(made.work.handling / 60, 0.5), 120)
    load = 100 * busiest.tickets / 1800 * made.work.handling / made.work.concurrency / people
    query: dict[str, Any] = {
        "people": people,
        "handling_minutes": round(minutes, 1),
        "load": min(max(round(load), 20), 130),
        "accept": min(max(round(100 * made.work.accept), 10), 100),
        "answer_seconds": min(round(made.work.answer), 60),
    }
    if isfinite(made.work.patience):
        query["patience_minutes"] = round(min(max(made.work.patience / 60, 0.5), 600), 1)
    return f"{reverse('lead_simulator')}?{urlencode(query)}"


def model_name(name: str) -> str:
    """In the reader's language; one that we do not know by its own name."""
    return {
        SEASONAL: _("seasonal average"),
        "recent level": _("seasonal average × recent level"),
        "exponential smoothing": _("exponential smoothing"),
        "level × weekday × time of day": _("level × weekday × time of day"),
        forecasting.RECENT: _("the last hour"),
    }.get(name, name)
