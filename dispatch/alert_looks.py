"""What is the matter now, by kind of alert: the subjects for which one should be open. Reading only; who opens, closes and
tells is dispatch/alerts.py."""

from datetime import datetime, timedelta

from django.db.models import Min
from django.db.models.functions import Now
from django.utils import timezone

from agents.models import Letter, Notice, Skill
from dispatch import answers, members, pulse, routes
from dispatch.models import AlertKind, AlertRule, DeliveryState, ProcessKind, PromisedAnswer, WebhookDelivery
from dispatch.rules.alerting import DEFAULTS, WAITING, Rule, at_risk
from tickets import calendars, kept
from tickets.hours import is_open, open_seconds
from tickets.models import AwayMail, LinkRequest, MailIn, Outcome, Ticket, TicketState

GIVE_UP = timedelta(days=1)  # after which no mail is tried any more


def rule(kind: str) -> Rule:
    """What is set for a kind. No query while it is kept."""
    return kept.keep("alert_rules", _load).get(kind, DEFAULTS.get(kind, WAITING))


def _load() -> dict[str, Rule]:
    rows = AlertRule.objects.values_list("kind", "active", "threshold", "repeat_minutes")
    return {kind: Rule(active, threshold, repeat) for kind, active, threshold, repeat in rows}


def skills_away() -> set[str]:
    """Keys of skills that waiting tickets need and that nobody online has at that level, in open hours. Two queries, three more
    if something is the matter."""
    seconds = rule(AlertKind.SKILL_AWAY).threshold
    plan = routes.routes()
    now = timezone.now().timestamp()
    wanted: set[tuple[int, int]] = set()
    waiting = Ticket.objects.filter(
        state=TicketState.WAITING, waiting_since__lte=Now() - timedelta(seconds=seconds)
    )
    for topic_id in waiting.order_by().values_list("topic_id", flat=True).distinct():
        spec, hours = plan.of(topic_id), calendars.hours_of(topic_id)
        if spec and (hours is None or is_open(hours, now)):
            wanted |= set(spec.required.items())
    if not wanted:
        return set()
    here = members.online(plan.pools())
    away = {
        abs(skill)
        for skill, level in wanted
        if not any(one.profile.level(skill, one.seen_at) >= level for one in here)
    }
    return set(Skill.objects.filter(pk__in=away).values_list("key", flat=True)) if away else set()


def targets_at_risk() -> set[str]:
    """Keys of topics of which a ticket has waited for most of its target or longer, in open hours; "": of none. One query."""
    percent = rule(AlertKind.TARGET_RISK).threshold
    plan = routes.routes()
    now = timezone.now().timestamp()
    found = set()
    oldest = Ticket.objects.filter(state=TicketState.WAITING).order_by()
    for topic_id, key, since in (
        oldest.values_list("topic_id", "topic__key")
        .annotate(since=Min("waiting_since"))
        .values_list("topic_id", "topic__key", "since")
    ):
        spec, hours = plan.of(topic_id), calendars.hours_of(topic_id)
        if spec is None:
            continue
        begun = since.timestamp()
        waited = open_seconds(hours, begun, now) if hours else now - begun
        if at_risk(waited, spec.target_seconds, percent):
            found.add(key or "")
    return found


def outbox() -> set[str]:
    """{""} while any mail or webhook waits to be sent for longer than the rule says. Eight queries."""
    minutes = rule(AlertKind.OUTBOX).threshold
    return {""} if any(since is not None for since in oldest_unsent(minutes).values()) else set()


def oldest_unsent(minutes: int) -> dict[str, datetime | None]:
    """Of each kind of what is sent, since when the oldest waits that waits for longer than so many minutes and is not given up.

    A webhook waits from when it is due: one whose receiver does not answer is due later, and waits for nothing of ours.
    """
    late, given_up = Now() - timedelta(minutes=minutes), Now() - GIVE_UP
    links = Ticket.objects.filter(
        link_mailed_at__isnull=True, created_at__lt=late, created_at__gt=given_up, ended_as=""
    ).exclude(customer__email="")
    letters = Letter.objects.filter(sent_at__isnull=True, created_at__lt=late, created_at__gt=given_up)
    notices = Notice.objects.filter(mailed_at__isnull=True, created_at__lt=late, created_at__gt=given_up)
    away = AwayMail.objects.filter(
        sent_at__isnull=True, failed_at__isnull=True, next_at__isnull=False, made_at__lt=late
    )
    # Tried for as long as the promise is open.
    promises = PromisedAnswer.objects.filter(answers.UNMAILED, made_at__lt=late)
    asked = LinkRequest.objects.filter(sent_at__isnull=True, asked_at__lt=late, asked_at__gt=given_up)
    left_out = MailIn.objects.filter(
        outcome=Outcome.REPLIED,
        left_out_mailed_at__isnull=True,
        received_at__lt=late,
        received_at__gt=given_up,
    ).exclude(left_out=[])
    webhooks = WebhookDelivery.objects.filter(
        state=DeliveryState.PENDING, due_at__lt=late, endpoint__stopped_by=""
    )
    return {
        "link": links.order_by("id").values_list("created_at", flat=True).first(),
        "letter": letters.order_by("id").values_list("created_at", flat=True).first(),
        "notice": notices.order_by("id").values_list("created_at", flat=True).first(),
        "away": away.order_by("id").values_list("made_at", flat=True).first(),
        "promise": promises.order_by("id").values_list("made_at", flat=True).first(),
        "links": asked.order_by("id").values_list("asked_at", flat=True).first(),
        "left_out": left_out.order_by("id").values_list("received_at", flat=True).first(),
        "webhook": webhooks.order_by("due_at").values_list("due_at", flat=True).first(),
    }


def processes_silent() -> set[str]:
    """Kinds of processes that nobody has heard of for as long as the rule says, but for beat. One query.

    Whoever looks here was asked by beat, so it lives. While it does not, a matcher says so (alerts.stand_in).
    """
    return set(pulse.silent(rule(AlertKind.SILENT).threshold)) - {ProcessKind.BEAT}
