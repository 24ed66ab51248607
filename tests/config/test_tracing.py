"""Errors and spans that leave the house: what is wrong, and about nobody."""

import json
import re
from typing import Any

import pytest
import sentry_sdk
from django.test import Client
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from config import env, logs, tracing

CARLA = "carla@customers.example"


def test_without_an_address_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def no(*_: Any, **__: Any) -> None:
        raise AssertionError("started")

    monkeypatch.setattr(tracing, "sentry_start", no)
    monkeypatch.setattr(tracing, "otel_start", no)
    tracing.start("web")


def test_an_address_without_the_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> None:
        raise ImportError

    monkeypatch.setenv("SENTRY_DSN", "https://key@errors.example/1")
    monkeypatch.setattr(tracing, "sentry_start", missing)
    with pytest.raises(env.BadSetting, match=r"SENTRY_DSN is set .* pip install standby\[sentry\]"):
        tracing.start("web")


def test_an_error_is_told_without_who_met_it() -> None:
    sent: list[Envelope] = []

    class Kept(Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            sent.append(envelope)

    try:
        tracing.sentry_start(
            "https://key@errors.example/1",
            "web",
            transport=Kept,
            # They wrap Celery and Django for good, and tests that follow would send their marks.
            default_integrations=False,
            auto_enabling_integrations=False,
        )
        sentry_sdk.set_user({"email": CARLA, "ip_address": "203.0.113.9"})
        with logs.about(request="r-77", ticket=5):
            try:
                secret = "4111 1111 1111 1111"
                raise ValueError(f"Key (email)=({CARLA}) from 203.0.113.9 with {secret}")
            except ValueError as error:
                sentry_sdk.capture_exception(error)
    finally:
        sentry_sdk.init(
            default_integrations=False, auto_enabling_integrations=False
        )  # without an address: off
    (event,) = [item.payload.json for envelope in sent for item in envelope.items if item.type == "event"]
    told = json.dumps(event)
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert (event["tags"]["request"], event["tags"]["ticket"]) == ("r-77", "5")
    # The number by itself: an event's own ids and moments may have its four digits.
    secrets = ("carla", r"203\.0\.113", r"\b4111\b", "41111111", r"customers\.example")
    assert [one for one in secrets if re.search(one, told)] == []
    assert not {"user", "request", "breadcrumbs"} & set(event)


@pytest.mark.django_db
def test_a_span_names_the_route_and_nobody(client: Client) -> None:
    exporter = InMemorySpanExporter()
    provider = tracing.otel_start(exporter, "web", at_once=True)
    try:
        Client().get(f"/t/nobody-has-this/?mail={CARLA}", REMOTE_ADDR="203.0.113.9")
        provider.force_flush()
        spans = exporter.get_finished_spans()
        assert spans
        assert {key for span in spans for key in (span.attributes or {})} <= tracing.KEPT
        told = " ".join(f"{span.name} {dict(span.attributes or {})} {span.events}" for span in spans)
        assert "t/<slug:public_id>/" in told
        assert [word for word in ("nobody-has-this", "carla", "203.0.113") if word in told] == []
    finally:
        DjangoInstrumentor().uninstrument()
        CeleryInstrumentor().uninstrument()
