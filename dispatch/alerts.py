"""Alerts for team leads: opened and closed by what stands in the database, and mailed, seldom enough to be read.

Who gets them: active accounts with the permission “Gets alerts by mail”, from a group or their own; while nobody has it, the
admins. What is due stands in the database, so that a mail survives a broker that was away.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents.models import Inquiry, User
from dispatch import alert_looks, alert_mails, leading, pulse
from dispatch.errors import AlertOver
from dispatch.models import (
    Alert,
    AlertKind,
    Contest,
    Escalation,
    Misuse,
    ProcessKind,
    PromisedAnswer,
    StoppedBy,
    WebhookEndpoint,
)
from dispatch.signals import tell_alert_changed
from tickets import timeline
from tickets.email_addresses import address_clean
from tickets.models import AssistantUse, EndedAs, MailIn, Outcome, Ticket, TicketState, Topic
from tickets.patience import REFUSED

logger = logging.getLogger(__name__)

SELDOM = timedelta(minutes=15)  # from one mail about a subject to the next


# What waits for a person: the subject is its number. A mail tells of all of a kind that nobody was told of yet, and none comes
# sooner after the last one than SELDOM.
WAITING_KINDS = (
    AlertKind.ESCALATION,
    AlertKind.ABUSE,
    AlertKind.INQUIRY,
    AlertKind.CONTEST,
    AlertKind.OVERDUE,
    AlertKind.ANSWER_LATE,
    AlertKind.MAIL_HELD,
    AlertKind.ASSISTANT_PAUSED,
    AlertKind.WEBHOOK_STOPPED,
)


def waiting_refresh() -> None:
    """Open an alert for each escalation, case of abuse, question, contest and promise that nobody has answered, and each paused
    assistant; close those that are over. Spam waits on its page without one.

    Two queries a kind while nothing changes. Safe to run twice or late.
    """
    open_now: dict[str, QuerySet[Any]] = {
        AlertKind.ESCALATION: Escalation.objects.filter(settled_at__isnull=True),
        AlertKind.ABUSE: Misuse.objects.filter(settled_at__isnull=True, kind=EndedAs.ABUSE),
        AlertKind.INQUIRY: Inquiry.objects.filter(answered_at__isnull=True),
        AlertKind.CONTEST: Contest.objects.filter(answered_at__isnull=True),
        AlertKind.OVERDUE: Contest.objects.filter(answered_at__isnull=True, due_at__lte=Now()),
        AlertKind.ANSWER_LATE: PromisedAnswer.objects.filter(ended_at__isnull=True, due_at__lte=Now()),
        AlertKind.MAIL_HELD: MailIn.objects.filter(
            outcome__in=(Outcome.HELD, Outcome.FAILED), settled_at__isnull=True
        ),
        AlertKind.ASSISTANT_PAUSED: Topic.objects.filter(
            assistant=AssistantUse.ON, assistant_paused_at__isnull=False
        ),
        AlertKind.WEBHOOK_STOPPED: WebhookEndpoint.objects.filter(
            stopped_by__in=(StoppedBy.GONE, StoppedBy.FAILED)
        ),
    }
    for kind, rows in open_now.items():
        active = alert_looks.rule(kind).active
        _turn(AlertKind(kind), {str(pk) for pk in rows.values_list("pk", flat=True)} if active else set())


def _turn(kind: AlertKind, now: set[str]) -> None:
    """Open an alert of this kind for each of these subjects that has none, and close those of others."""
    live = Alert.objects.filter(kind=kind, closed_at__isnull=True)
    known = set(live.values_list("subject", flat=True))
    for subject in sorted(now - known):
        try:
            with transaction.atomic():
                alert = Alert.objects.create(kind=kind, subject=subject)
                tell_alert_changed("opened", alert)
        except IntegrityError:  # another worker was faster
            pass
    if over := known - now:
        with transaction.atomic():
            closed = timeline.update_returning(live.filter(subject__in=over), ["id"], closed_at=Now())
            for alert in Alert.objects.filter(pk__in=[pk for (pk,) in closed]):
                tell_alert_changed("closed", alert)


def conditions_refresh() -> None:
    """Open and close the alerts of skills, targets, processes and mails. Eight queries while nothing is the matter.

    Safe to run twice or late. While beat or the workers are silent nobody comes here: a matcher stands in, see stand_in().
    """
    looks: dict[AlertKind, Callable[[], set[str]]] = {
        AlertKind.SKILL_AWAY: alert_looks.skills_away,
        AlertKind.TARGET_RISK: alert_looks.targets_at_risk,
        AlertKind.SILENT: alert_looks.processes_silent,
        AlertKind.OUTBOX: alert_looks.outbox,
    }
    for kind, look in looks.items():
        _turn(kind, look() if alert_looks.rule(kind).active else set())


def stand_in() -> bool:
    """In a matcher, while beat or the workers are silent, of whom nobody else could say so: open the alerts of silent processes
    and mail what is due of them. Returns whether it stood in. One query while it need not.

    Safe to run twice, and on several matchers at once: rows are unique and mails are claimed. Devices and other systems are
    told by tasks, so of a silent worker by mail only. That it is over, whoever comes back says.
    """
    rule = alert_looks.rule(AlertKind.SILENT)
    if not rule.active:
        return False
    silent = set(pulse.silent(rule.threshold))
    if not silent & {ProcessKind.BEAT, ProcessKind.WORKER}:
        return False
    _turn(AlertKind.SILENT, silent)
    of_kind = Alert.objects.filter(kind=AlertKind.SILENT)
    for alert_id in of_kind.filter(pk__in=due()).values_list("pk", flat=True):
        alert_mail(alert_id=alert_id)
    return True


def acknowledge(*, lead: User, alert_id: int) -> None:
    """A team lead sees to an alert: it is not told again while it lasts; that it is over still is. Outermost.

    Raises MayNotIntervene, AlertOver.
    """
    leading.may_intervene(lead)
    with timeline.command():
        free = Alert.objects.filter(pk=alert_id, closed_at__isnull=True, acknowledged_at__isnull=True)
        if not free.update(acknowledged_at=Now(), acknowledged_by=lead):
            raise AlertOver
        alert = Alert.objects.get(pk=alert_id)
        leading.acknowledged(lead=lead, alert_id=alert.pk, kind=alert.kind, subject=alert.subject)
        tell_alert_changed("acknowledged", alert)


def nobody_left_refresh() -> None:
    """Open an alert for each topic with a waiting ticket that nobody online could take, and close those that are over.

    Two queries while nothing changes. Safe to run twice or late.
    """
    active = alert_looks.rule(AlertKind.NOBODY_LEFT).active
    _turn(
        AlertKind.NOBODY_LEFT,
        {key or "" for key in _flagged().values_list("topic__key", flat=True).distinct()}
        if active
        else set(),
    )


def _flagged() -> QuerySet[Ticket]:
    return Ticket.objects.filter(state=TicketState.WAITING, flagged_at__isnull=False)


def due() -> list[int]:
    """Alerts of which something is to be mailed now, the oldest first. One query."""
    return list(
        Alert.objects.filter(_begin_due() | _repeat_due() | _end_due())
        .order_by("id")
        .values_list("pk", flat=True)
    )


def _begin_due() -> Q:
    """Open, not mailed, and nothing was mailed about the same subject of late. One that is over before is not mailed at all.

    Of what waits for a person each is a subject of its own, so there the kind counts.
    """
    of_late = Alert.objects.filter(kind=OuterRef("kind"), mailed_at__gt=Now() - SELDOM)
    same = Q(kind__in=WAITING_KINDS) & Exists(of_late) | Exists(of_late.filter(subject=OuterRef("subject")))
    return Q(closed_at__isnull=True, mailed_at__isnull=True) & ~same


def _repeat_due() -> Q:
    """Open, told before, nobody has seen to it, and the time after which it is told again has passed."""
    due = Q(pk__in=[])
    for kind in AlertKind.values:
        if minutes := alert_looks.rule(kind).repeat_minutes:
            due |= Q(kind=kind, told_at__lte=Now() - timedelta(minutes=minutes))
    return due & _UNSEEN


_UNSEEN = Q(closed_at__isnull=True, mailed_at__isnull=False, acknowledged_at__isnull=True)


def _end_due() -> Q:
    """That somebody has answered is no news to who did."""
    over = Q(closed_at__isnull=False, mailed_at__isnull=False, recovery_mailed_at__isnull=True)
    return over & ~Q(kind__in=WAITING_KINDS)


def alert_mail(*, alert_id: int) -> bool:
    """Mail that it began, or that it is over, once. False when nothing is due, another worker was first, or the server refused.

    The mail is claimed before it is sent: a crash between the two loses one mail, which is better than sending it twice.
    """
    alert = Alert.objects.filter(pk=alert_id)
    before: list[datetime | None] = []
    if alert.filter(kind__in=WAITING_KINDS).exists():
        return _waiting_mail(alert)
    if alert.filter(_begin_due()).update(mailed_at=Now(), told_at=Now()):
        column = "mailed_at"
    elif before := list(alert.filter(_repeat_due()).values_list("told_at", flat=True)):
        if not alert.filter(told_at=before[0]).update(told_at=Now()):
            return False
        column = "told_at"
    elif alert.filter(_end_due()).update(recovery_mailed_at=Now()):
        column = "recovery_mailed_at"
    else:
        return False
    try:
        for mail in _mails(alert.get(), over=column == "recovery_mailed_at"):
            mail.send()
    except REFUSED as error:
        logger.warning("mail of alert %s was refused (%s); it is tried again", alert_id, type(error).__name__)
        alert.update(**{column: before[0] if column == "told_at" else None})
        return False
    if column == "told_at":
        tell_alert_changed("repeated", alert.get())
    return True


def _waiting_mail(alert: QuerySet[Alert]) -> bool:
    """One mail about all of the alert's kind that nobody was told of; or, when it is time, about all that still wait and that
    nobody has seen to. They are claimed together."""
    kind = AlertKind(alert.values_list("kind", flat=True).get())
    with transaction.atomic():
        # One row of the kind decides who mails: two workers would else each claim a part, and mail twice.
        list(Alert.objects.select_for_update().filter(kind=kind, closed_at__isnull=True).order_by("pk"))
        of_kind = Alert.objects.filter(kind=kind).order_by("pk")
        again: list[Alert] = []
        if of_kind.filter(_repeat_due()).exists():
            again = list(of_kind.filter(_UNSEEN))
        fresh = list(of_kind.filter(_begin_due()))
        Alert.objects.filter(pk__in=[one.pk for one in fresh]).update(mailed_at=Now(), told_at=Now())
        Alert.objects.filter(pk__in=[one.pk for one in again]).update(told_at=Now())
    due = sorted([*fresh, *again], key=lambda one: one.pk)
    if not due:
        return False
    try:
        for mail in alert_mails.waiting(kind, due, recipients(), again=not fresh):
            mail.send()
    except REFUSED as error:
        logger.warning("mail of alerts %s was refused (%s); it is tried again", kind, type(error).__name__)
        Alert.objects.filter(pk__in=[one.pk for one in fresh]).update(mailed_at=None, told_at=None)
        for one in again:
            Alert.objects.filter(pk=one.pk).update(told_at=one.told_at)
        return False
    for one in Alert.objects.filter(pk__in=[one.pk for one in again]):
        tell_alert_changed("repeated", one)
    return True


def recipients() -> list[User]:
    """Who is told, by address. One query, two when nobody has the permission. Without those whose address no mail can have:
    one such would stop the mail to all.
    """
    active = User.objects.filter(is_active=True).order_by("email")
    named = active.filter(may_be_alerted()).distinct()
    return [user for user in named if _reached(user)] or [
        user for user in active.filter(is_superuser=True) if _reached(user)
    ]


def _reached(user: User) -> bool:
    try:
        address_clean(user.email)
    except ValidationError:
        logger.warning("account %s has an address to which no mail can be sent", user.pk)
        return False
    return True


def may_be_alerted() -> Q:
    """Of accounts: a permission of their own or of a group. Their number is multiplied by the join."""
    has = Permission.objects.filter(content_type__app_label="dispatch", codename="be_alerted")
    return Q(user_permissions__in=has) | Q(groups__permissions__in=has)


def _mails(alert: Alert, *, over: bool) -> list[EmailMessage]:
    """One in each language that is read, to all who read it."""
    by_language: dict[str, list[str]] = {}
    for user in recipients():
        by_language.setdefault(user.language, []).append(user.email)
    return [_mail(alert, language, to, over=over) for language, to in sorted(by_language.items())]


def _mail(alert: Alert, language: str, to: list[str], *, over: bool) -> EmailMessage:
    if alert.kind != AlertKind.NOBODY_LEFT:
        return alert_mails.condition(alert, language, to, over=over)
    topic = Topic.objects.filter(key=alert.subject).first() if alert.subject else None
    waiting = _flagged().filter(topic=topic).aggregate(first=Min("waiting_since"))
    count = _flagged().filter(topic=topic).count()
    with translation.override(language):
        about = topic.name if topic else alert.subject or _("no topic")
        subject = (
            _("Somebody can help again: %(topic)s") % {"topic": about}
            if over
            else ngettext(
                "Nobody is online for “%(topic)s”: %(count)d customer waits",
                "Nobody is online for “%(topic)s”: %(count)d customers wait",
                count,
            )
            % {"topic": about, "count": count}
        )
        context = {
            "about": about,
            "alert": alert,
            "over": over,
            "count": count,
            "first": waiting["first"],
            "minutes": max(
                round(((alert.closed_at or timezone.now()) - alert.opened_at).total_seconds() / 60), 1
            ),
            "link": f"{settings.BASE_URL}{reverse('admin:tickets_ticket_changelist')}"
            "?state__exact=waiting&flagged_at__isempty=0",
            "brand": settings.BRAND,
        }
        return EmailMessage(
            subject=subject,
            body=render_to_string("dispatch/mail/alert.txt", context),
            bcc=to,  # nobody need know who else is told
            headers={
                "Auto-Submitted": "auto-generated",
                "Message-ID": alert_mails.message_id(alert, language, over=over),
            },
        )
