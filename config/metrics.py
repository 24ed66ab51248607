"""Prometheus metrics at /metrics: business figures from the database (dispatch/figures.py), requests of this process.

Nobody gets them unless a setting says so: METRICS_TOKEN (Authorization: Bearer …) or METRICS_NETWORKS, of which the peer must
be (not who a header names: what came through a proxy is refused there). Otherwise it is 404, as if it did not exist.

The figures are the same from any process. What is counted in a process (standby_http_…) is that process's: scrape each
web process, or set PROMETHEUS_MULTIPROC_DIR where several share a port, and each answers for all.
"""

import asyncio
import hmac
import ipaddress
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.conf import settings
from django.db import Error, close_old_connections
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from config.health import answer
from config.shedding import App, Message, Receive, Send
from dispatch import figures

PATH = "/metrics"
METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"})

counted = CollectorRegistry()  # in this process
HTTP_SECONDS = Histogram(
    "standby_http_request_seconds",
    "What plain HTTP requests took in Django, by method, route and class of status.",
    ("method", "route", "status"),
    registry=counted,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
HTTP_SHED = Counter(
    "standby_http_shed", "Requests that were answered 503 because too many waited.", registry=counted
)


def request_observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request. Labels are few: an address that does not exist is the route “none”."""
    HTTP_SECONDS.labels(method if method in METHODS else "other", route, f"{status // 100}xx").observe(
        seconds
    )


class Business(Collector):
    """dispatch/figures.py as Prometheus wants it. A database that is away leaves `standby_figures_up` 0 and nothing else."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(UP, UP_SAYS)
        try:
            samples = figures.collect()
        except Error:
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield up
        for figure in figures.FIGURES:
            family = GaugeMetricFamily(figure.name, figure.says, labels=figure.labels)
            for sample in samples:
                if sample.name == figure.name:
                    family.add_metric(sample.labels, sample.value)
            yield family


UP = "standby_figures_up"
UP_SAYS = "Whether the business figures could be counted just now: 0 while the database is away, and then there are none."


def exposition() -> bytes:
    """All metrics, as text."""
    close_old_connections()
    try:
        registry = CollectorRegistry()
        registry.register(Business())
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # the library's own name for it
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry)
        return generate_latest(registry) + generate_latest(counted)
    finally:
        close_old_connections()


@cache
def _networks(names: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(name) for name in names)


def allowed(scope: Message) -> bool:
    """Whether this request may read metrics."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    if token := settings.METRICS_TOKEN:
        given = headers.get(b"authorization", b"")
        if hmac.compare_digest(given, b"Bearer " + token.encode()):
            return True
    if not settings.METRICS_NETWORKS or b"x-forwarded-for" in headers or not scope.get("client"):
        return False
    try:
        peer = ipaddress.ip_address(scope["client"][0])
    except ValueError:
        return False
    return any(peer in network for network in _networks(tuple(settings.METRICS_NETWORKS)))


class Metrics:
    """ASGI: answers /metrics in a thread of its own, one at a time, and passes everything else on to `app`."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
        elif not allowed(scope):
            await answer(send, 404, {"status": "unknown"})
        else:
            body = await asyncio.get_running_loop().run_in_executor(self.thread, exposition)
            headers = [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
