"""Who wants to be told of what. Every change is here, for admin and API alike."""

import base64
import hashlib
import json
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from agents import outbound
from agents.errors import NoPayoutKey
from agents.pay import sealing
from dispatch.errors import (
    BadWebhook,
    DeliveryNotFound,
    NoWebhookKey,
    TooManyWebhooks,
    WebhookNotFound,
    WebhookStopped,
)
from dispatch.models import DeliveryState, StoppedBy, WebhookDelivery, WebhookEndpoint
from dispatch.webhooks.events import TEST, TYPES
from tickets.errors import KeyReused

LONGEST = 500  # characters of an address
MOST = 50  # endpoints
OVERLAP = timedelta(hours=24)  # for so long the old secret signs beside a new one


class Registered(NamedTuple):
    """`secret`: whsec_…, for the receiver to verify with; empty when it is not to be shown any more."""

    endpoint: WebhookEndpoint
    secret: str


def url_check(url: str) -> None:
    """Raises BadWebhook unless this may be an address of another system's server."""
    try:
        outbound.address_check(url, longest=LONGEST, anywhere=settings.WEBHOOK_ANYWHERE, any_port=True)
    except outbound.BadAddress:
        raise BadWebhook from None


def endpoint_register(
    *, url: str, events: Collection[str], description: str = "", maker: str = "", key: str | None = None
) -> Registered:
    """A new endpoint, told from now on. Outermost.

    `key` with `maker` (who asks): the same again gives the same, with its secret while that is still the first.
    Raises BadWebhook, TooManyWebhooks, NoWebhookKey, KeyReused.
    """
    url_check(url)
    chosen = _known(events)
    content = _digest("register", url, chosen, description)
    once = _digest(maker, key) if key is not None else None
    secret = _new_secret()
    made_before = once is not None and WebhookEndpoint.objects.filter(key=once).exists()
    if not made_before and WebhookEndpoint.objects.count() >= MOST:
        raise TooManyWebhooks
    try:
        with transaction.atomic():
            made = WebhookEndpoint.objects.create(
                url=url,
                description=description,
                events=chosen,
                secret_sealed=_seal(secret),
                key=once,
                key_digest=content,
            )
    except IntegrityError as error:
        if once is None or "key" not in str(error):
            raise
        before = WebhookEndpoint.objects.get(key=once)
        if before.key_digest != content:
            raise KeyReused from None
        first = not before.old_secret_sealed and not before.rotated_key
        return Registered(before, sealing.opened(before.secret_sealed) if first else "")
    return Registered(made, secret)


def endpoint_change(
    *,
    endpoint_id: int,
    url: str | None = None,
    events: Collection[str] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> WebhookEndpoint:
    """Change what is given. Outermost. Stopped, nothing is recorded for it; started again, what was waiting is sent.

    Raises BadWebhook, WebhookNotFound.
    """
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
        if endpoint is None:
            raise WebhookNotFound
        if url is not None and url != endpoint.url:
            url_check(url)
            endpoint.url = url
        if events is not None:
            endpoint.events = _known(events)
        if description is not None:
            endpoint.description = description
        endpoint.save(update_fields=["url", "events", "description"])
        rows = WebhookEndpoint.objects.filter(pk=endpoint_id)
        if enabled is True:
            rows.exclude(stopped_by="").update(stopped_by="", stopped_at=None)
        elif enabled is False:
            rows.filter(stopped_by="").update(stopped_by=StoppedBy.PERSON, stopped_at=Now())
    return rows.get()


def endpoint_rotate(*, endpoint_id: int, maker: str = "", key: str | None = None) -> Registered:
    """A new secret; for OVERLAP the old one signs too. Outermost. The same key again gives the same.

    Raises WebhookNotFound, NoWebhookKey.
    """
    once = _digest(maker, key) if key is not None else ""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
        if endpoint is None:
            raise WebhookNotFound
        if once and endpoint.rotated_key == once:
            return Registered(endpoint, sealing.opened(endpoint.secret_sealed))
        secret = _new_secret()
        WebhookEndpoint.objects.filter(pk=endpoint_id).update(
            secret_sealed=_seal(secret),
            old_secret_sealed=F("secret_sealed"),
            old_secret_until=Now() + OVERLAP,
            rotated_key=once or secrets.token_hex(16),
        )
    return Registered(WebhookEndpoint.objects.get(pk=endpoint_id), secret)


def endpoint_remove(*, endpoint_id: int) -> None:
    """Remove it with its log. Outermost; twice is once."""
    WebhookEndpoint.objects.filter(pk=endpoint_id).delete()


def ping(*, endpoint_id: int, maker: str = "", key: str | None = None) -> WebhookDelivery:
    """Tell it “webhook.test”. Outermost; the same key is the same message. Raises WebhookNotFound, WebhookStopped."""
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise WebhookNotFound
    if endpoint.stopped_by:
        raise WebhookStopped
    name = _digest("test", maker, key)[:24] if key is not None else secrets.token_hex(12)
    made, _new = WebhookDelivery.objects.get_or_create(
        endpoint=endpoint, message_id=f"msg_test_{name}", defaults={"type": TEST, "data": {}}
    )
    made.refresh_from_db()
    return made


def delivery_again(*, endpoint_id: int, delivery_id: int) -> WebhookDelivery:
    """Send it once more, with the same id and all tries before it. Outermost. One that is under way stays as it is.

    Raises DeliveryNotFound, WebhookStopped.
    """
    rows = WebhookDelivery.objects.filter(pk=delivery_id, endpoint_id=endpoint_id)
    found = rows.select_related("endpoint").first()
    if found is None:
        raise DeliveryNotFound
    if found.endpoint.stopped_by:
        raise WebhookStopped
    rows.exclude(state=DeliveryState.PENDING).update(state=DeliveryState.PENDING, due_at=Now(), tries=0)
    return rows.get()


def _known(events: Collection[str]) -> list[str]:
    chosen = [name for name in TYPES if name in events]
    if not chosen or len(chosen) != len(set(events)):
        raise BadWebhook
    return chosen


def _new_secret() -> str:
    """256 bits, as Standard Webhooks writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _seal(secret: str) -> str:
    try:
        return sealing.seal(secret)
    except NoPayoutKey:
        raise NoWebhookKey from None


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
