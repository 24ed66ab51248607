"""What an open alert says to a team lead, and what to do about it: on the wallboard, in mails and calls."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from agents.models import Skill
from dispatch.models import Alert, AlertKind
from tickets import topics

OWN_KINDS = (
    AlertKind.NOBODY_LEFT,
    AlertKind.SKILL_AWAY,
    AlertKind.TARGET_RISK,
    AlertKind.SILENT,
    AlertKind.OUTBOX,
)  # of which each is a matter of its own; the others are told of together


# Where each kind is answered.
PAGES = {
    AlertKind.ESCALATION: "lead_escalations",
    AlertKind.ABUSE: "lead_flagged",
    AlertKind.INQUIRY: "admin:agents_inquiry_changelist",
    AlertKind.CONTEST: "lead_contests",
    AlertKind.OVERDUE: "lead_contests",
    AlertKind.ANSWER_LATE: "lead_promise",
    AlertKind.MAIL_HELD: "admin:tickets_mailin_changelist",
    AlertKind.ASSISTANT_PAUSED: "lead_assistant",
    AlertKind.WEBHOOK_STOPPED: "admin:dispatch_webhookendpoint_changelist",
}


class Shown(NamedTuple):
    id: int  # 0: several alerts of one kind
    says: str
    do: str
    link: str
    since: datetime
    seen_by: str  # who has seen to it; empty: nobody yet


def listed(alerts: Iterable[Alert]) -> list[Shown]:
    """One line a matter, in the reader's language. One query if a skill is among them."""
    found, together = [], dict[str, list[Alert]]()
    for alert in alerts:
        if alert.kind in OWN_KINDS:
            seen_by = str(alert.acknowledged_by) if alert.acknowledged_by else ""
            found.append(
                Shown(alert.pk, says(alert), do(alert.kind), link(alert.kind), alert.opened_at, seen_by)
            )
        else:
            together.setdefault(alert.kind, []).append(alert)
    for kind, those in together.items():
        words = f"{AlertKind(kind).label}: {len(those)}"
        found.append(Shown(0, words, do(kind), link(kind), those[0].opened_at, ""))
    return found


def says(alert: Alert) -> str:
    """What is the matter."""
    match alert.kind:
        case AlertKind.NOBODY_LEFT:
            return _("A ticket waits that nobody online could take: %(topic)s") % {
                "topic": topic(alert.subject)
            }
        case AlertKind.SKILL_AWAY:
            return _("Nobody with this skill is online, and tickets wait for it: %(skill)s") % {
                "skill": skill(alert.subject)
            }
        case AlertKind.TARGET_RISK:
            return _("A ticket is about to miss its target, or has: %(topic)s") % {
                "topic": topic(alert.subject)
            }
        case AlertKind.SILENT:
            return process(alert.subject)
        case AlertKind.OUTBOX:
            return _("Mails or webhooks pile up and are not sent")
    return str(AlertKind(alert.kind).label)


def do(kind: str) -> str:
    """What to do about it."""
    return {
        AlertKind.NOBODY_LEFT: _("Call people in, or reassign the ticket to a pool that can help."),
        AlertKind.SKILL_AWAY: _("Call people in, or reassign the tickets to a pool that can help."),
        AlertKind.TARGET_RISK: _("Look at the longest waits: call people in, or reassign."),
        AlertKind.SILENT: _("Ask whoever runs the servers to look at this process."),
        AlertKind.OUTBOX: _("Ask whoever runs the servers to look at the mail server and the workers."),
    }.get(AlertKind(kind), _("It waits for a person of the team."))


def link(kind: str) -> str:
    """Where that is done; empty when not on a page of ours."""
    if kind in (AlertKind.NOBODY_LEFT, AlertKind.SKILL_AWAY):
        return reverse("lead_call_in")
    if kind == AlertKind.TARGET_RISK:
        return reverse("lead_queue")
    return reverse(PAGES[AlertKind(kind)]) if kind in PAGES else ""


def process(kind: str) -> str:
    """That nobody has heard of a kind of process."""
    names = {
        "beat": _("the clock (beat)"),
        "matcher": _("the matchers"),
        "worker": _("the workers"),
        "simulator": _("the simulators"),
    }
    return _("Nothing is heard of %(process)s") % {"process": names.get(kind, kind)}


def topic(key: str) -> str:
    """A topic's name in the reader's language."""
    found = topics.find(key) if key else None
    return found.name if found else key or _("no topic")


def skill(key: str) -> str:
    """Likewise a skill's."""
    found = Skill.objects.filter(key=key).first()
    if found is None:
        return key
    return found.name_de if (get_language() or "en").startswith("de") else found.name_en
