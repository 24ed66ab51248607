"""Addresses of people who apply and learn."""

from django.urls import path

from agents.views import calls, journey, learn, work

urlpatterns = [
    path("work-with-us", work.work, name="work"),
    path("work-with-us/sent", work.sent, name="work_sent"),
    path("work-with-us/confirm/<str:token>", work.confirm, name="work_confirm"),
    path("calls/", calls.calls, name="calls"),
    path("calls/device", calls.device, name="calls_device"),
    path("calls/state", calls.state, name="calls_state"),
    path("calls/wishes", calls.wishes, name="calls_wishes"),
    path("calls/answering", calls.answering, name="calls_answering"),
    path("calls/devices/<int:device_id>/remove", calls.remove, name="calls_remove"),
    path("learn/", journey.journey, name="journey"),
    path("learn/appeals/<int:decision_id>", journey.appeal, name="appeal"),
    path("learn/<slug:key>/", learn.skill, name="learn"),
    path("learn/<slug:key>/start", learn.start, name="quiz_start"),
    path("learn/<slug:key>/quiz", learn.quiz, name="quiz"),
    path("learn/<slug:key>/answer", learn.answer, name="quiz_answer"),
    path("learn/<slug:key>/results/<int:attempt_id>", learn.result, name="quiz_result"),
]
