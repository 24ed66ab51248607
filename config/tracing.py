"""Errors to Sentry and traces by OpenTelemetry, for who sets their addresses; else neither is imported.

    SENTRY_DSN                       errors, with no request, user, variables or breadcrumbs, texts cleaned as log lines are
    OTEL_EXPORTER_OTLP_ENDPOINT      spans of requests and tasks, with the attributes of KEPT and no others

The packages are extras: `pip install standby[sentry]`, `standby[otel]`, or the image built with requirements-observe.txt.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from config import env, logs

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

# Of spans: nothing with an address, a path, a header, an argument or somebody's word in it.
KEPT = frozenset(
    {
        "http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code",
        "celery.action", "celery.state", "messaging.operation", "messaging.destination",
    }
)  # fmt: skip


def start(role: str) -> None:
    """Begin what is configured, once, in a process of this role: web, worker or beat. Raises BadSetting without the package."""
    if dsn := env.text("SENTRY_DSN", ""):
        try:
            sentry_start(dsn, role)
        except ImportError:
            raise env.BadSetting(
                "SENTRY_DSN is set but the package is missing: pip install standby[sentry]"
            ) from None
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  an extra

            otel_start(OTLPSpanExporter(), role)
        except ImportError:
            raise env.BadSetting(
                "OTEL_EXPORTER_OTLP_ENDPOINT is set but the packages are missing: pip install standby[otel]"
            ) from None


def sentry_start(dsn: str, role: str, **more: Any) -> None:
    """Errors go to Sentry from here on. `more` goes to its init. That it collects no personal data of itself is its default."""
    import sentry_sdk  # noqa: PLC0415  an extra

    sentry_sdk.init(
        dsn=dsn,
        environment=env.text("SENTRY_ENVIRONMENT", "production"),
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=sentry_clean,
        **more,
    )
    sentry_sdk.set_tag("role", role)


def sentry_clean(event: Any, _hint: Any) -> Any:
    """An event without request and user, every text in it cleaned; with the facts that log lines have."""
    for key in ("request", "user", "breadcrumbs", "server_name", "modules"):
        event.pop(key, None)
    event["tags"] = {**event.get("tags", {}), **{key: str(value) for key, value in logs.known().items()}}
    extra = event.pop("extra", None)  # of a log record: anything
    del extra
    contexts = event.get("contexts", {})
    event["contexts"] = {key: contexts[key] for key in ("trace", "runtime") if key in contexts}
    for entry in event.get("exception", {}).get("values", []):
        entry["value"] = logs.clean(str(entry.get("value", "")))
    message = event.get("logentry")
    if message:
        event["logentry"] = {
            "message": logs.clean(str(message.get("formatted") or message.get("message", "")))
        }
    if "message" in event:
        event["message"] = logs.clean(str(event["message"]))
    return event


def otel_start(exporter: "SpanExporter", role: str, *, at_once: bool = False) -> Any:
    """Spans of requests and tasks go to the exporter from here on. Returns the provider. `at_once`: without a batch."""
    from opentelemetry.instrumentation.celery import CeleryInstrumentor  # noqa: PLC0415  an extra
    from opentelemetry.instrumentation.django import DjangoInstrumentor  # noqa: PLC0415  an extra
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  an extra
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: PLC0415  an extra
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415  an extra
        BatchSpanProcessor,
        SimpleSpanProcessor,
        SpanExporter,
    )

    class Cleaned(SpanExporter):
        """Passes on what KEPT names. Events go too: an exception's text may hold a row."""

        def export(self, spans: "Sequence[ReadableSpan]") -> Any:
            return exporter.export(
                [
                    ReadableSpan(
                        name=logs.clean(span.name),
                        context=span.context,
                        parent=span.parent,
                        resource=span.resource,
                        attributes={
                            key: value for key, value in (span.attributes or {}).items() if key in KEPT
                        },
                        kind=span.kind,
                        status=type(span.status)(span.status.status_code),
                        start_time=span.start_time,
                        end_time=span.end_time,
                        instrumentation_scope=span.instrumentation_scope,
                    )
                    for span in spans
                ]
            )

        def shutdown(self) -> None:
            exporter.shutdown()

    provider = TracerProvider(resource=Resource.create({"service.name": f"standby-{role}"}))
    provider.add_span_processor((SimpleSpanProcessor if at_once else BatchSpanProcessor)(Cleaned()))
    DjangoInstrumentor().instrument(tracer_provider=provider)
    CeleryInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
    return provider
