"""Addresses of practice, among those of learning."""

from django.urls import path

from dispatch.views import practice

urlpatterns = [
    path("", practice.choose, name="practice"),
    path("latest", practice.latest, name="practice_latest"),
    path("<int:practice_id>", practice.result, name="practice_result"),
    path("<slug:key>/start", practice.start, name="practice_start"),
]
