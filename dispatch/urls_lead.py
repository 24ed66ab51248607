"""Addresses of the team leads' pages."""

from django.urls import path

from dispatch.views.lead import escalations, runs

urlpatterns = [
    path("escalations", escalations.escalations, name="lead_escalations"),
    path("escalations/<int:escalation_id>/settle", escalations.settle, name="lead_settle"),
    path("runs", runs.runs, name="lead_runs"),
    path("runs/<int:run_id>", runs.run, name="lead_run"),
]
