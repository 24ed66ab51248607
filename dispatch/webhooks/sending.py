"""Sending what is due: at least once, one at a time to each endpoint, many endpoints at once.

A delivery is taken by moving its `due_at` to when its sender is surely dead, so one that was lost with its worker is due again
by itself, with the same id. No transaction is open while an endpoint answers; threads only speak HTTP.
"""

import logging
import random
import time
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import requests
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from standardwebhooks.webhooks import Webhook

from agents import outbound
from agents.errors import NoPayoutKey
from agents.pay import sealing
from dispatch.models import DeliveryState, StoppedBy, WebhookDelivery, WebhookEndpoint, WebhookTry
from dispatch.webhooks.events import body

logger = logging.getLogger(__name__)

PARALLEL = 16  # endpoints at once
ANSWER_SECONDS = 10  # from byte to byte; a receiver should take it and work later
WHOLE_SECONDS = 15  # in all
LEASE = timedelta(seconds=60)  # above WHOLE_SECONDS: whoever took it longer ago is dead
SHOWN = 500  # bytes of an answer that are read and kept
GONE = 410
# After each try but the last, give or take a fifth. The last is some three days after the first.
PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)
KEPT = timedelta(days=30)
_LOCK = 7_305_531  # of the sender, among advisory locks: any number that nobody else has

CLAIM = """
    WITH next AS (
        SELECT d.id FROM (
            SELECT id FROM dispatch_webhookendpoint WHERE stopped_by = '' AND NOT id = ANY (%(busy)s) ORDER BY random()
        ) w CROSS JOIN LATERAL (
            SELECT id FROM dispatch_webhookdelivery
            WHERE endpoint_id = w.id AND state = 'pending' AND due_at <= statement_timestamp()
            ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) d
        LIMIT %(room)s)
    UPDATE dispatch_webhookdelivery d SET due_at = statement_timestamp() + make_interval(secs => %(lease)s), tries = tries + 1
    FROM next WHERE d.id = next.id RETURNING d.id"""


class Call(NamedTuple):
    """What a thread needs, and no more. `secrets`: the one of today, and the old one while it still signs."""

    delivery_id: int
    endpoint_id: int
    number: int  # of this try
    url: str
    message_id: str
    body: str
    secrets: tuple[str, ...]


class Answer(NamedTuple):
    """`status` 0: none came, for the reason `error`. `after`: seconds that the endpoint asks us to wait."""

    status: int
    milliseconds: int
    error: str = ""
    text: str = ""
    after: int = 0


def send_due(*, for_seconds: float = 45.0) -> int:
    """Send what is due and what becomes due meanwhile. Returns how many calls were made; 0 when another one does it already.

    One sender at a time takes one worker, whatever endpoints do: a slow one keeps a thread of it busy.
    """
    with _alone() as alone:
        return _send(for_seconds) if alone else 0


def _send(for_seconds: float) -> int:
    made, end = 0, time.monotonic() + for_seconds
    flying: dict[Future[Answer], Call] = {}
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="webhook") as threads:
        while True:
            if time.monotonic() < end:
                busy = [one.endpoint_id for one in flying.values()]
                for one in claim(busy=busy, room=PARALLEL - len(flying)):
                    flying[threads.submit(call, one)] = one
                    made += 1
            if not flying:
                return made
            done, _rest = wait(flying, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                settle(flying.pop(future), future.result())


@contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        alone = cursor.fetchone() == (True,)
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def claim(*, busy: Collection[int] = (), room: int = PARALLEL) -> list[Call]:
    """Take one due delivery of each endpoint that is not `busy`, at most `room`. Each is taken by one only. Two queries."""
    if room <= 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"busy": list(busy), "room": room, "lease": LEASE.total_seconds()})
        ids = [pk for (pk,) in cursor.fetchall()]
    if not ids:
        return []
    found = WebhookDelivery.objects.filter(pk__in=ids).select_related("endpoint")
    return [_call_of(delivery) for delivery in found.order_by("pk")]


def _call_of(delivery: WebhookDelivery) -> Call:
    endpoint = delivery.endpoint
    sealed = [endpoint.secret_sealed]
    if endpoint.old_secret_until is not None and endpoint.old_secret_until > datetime.now(UTC):
        sealed.append(endpoint.old_secret_sealed)
    try:
        opened = tuple(sealing.opened(one) for one in sealed)
    except (NoPayoutKey, InvalidToken):
        logger.error("the secret of webhook %s cannot be opened", endpoint.pk)
        opened = ()
    return Call(
        delivery.pk,
        endpoint.pk,
        delivery.tries,
        endpoint.url,
        delivery.message_id,
        body(delivery),
        opened,
    )


def call(one: Call) -> Answer:
    """Call the endpoint, by HTTP alone. Never raises."""
    if not one.secrets:
        return Answer(0, 0, "NoSecret")
    begin = time.monotonic()
    anywhere = settings.WEBHOOK_ANYWHERE
    try:
        outbound.address_check(one.url, longest=1000, anywhere=anywhere, any_port=True)
        with outbound.session(anywhere=anywhere) as http, outbound.at_most(http, WHOLE_SECONDS):
            answer = http.post(
                one.url,
                data=one.body.encode(),
                headers=headers(one, datetime.now(UTC)),
                timeout=(5, ANSWER_SECONDS),
                stream=True,
            )
            text = answer.raw.read(SHOWN, decode_content=False)
            after = answer.headers.get("Retry-After", "")
            took = round((time.monotonic() - begin) * 1000)
            return Answer(
                answer.status_code,
                took,
                text=_printable(text),
                after=int(after) if after.isascii() and after.isdecimal() and len(after) < 7 else 0,
            )
    except (requests.RequestException, OSError, outbound.Inside, outbound.BadAddress) as error:
        return Answer(0, round((time.monotonic() - begin) * 1000), type(error).__name__[:40])
    except Exception as error:  # whatever it is, the delivery is tried again and others go on
        logger.exception("webhook %s", one.endpoint_id)
        return Answer(0, round((time.monotonic() - begin) * 1000), type(error).__name__[:40])


def headers(one: Call, now: datetime) -> dict[str, str]:
    """Those of Standard Webhooks; with two secrets two signatures, of which a receiver needs to know one."""
    now = now.replace(microsecond=0)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Standby-Webhooks/1",
        "webhook-id": one.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            Webhook(secret).sign(one.message_id, now, one.body) for secret in one.secrets
        ),
    }


def _printable(text: bytes) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text.decode(errors="replace")).strip()


def settle(one: Call, answer: Answer) -> None:
    """Write down how a try went, and what follows from it. A try that was given up for dead meanwhile changes nothing else."""
    with transaction.atomic():
        WebhookTry.objects.create(
            delivery_id=one.delivery_id,
            number=one.number,
            status=answer.status or None,
            milliseconds=answer.milliseconds,
            error=answer.error,
            answer=answer.text,
        )
        endpoint = WebhookEndpoint.objects.filter(pk=one.endpoint_id)
        mine = WebhookDelivery.objects.filter(
            pk=one.delivery_id, state=DeliveryState.PENDING, tries=one.number
        )
        if 200 <= answer.status < 300:
            mine.update(state=DeliveryState.DELIVERED)
            stale = Q(last_ok_at__isnull=True) | Q(last_ok_at__lt=Now() - timedelta(minutes=1))
            endpoint.filter(stale).update(last_ok_at=Now())
        elif answer.status == GONE:
            mine.update(state=DeliveryState.FAILED)
            _stop(one.endpoint_id, StoppedBy.GONE)
        elif one.number <= len(PAUSES):
            pause = PAUSES[one.number - 1] * random.uniform(0.8, 1.2)  # noqa: S311  no secret, only apart
            mine.update(due_at=Now() + max(pause, timedelta(seconds=min(answer.after, 86400))))
        elif mine.update(state=DeliveryState.FAILED):
            # Three days: is it this one, or does nothing arrive there at all?
            since = WebhookDelivery.objects.filter(pk=one.delivery_id).values("happened_at")
            if not endpoint.filter(last_ok_at__gte=since).exists():
                _stop(one.endpoint_id, StoppedBy.FAILED)


def _stop(endpoint_id: int, why: StoppedBy) -> None:
    """Nothing is sent there any more until a person says so; team leads get an alert (dispatch/alerts.py)."""
    if WebhookEndpoint.objects.filter(pk=endpoint_id, stopped_by="").update(stopped_by=why, stopped_at=Now()):
        logger.warning("webhook %s is stopped: %s", endpoint_id, why)


def log_forget() -> int:
    """Once an hour: deliveries that ended are forgotten after KEPT. Returns how many."""
    old = WebhookDelivery.objects.filter(happened_at__lt=Now() - KEPT).exclude(state=DeliveryState.PENDING)
    old_secrets = WebhookEndpoint.objects.filter(old_secret_until__lt=Now())
    old_secrets.update(old_secret_sealed="", old_secret_until=None)
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:5000])
    WebhookTry.objects.filter(delivery__in=ids).delete()
    WebhookDelivery.objects.filter(pk__in=ids).delete()
    return len(ids)
