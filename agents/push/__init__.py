"""Calls on devices (web push): who said yes where, whom we may send to, and the sending."""

from agents.push.devices import (
    alerts_keep,
    alerts_remove,
    alerts_wish,
    device_keep,
    device_remove,
    device_wishes,
    devices_of,
    wishes_keep,
)
from agents.push.keys import public_key
from agents.push.sending import LEAD, Call, send

__all__ = [
    "LEAD",
    "Call",
    "alerts_keep",
    "alerts_remove",
    "alerts_wish",
    "device_keep",
    "device_remove",
    "device_wishes",
    "devices_of",
    "public_key",
    "send",
    "wishes_keep",
]
