"""The simulator for team leads: ask for a study, watch it, read it, take it along."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from dispatch import simulations, tasks
from dispatch.errors import SimulationUnderWay
from dispatch.forms import SimulationForm, given
from dispatch.models import Simulation
from dispatch.views.lead.access import lead_page

SEES = "dispatch.view_simulation"
ASKS = "dispatch.add_simulation"
SHOWN = 20
# Of a study's figures, those that the page shows; the report has all.
FIGURES = (
    "wait_mean",
    "wait_p95",
    "within_target",
    "abandoned",
    "fit",
    "offers",
    "rescinded",
    "gini",
    "utilisation",
)
SHARES = {"within_target", "abandoned", "rescinded", "utilisation"}


@lead_page(SEES, methods=("GET", "POST"))
def simulator(request: HttpRequest) -> HttpResponse:
    """The form, filled with what the address names, for who may ask; and the last studies of everybody."""
    may_ask = request.user.has_perm(ASKS)
    if request.method == "POST" and not may_ask:
        return render(request, "dispatch/lead/not_yours.html", status=403)
    form = SimulationForm(request.POST or None, request.FILES or None, initial=given(request.GET))
    if request.method == "POST" and form.is_valid():
        try:
            started = simulations.simulation_start(
                user_id=_user_id(request),
                inputs=form.inputs(),
                arrivals=form.cleaned_data.get("arrivals", ""),
            )
        except SimulationUnderWay as refusal:
            form.add_error(None, str(refusal.detail))
        else:
            tasks.simulate_ask(started.pk)
            return redirect("lead_simulation", started.pk)
    shown = Simulation.objects.select_related("asked_by").defer("result", "plots", "report", "arrivals")
    context = {"form": form, "may_ask": may_ask, "simulations": shown[:SHOWN]}
    return render(request, "dispatch/lead/simulator.html", context, status=422 if form.errors else 200)


@lead_page(SEES)
def simulation(request: HttpRequest, simulation_id: int) -> HttpResponse:
    """One study: how far it is, or what came out. With htmx only the part that changes while it plays."""
    found = get_object_or_404(
        Simulation.objects.select_related("asked_by").defer("report", "arrivals"), pk=simulation_id
    )
    context = {
        "simulation": found,
        "mine": found.asked_by_id == _user_id(request),
        "rows": _rows(found.result) if found.result else [],
        "heads": [_head(name) for name in FIGURES],
    }
    part = bool(getattr(request, "htmx", False)) and found.live
    name = "dispatch/lead/simulation_state.html" if part else "dispatch/lead/simulation.html"
    answer = render(request, name, context)
    if getattr(request, "htmx", False) and not found.live:
        answer["HX-Refresh"] = "true"
    return answer


@lead_page(ASKS, methods=("POST",))
def simulation_cancel(request: HttpRequest, simulation_id: int) -> HttpResponse:
    """Stop it, if it is one's own."""
    simulations.simulation_cancel(simulation_id=simulation_id, user_id=_user_id(request))
    return redirect("lead_simulation", simulation_id)


@lead_page(SEES)
def simulation_plot(request: HttpRequest, simulation_id: int, number: int) -> HttpResponse:  # noqa: ARG001
    """A plot as a picture: in one, styles are the picture's own and no page's policy is concerned."""
    plots = get_object_or_404(Simulation.objects.values_list("plots", flat=True), pk=simulation_id)
    if number >= len(plots):
        return HttpResponse(status=404)
    return HttpResponse(plots[number], content_type="image/svg+xml")


@lead_page(SEES)
def simulation_report(request: HttpRequest, simulation_id: int, kind: str) -> HttpResponse:  # noqa: ARG001
    """The whole report as a file: HTML with plots, or every figure as JSON."""
    found = get_object_or_404(Simulation, pk=simulation_id, state="done")
    answer: HttpResponse
    if kind == "json":
        answer = JsonResponse(found.result, json_dumps_params={"indent": 1})
    else:
        answer = HttpResponse(found.report, content_type="text/html; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="simulation-{found.pk}.{kind}"'
    return answer


def _user_id(request: HttpRequest) -> int:
    assert request.user.pk is not None  # lead_page has let nobody else in
    return request.user.pk


def _rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    [case] = result["cases"]
    words = dict(simulations.policy_choices())
    return [
        {
            "policy": words.get(one["policy"], one["policy"]),
            "figures": [_figure(name, one["figures"][name]) for name in FIGURES],
        }
        for one in case["policies"]
    ]


def _figure(name: str, interval: dict[str, float | None]) -> dict[str, Any]:
    mean, high = interval["mean"], interval["high"]
    scale = 100 if name in SHARES else 1
    return {
        "mean": None if mean is None else mean * scale,
        "spread": None if mean is None or high is None else (high - mean) * scale,
        "places": 1 if name in SHARES or name.startswith("wait") else 3,
        "unit": "%" if name in SHARES else "s" if name.startswith("wait") else "",
    }


def _head(name: str) -> str:
    return {
        "wait_mean": _("Wait"),
        "wait_p95": _("Wait, 19 of 20 below"),
        "within_target": _("In time"),
        "abandoned": _("Left"),
        "fit": _("Skill fit"),
        "offers": _("Offers a ticket"),
        "rescinded": _("Asked in vain"),
        "gini": _("Unevenness of work"),
        "utilisation": _("Busy"),
    }[name]
