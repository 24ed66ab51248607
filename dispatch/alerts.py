"""Alerts for team leads: opened and closed by what stands in the database, and mailed, seldom enough to be read.

Who gets them: active accounts with the permission “Gets alerts by mail”, from a group or their own; while nobody has it, the
admins. What is due stands in the database, so that a mail survives a broker that was away.
"""

import logging
import smtplib
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.mail import EmailMessage
from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents.models import User
from dispatch.models import Alert, AlertKind
from tickets.models import Ticket, TicketState, Topic

logger = logging.getLogger(__name__)

SELDOM = timedelta(minutes=15)  # from one mail about a subject to the next


def nobody_left_refresh() -> None:
    """Open an alert for each topic with a waiting ticket that nobody online could take, and close those that are over.

    Two queries while nothing changes. Safe to run twice or late.
    """
    now_flagged = {key or "" for key in _flagged().values_list("topic__key", flat=True).distinct()}
    live = Alert.objects.filter(kind=AlertKind.NOBODY_LEFT, closed_at__isnull=True)
    known = set(live.values_list("subject", flat=True))
    if opened := now_flagged - known:
        # Another worker may have been faster: the constraint lets one of each through.
        Alert.objects.bulk_create(
            [Alert(kind=AlertKind.NOBODY_LEFT, subject=key) for key in sorted(opened)], ignore_conflicts=True
        )
    if over := known - now_flagged:
        live.filter(subject__in=over).update(closed_at=Now())


def _flagged() -> QuerySet[Ticket]:
    return Ticket.objects.filter(state=TicketState.WAITING, flagged_at__isnull=False)


def due() -> list[int]:
    """Alerts of which something is to be mailed now, the oldest first. One query."""
    return list(Alert.objects.filter(_begin_due() | _end_due()).order_by("id").values_list("pk", flat=True))


def _begin_due() -> Q:
    """Open, not mailed, and nothing was mailed about the same subject of late. One that is over before is not mailed at all."""
    same = Alert.objects.filter(
        kind=OuterRef("kind"), subject=OuterRef("subject"), mailed_at__gt=Now() - SELDOM
    )
    return Q(closed_at__isnull=True, mailed_at__isnull=True) & ~Q(Exists(same))


def _end_due() -> Q:
    return Q(closed_at__isnull=False, mailed_at__isnull=False, recovery_mailed_at__isnull=True)


def alert_mail(*, alert_id: int) -> bool:
    """Mail that it began, or that it is over, once. False when nothing is due, another worker was first, or the server refused.

    The mail is claimed before it is sent: a crash between the two loses one mail, which is better than sending it twice.
    """
    alert = Alert.objects.filter(pk=alert_id)
    if alert.filter(_begin_due()).update(mailed_at=Now()):
        column = "mailed_at"
    elif alert.filter(_end_due()).update(recovery_mailed_at=Now()):
        column = "recovery_mailed_at"
    else:
        return False
    try:
        for mail in _mails(alert.get(), over=column == "recovery_mailed_at"):
            mail.send()
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("mail of alert %s was refused (%s); it is tried again", alert_id, type(error).__name__)
        alert.update(**{column: None})
        return False
    return True


def recipients() -> list[User]:
    """Who is told, by address. One query, two when nobody has the permission."""
    active = User.objects.filter(is_active=True).order_by("email")
    has = Permission.objects.filter(content_type__app_label="dispatch", codename="be_alerted")
    leads = active.filter(Q(user_permissions__in=has) | Q(groups__permissions__in=has)).distinct()
    return list(leads) or list(active.filter(is_superuser=True))


def _mails(alert: Alert, *, over: bool) -> list[EmailMessage]:
    """One in each language that is read, to all who read it."""
    by_language: dict[str, list[str]] = {}
    for user in recipients():
        by_language.setdefault(user.language, []).append(user.email)
    return [_mail(alert, language, to, over=over) for language, to in sorted(by_language.items())]


def _mail(alert: Alert, language: str, to: list[str], *, over: bool) -> EmailMessage:
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
                "Message-ID": f"<alert-{alert.pk}-{'over' if over else 'open'}-{language}@standby>",
            },
        )
