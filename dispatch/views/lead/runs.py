"""The decision log: every run, and of each its pairs, their reasons, and why not somebody else."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language

from agents.models import Pool
from dispatch import decisions
from dispatch.models import Offer, Run
from dispatch.views.lead.access import SEES_RUNS, lead_page, read_number

PAGE_RUNS = 50


@lead_page(SEES_RUNS)
def runs(request: HttpRequest) -> HttpResponse:
    """Newest first. `pool` is a pool's key, `ticket` a number as people say it; `before` the run that the page begins after.

    Runs are only ever added, so their number is a cursor that stays where it is. Two queries, beside who asks.
    """
    pool, ticket = request.GET.get("pool", ""), request.GET.get("ticket", "").strip()
    before = read_number(request.GET.get("before", ""))
    found = Run.objects.select_related("pool", "policy").defer("snapshot").order_by("-pk")
    if pool:
        found = found.filter(pool__key=pool)
    if ticket:
        number = read_number(ticket.upper().removeprefix("S-"))
        found = found.filter(pk__in=Offer.objects.filter(ticket_id=number).values("run_id"))
    if before:
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE_RUNS + 1])
    context = {
        "runs": rows[:PAGE_RUNS],
        "pools": Pool.objects.all(),
        "pool": pool,
        "ticket": ticket,
        "before": before,
        "older": rows[PAGE_RUNS - 1].pk if len(rows) > PAGE_RUNS else 0,
    }
    return render(request, "dispatch/lead/runs.html", context)


@lead_page(SEES_RUNS)
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run, solved again from what it saw. `ticket` and `agent` ask why not this person."""
    found = get_object_or_404(Run.objects.select_related("pool", "policy"), pk=run_id)
    ticket_id, agent_id = (read_number(request.GET.get(name, "")) for name in ("ticket", "agent"))
    context = decisions.opened(found, ticket_id, agent_id, get_language() or "en")
    return render(request, "dispatch/lead/run.html", context)
