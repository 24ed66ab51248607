"""One call to one device, by its browser's push service: sealed for that browser, signed by us."""

import json
import logging
from dataclasses import asdict, dataclass
from datetime import timedelta

import requests
from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from agents.errors import NotADevice
from agents.models import AgentStatus, PushDevice
from agents.push.endpoints import Inside, endpoint_check, session
from agents.push.keys import vapid

logger = logging.getLogger(__name__)

TIMEOUT = 5  # seconds; a push service that hangs holds up a worker
GONE = (404, 410)  # the browser has taken its word back
MOST_FAILURES = 8  # in a row; with the pauses between them, half a day
LONGEST_PAUSE = timedelta(hours=6)

# Whose device may be called: of agents, those who are admitted and do not leave; of team leads, whoever can log in. Whether a
# lead may be told about alerts is decided where the call is made.
AGENT = Q(agent__status=AgentStatus.ADMITTED, agent__user__is_active=True, agent__leaving_since__isnull=True)
LEAD = Q(user__is_active=True)


@dataclass(frozen=True)
class Call:
    """What a device shows. No word of a customer, nor of who they are: it lies on a locked screen."""

    kind: str  # "offer", "busy" or an alert's; of a kind only the last one is shown; at most 32 of base64url's characters
    title: str
    body: str
    path: str  # opened by a touch
    seconds: int  # after which it is of no use, and not delivered any more
    quiet: bool = False  # takes the place of the last one of its kind without ringing


def send(*, device_id: int, call: Call, whose: Q = AGENT) -> bool:
    """Send it, and remember how that went. Outermost. Returns whether the push service took it.

    A subscription that is over is deleted. Other failures pause the device, 1, 2, 4, … minutes; after MOST_FAILURES in a row it
    is given up until its owner says yes again. Never to anybody who is not one of `whose`. Raises NoPushKey.
    """
    device = PushDevice.objects.filter(whose, pk=device_id, stopped_at__isnull=True).first()
    if device is None or (device.retry_at is not None and device.retry_at > timezone.now()):
        return False
    status = _post(device, call)
    same = PushDevice.objects.filter(pk=device.pk, endpoint=device.endpoint)
    if 200 <= status < 300:
        same.update(last_ok_at=Now(), failures=0, retry_at=None)
        return True
    if status in GONE:
        same.delete()
        return False
    logger.warning("device %s could not be called (%s)", device.pk, status or "no answer")
    pause = min(timedelta(minutes=2**device.failures), LONGEST_PAUSE)
    same.update(failures=F("failures") + 1, retry_at=Now() + pause)
    same.filter(failures__gte=MOST_FAILURES).update(stopped_at=Now())
    return False


def _post(device: PushDevice, call: Call) -> int:
    """The push service's status; 0 when it did not answer, or may not be asked."""
    # Here, because it brings aiohttp with it, a tenth of each process's start, and only workers call.
    from pywebpush import WebPushException, webpush  # noqa: PLC0415

    try:
        endpoint_check(device.endpoint)  # what was allowed when it was kept may not be any more
        with session() as http:
            answer = webpush(
                {"endpoint": device.endpoint, "keys": {"p256dh": device.p256dh, "auth": device.auth}},
                json.dumps(asdict(call)),
                vapid_private_key=vapid(),
                vapid_claims={"sub": settings.PUSH_CONTACT},
                ttl=call.seconds,
                headers={"Urgency": "normal" if call.quiet else "high", "Topic": call.kind},
                timeout=TIMEOUT,
                requests_session=http,
            )
    except WebPushException as refused:
        return int(refused.response.status_code) if refused.response is not None else 0
    except (requests.RequestException, OSError, NotADevice, Inside):
        return 0
    return int(answer.status_code)
