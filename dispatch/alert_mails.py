"""The words of mails to team leads about what waits for a person. Who gets them and when: dispatch/alerts.py."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents.models import Inquiry, User
from dispatch import alert_words
from dispatch.models import Alert, AlertKind, Escalation, Misuse, PromisedAnswer
from tickets.models import Topic


def waiting(
    kind: AlertKind, alerts: Sequence[Alert], readers: Sequence[User], *, again: bool = False
) -> list[EmailMessage]:
    """One mail in each language that is read, about all of these; nothing of a customer's or an agent's words is in it.

    `again`: all were told before, and still wait.
    """
    by_language: dict[str, list[str]] = {}
    for user in readers:
        by_language.setdefault(user.language, []).append(user.email)
    return [_mail(kind, alerts, language, to, again=again) for language, to in sorted(by_language.items())]


def message_id(alert: Alert, language: str, *, over: bool) -> str:
    """A name for its mail; one that tells again has another."""
    what = "over" if over else "open"
    if (
        not over
        and alert.told_at is not None
        and alert.mailed_at is not None
        and alert.told_at > alert.mailed_at
    ):
        what = f"again-{alert.told_at:%Y%m%d%H%M}"
    return f"<alert-{alert.pk}-{what}-{language}@standby>"


def condition(alert: Alert, language: str, to: list[str], *, over: bool) -> EmailMessage:
    """That one of the own kinds has begun, lasts, or is over."""
    with translation.override(language):
        says = alert_words.says(alert)
        path = alert_words.link(alert.kind) or reverse("lead_wallboard")
        end = alert.closed_at or timezone.now()
        context = {
            "says": says,
            "do": alert_words.do(alert.kind),
            "over": over,
            "since": alert.opened_at,
            "minutes": max(round((end - alert.opened_at).total_seconds() / 60), 1),
            "link": settings.BASE_URL + path,
            "brand": settings.BRAND,
        }
        return EmailMessage(
            subject=_("Over: %(says)s") % {"says": says} if over else says,
            body=render_to_string("dispatch/mail/condition.txt", context),
            bcc=to,  # nobody need know who else is told
            headers={
                "Auto-Submitted": "auto-generated",
                "Message-ID": message_id(alert, language, over=over),
            },
        )


def _mail(
    kind: AlertKind, alerts: Sequence[Alert], language: str, to: list[str], *, again: bool
) -> EmailMessage:
    name = f"again-{timezone.now():%Y%m%d%H%M}" if again else "waiting"
    ids = [int(alert.subject) for alert in alerts]
    with translation.override(language):
        context = {
            "says": _says(kind),
            "lines": _lines(kind, ids),
            "link": settings.BASE_URL + reverse(alert_words.PAGES[kind]),
            "brand": settings.BRAND,
        }
        subject = _subject(kind, len(ids))
        return EmailMessage(
            subject=_("Still open: %(says)s") % {"says": subject} if again else subject,
            body=render_to_string("dispatch/mail/waiting.txt", context),
            bcc=to,  # nobody need know who else is told
            headers={
                "Auto-Submitted": "auto-generated",
                "Message-ID": f"<alert-{alerts[0].pk}-{name}-{language}@standby>",
            },
        )


def _subject(kind: AlertKind, count: int) -> str:
    return {
        AlertKind.ESCALATION: ngettext(
            "An agent asks you to look at a ticket", "Agents ask you to look at %(count)d tickets", count
        ),
        AlertKind.ABUSE: ngettext(
            "An agent ended a ticket as abuse", "Agents ended %(count)d tickets as abuse", count
        ),
        AlertKind.INQUIRY: ngettext("An agent has a question", "Agents have %(count)d questions", count),
        AlertKind.CONTEST: ngettext(
            "A rating or review was contested", "%(count)d ratings or reviews were contested", count
        ),
        AlertKind.OVERDUE: ngettext(
            "A contest should have been answered by now",
            "%(count)d contests should have been answered by now",
            count,
        ),
        AlertKind.ANSWER_LATE: ngettext(
            "A promised answer is late", "%(count)d promised answers are late", count
        ),
        AlertKind.MAIL_HELD: ngettext(
            "A mail of a customer is held", "%(count)d mails of customers are held", count
        ),
        AlertKind.ASSISTANT_PAUSED: ngettext(
            "The assistant has paused itself in a topic",
            "The assistant has paused itself in %(count)d topics",
            count,
        ),
        AlertKind.WEBHOOK_STOPPED: ngettext(
            "A webhook was stopped", "%(count)d webhooks were stopped", count
        ),
    }[kind] % {"count": count}


def _says(kind: AlertKind) -> str:
    return {
        AlertKind.ESCALATION: _("They keep the tickets; customers were told that a team lead looks at them."),
        AlertKind.ABUSE: _("The tickets are closed. Please look whether it was, and how the agents are."),
        AlertKind.INQUIRY: _("They were promised an answer by a person within three days."),
        AlertKind.CONTEST: _(
            "They were promised an answer within seven days, by somebody who did not write the review."
        ),
        AlertKind.OVERDUE: _("The promised day has passed."),
        AlertKind.ANSWER_LATE: _(
            "Customers were promised an answer by a person until a time that has passed."
        ),
        AlertKind.MAIL_HELD: _(
            "One sender has sent very many, or they could not be taken in. Somebody should look at them."
        ),
        AlertKind.ASSISTANT_PAUSED: _(
            "Too few of its answers were confirmed by customers. People get all tickets until an admin lets it go on."
        ),
        AlertKind.WEBHOOK_STOPPED: _(
            "Nothing has reached it for days, or it said that it is gone. What happens now is not told there."
        ),
    }[kind]


def _lines(kind: AlertKind, ids: list[int]) -> list[str]:
    """What it is about, without words of customers. One query, none for contests."""
    if kind == AlertKind.ESCALATION:
        found = Escalation.objects.filter(pk__in=ids).select_related("ticket__topic", "agent").order_by("pk")
        return [
            f"{one.ticket.number} · {one.ticket.topic.name if one.ticket.topic else _('General')} · {one.agent.name}"
            for one in found
        ]
    if kind == AlertKind.ABUSE:
        ended = Misuse.objects.filter(pk__in=ids).select_related("ticket", "offer__agent").order_by("pk")
        return [f"{one.ticket.number} · {one.offer.agent.name}" for one in ended]
    if kind == AlertKind.INQUIRY:
        asked = Inquiry.objects.filter(pk__in=ids).select_related("agent").order_by("pk")
        return [f"{one.agent.name} · {one.get_kind_display()}" for one in asked]
    if kind == AlertKind.ANSWER_LATE:
        late = PromisedAnswer.objects.filter(pk__in=ids).select_related("ticket__topic").order_by("pk")
        return [
            f"{one.ticket.number} · {one.ticket.topic.name if one.ticket.topic else _('General')}"
            for one in late
        ]
    if kind == AlertKind.ASSISTANT_PAUSED:
        return [topic.name for topic in Topic.objects.filter(pk__in=ids)]
    return []
