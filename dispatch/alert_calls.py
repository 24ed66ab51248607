"""Alerts on team leads' devices: rung for when one begins and while it lasts, replaced without a sound when it is over.

Beside the mails (dispatch/alerts.py), not after them: while the mail server is away they are what tells. A call that is lost
is lost; the wallboard is what counts.
"""

import hashlib
import logging

from celery import current_app
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from agents.models import PushDevice, User
from agents.push import LEAD, Call, public_key, send
from dispatch import alert_words
from dispatch.alerts import SELDOM, may_be_alerted
from dispatch.models import Alert

logger = logging.getLogger(__name__)

TOLD = ("opened", "repeated", "closed")
SECONDS = 60 * 60  # after which it is told again, or the wallboard was looked at


def ask(event: str, alert_id: int) -> None:
    """Have devices told, if there are any. To be called after commit; without a broker nobody is. One query."""
    if event not in TOLD or not public_key() or not PushDevice.objects.filter(user__isnull=False).exists():
        return
    try:
        current_app.send_task("dispatch.tasks.alert_call", args=[event, alert_id], expires=300)
    except (OperationalError, OSError):
        logger.warning("the broker does not answer: no device is told that alert %s was %s", alert_id, event)


def call(*, event: str, alert_id: int) -> int:
    """Tell the devices of who may be alerted. Outermost. Returns calls taken. Safe to run twice or late.

    About one matter it rings no oftener than every SELDOM, else a call only takes the place of the last one: what comes and
    goes is seen, and not heard each time.
    """
    alert = Alert.objects.filter(pk=alert_id).first()
    devices = list(_devices()) if alert and public_key() else []
    if alert is None or not devices:
        return 0
    rings = _rings(event, alert)
    if rings is None:
        return 0
    taken, words = 0, dict[str, Call]()
    for device_id, language in devices:
        if language not in words:
            words[language] = _words(alert, language, over=event == "closed", quiet=not rings)
        taken += send(device_id=device_id, call=words[language], whose=LEAD)
    return taken


def _devices() -> QuerySet[PushDevice, tuple[int, str]]:
    """(device, its owner's language). An admin who said yes is told too, whoever else is."""
    leads = User.objects.filter(may_be_alerted() | Q(is_superuser=True), is_active=True)
    found = PushDevice.objects.filter(user__in=leads.values("pk"), stopped_at__isnull=True)
    return found.order_by("id").values_list("pk", "user__language")


def _rings(event: str, alert: Alert) -> bool | None:
    """Whether it rings for this; None: it is not told at all. A ring is claimed, so that two workers ring once."""
    itself = Alert.objects.filter(pk=alert.pk)
    lasts = itself.filter(closed_at__isnull=True)
    of_late = _matter(alert).filter(called_at__gt=Now() - SELDOM).exists()
    if event == "repeated":
        if of_late and alert.kind not in alert_words.OWN_KINDS:  # of what waits, all are told again together
            return False if lasts.exists() else None
        return True if lasts.update(called_at=Now()) else None
    if event == "opened":
        if not of_late and lasts.filter(called_at__isnull=True).update(called_at=Now()):
            return True
        return False if lasts.exists() else None
    # Over: where its beginning was told. That somebody has answered is no news to who did.
    told = _matter(alert).filter(called_at__gt=alert.opened_at - SELDOM).exists()
    return False if told and alert.kind in alert_words.OWN_KINDS else None


def _matter(alert: Alert) -> QuerySet[Alert]:
    """Alerts of which a device shows only the last: of what waits for a person all of a kind, else the same subject's."""
    same = Alert.objects.filter(kind=alert.kind)
    return same.filter(subject=alert.subject) if alert.kind in alert_words.OWN_KINDS else same


def _words(alert: Alert, language: str, *, over: bool, quiet: bool) -> Call:
    """What is the matter and what to do, as on the wallboard; nobody's name, since it lies on a locked screen."""
    own = alert.kind in alert_words.OWN_KINDS
    name = f"{alert.kind}:{alert.subject if own else ''}"
    kind = f"alert-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    with translation.override(language):
        says = alert_words.says(alert)
        if not own:
            says = f"{says}: {_matter(alert).filter(closed_at__isnull=True).count()}"
        title = _("Over: %(says)s") % {"says": says} if over else says
        body = _("Nothing more to do.") if over else alert_words.do(alert.kind)
    return Call(kind, title[:1].upper() + title[1:], body, reverse("lead_wallboard"), SECONDS, quiet)
