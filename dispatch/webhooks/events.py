"""What can be told, and how it looks. The names are those of the timeline (docs/protocol.md)."""

import json
from typing import Any

from django.conf import settings
from django.urls import reverse

from dispatch.models import WebhookDelivery

TEST = "webhook.test"  # to one endpoint, when somebody asks for it

# Event → fields of `data.change`; of alerts none.
TYPES: dict[str, tuple[str, ...]] = {
    "ticket.opened": ("topic", "language", "channel", "assisted"),
    "ticket.handed_over": (),
    "ticket.held": (),
    "ticket.released": (),
    "ticket.resolved": (),
    "ticket.reopened": (),
    "ticket.closed": (),
    "ticket.ended": ("kind",),
    "ticket.merged": (),
    "ticket.restored": (),
    "ticket.erased": (),
    "ticket.rated": ("score", "solved"),
    "ticket.topic_changed": ("topic",),
    "ticket.flagged": (),
    "ticket.unflagged": (),
    "ticket.offer_ended": ("offer", "agent", "state"),
    "alert.opened": (),
    "alert.repeated": (),
    "alert.closed": (),
}


def payload(delivery: WebhookDelivery) -> dict[str, Any]:
    """What is sent: ids and states, and where to read more. No word of a customer, nor who they are."""
    data = dict(delivery.data)
    if "ticket" in data:
        data["url"] = settings.BASE_URL + reverse("api-staff-ticket", args=[data["ticket"]])
    return {"type": delivery.type, "timestamp": delivery.happened_at.isoformat(), "data": data}


def body(delivery: WebhookDelivery) -> str:
    """The same as JSON, to the byte the same at each try."""
    return json.dumps(payload(delivery), separators=(",", ":"), sort_keys=True)
