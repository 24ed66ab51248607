"""Which devices of an agent or a team lead may be called, for what, and when not."""

from datetime import time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import QuerySet

from agents.errors import BadQuietHours, BadTimeZone, NoPushKey, NotADevice
from agents.models import Agent, CallWishes, PushDevice, User
from agents.push.endpoints import endpoint_check, keys_check
from agents.push.keys import public_key

MOST = 10  # devices a person; the one that was added first goes
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)


def device_keep(
    *, agent_id: int, endpoint: str, p256dh: str, auth: str, offers: bool, busy: bool, user_agent: str = ""
) -> PushDevice | None:
    """What this browser may be called for. Outermost. Returns what stands then, if anything.

    A browser belongs to whoever said yes in it last. Saying yes again starts afresh after failures. Raises NotADevice,
    NoPushKey.
    """
    if not offers and not busy:
        return _withdraw(PushDevice.objects.filter(agent_id=agent_id, endpoint=endpoint), NO_WORK)
    _check(endpoint, p256dh, auth)
    with transaction.atomic(durable=True):
        agent = Agent.objects.select_for_update(of=("self",), no_key=True).get(pk=agent_id)
        return _keep(
            {"agent_id": agent_id},
            owner_id=agent.user_id,
            endpoint=endpoint,
            values={"p256dh": p256dh, "auth": auth, "offers": offers, "busy": busy},
            user_agent=user_agent,
        )


def alerts_keep(
    *, user_id: int, endpoint: str, p256dh: str, auth: str, wanted: bool, user_agent: str = ""
) -> PushDevice | None:
    """Whether this browser is told about alerts; whether its owner may be is their role's affair. Else as device_keep()."""
    if not wanted:
        return _withdraw(PushDevice.objects.filter(user_id=user_id, endpoint=endpoint), NO_ALERTS)
    _check(endpoint, p256dh, auth)
    with transaction.atomic(durable=True):
        User.objects.select_for_update(no_key=True).get(pk=user_id)
        return _keep(
            {"user_id": user_id},
            owner_id=user_id,
            endpoint=endpoint,
            values={"p256dh": p256dh, "auth": auth},
            user_agent=user_agent,
        )


def _check(endpoint: str, p256dh: str, auth: str) -> None:
    if not public_key():
        raise NoPushKey
    if not endpoint or "\x00" in endpoint:
        raise NotADevice
    endpoint_check(endpoint)
    keys_check(p256dh, auth)


def _keep(
    owner: dict[str, int], *, owner_id: int, endpoint: str, values: dict[str, Any], user_agent: str
) -> PushDevice:
    """Of somebody else all that was said there goes; of the same person, the other role's word stays."""
    for before in PushDevice.objects.select_for_update(of=("self",)).filter(endpoint=endpoint):
        if before.owner_id != owner_id:
            before.delete()
    fresh = {"failures": 0, "retry_at": None, "stopped_at": None, "words": device_words(user_agent)}
    device, _made = PushDevice.objects.update_or_create(
        endpoint=endpoint,
        defaults=owner | values | fresh,
        create_defaults={"offers": False, "busy": False} | owner | values | fresh,
    )
    kept = PushDevice.objects.filter(**owner).order_by("-id").values("pk")[:MOST]
    PushDevice.objects.filter(**owner).exclude(pk__in=kept).exclude(pk=device.pk).delete()
    return device


NO_WORK: dict[str, Any] = {"agent": None, "offers": False, "busy": False}
NO_ALERTS: dict[str, Any] = {"user": None}


def _withdraw(devices: QuerySet[PushDevice], without: dict[str, Any]) -> PushDevice | None:
    """Take back the word of one role; a device without any word is deleted. Returns one that still has another's."""
    left = None
    with transaction.atomic():
        for device in devices.select_for_update(of=("self",)):
            for name, value in without.items():
                setattr(device, name, value)
            if device.owner_id is None:
                device.delete()
            else:
                device.save(update_fields=list(without))
                left = device
    return left


def device_remove(*, agent_id: int, device_id: int) -> bool:
    """Never call this device again for work. Returns whether it was there."""
    return _remove(PushDevice.objects.filter(agent_id=agent_id, pk=device_id), NO_WORK)


def alerts_remove(*, user_id: int, device_id: int) -> bool:
    """Never tell this device about alerts again. Returns whether it was there."""
    return _remove(PushDevice.objects.filter(user_id=user_id, pk=device_id), NO_ALERTS)


def _remove(devices: QuerySet[PushDevice], without: dict[str, Any]) -> bool:
    there = devices.exists()
    _withdraw(devices, without)
    return there


def alerts_wish(*, user_id: int, endpoint: str) -> bool:
    """Whether this browser is told about alerts, by this account's word."""
    return PushDevice.objects.filter(user_id=user_id, endpoint=endpoint, stopped_at__isnull=True).exists()


def device_wishes(*, agent_id: int, endpoint: str) -> dict[str, bool]:
    """What this browser may be called for, by this agent's word: {"offers", "busy"}."""
    found = PushDevice.objects.filter(agent_id=agent_id, endpoint=endpoint, stopped_at__isnull=True).first()
    return {"offers": bool(found and found.offers), "busy": bool(found and found.busy)}


def devices_of(agent_id: int) -> QuerySet[PushDevice]:
    return PushDevice.objects.filter(agent_id=agent_id)


def wishes_keep(*, agent_id: int, quiet_from: time | None, quiet_until: time | None, time_zone: str) -> None:
    """Quiet hours by the agent's own clock, also over midnight. Outermost. Raises BadQuietHours, BadTimeZone."""
    if (quiet_from is None) != (quiet_until is None) or (quiet_from and quiet_from == quiet_until):
        raise BadQuietHours
    zone_check(time_zone)
    with transaction.atomic(durable=True):
        Agent.objects.filter(pk=agent_id).update(time_zone=time_zone)
        CallWishes.objects.update_or_create(
            agent_id=agent_id, defaults={"quiet_from": quiet_from, "quiet_until": quiet_until}
        )


def zone_check(name: str) -> None:
    """Raises BadTimeZone for what is no name of a zone; empty is the house's."""
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadTimeZone from None


def device_words(user_agent: str) -> str:
    """What its owner knows a browser by, for example "Firefox, Android"; of no use to recognise anybody."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "Browser")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return f"{browser}, {system}" if system else browser
