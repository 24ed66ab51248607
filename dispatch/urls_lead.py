"""Addresses of the team leads' pages."""

from django.urls import path, re_path

from dispatch.views.lead import escalations, runs, simulator

urlpatterns = [
    path("escalations", escalations.escalations, name="lead_escalations"),
    path("escalations/<int:escalation_id>/settle", escalations.settle, name="lead_settle"),
    path("runs", runs.runs, name="lead_runs"),
    path("runs/<int:run_id>", runs.run, name="lead_run"),
    path("simulator", simulator.simulator, name="lead_simulator"),
    path("simulator/<int:simulation_id>", simulator.simulation, name="lead_simulation"),
    path("simulator/<int:simulation_id>/cancel", simulator.simulation_cancel, name="lead_simulation_cancel"),
    path(
        "simulator/<int:simulation_id>/plot-<int:number>.svg",
        simulator.simulation_plot,
        name="lead_simulation_plot",
    ),
    re_path(
        r"^simulator/(?P<simulation_id>\d{1,18})/report\.(?P<kind>html|json)$",
        simulator.simulation_report,
        name="lead_simulation_report",
    ),
]
