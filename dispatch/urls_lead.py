"""Addresses of the team leads' pages."""

from django.urls import path

from dispatch.views.lead import runs

urlpatterns = [
    path("runs", runs.runs, name="lead_runs"),
    path("runs/<int:run_id>", runs.run, name="lead_run"),
]
