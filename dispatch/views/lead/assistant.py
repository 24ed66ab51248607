"""How the assistant does, for team leads: by topic and day, with what its answers are worth."""

from collections import defaultdict
from datetime import date, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from dispatch import suggestions
from dispatch.views.lead.access import lead_page
from tickets.assistant import measures
from tickets.assistant.measures import Tally
from tickets.models import AssistantUse, Calibration, HandoverReason, Phrasing, Ticket, Topic

SEES_ASSISTANT = "tickets.view_assistantanswer"


@lead_page(SEES_ASSISTANT)
def the_assistant(request: HttpRequest) -> HttpResponse:
    """Six queries, beside who asks."""
    found = measures.counted()
    tallies = measures.by_topic(found)
    days: dict[date, Tally] = defaultdict(Tally)
    for (_topic, day), tally in found.items():
        days[day] += tally
    topics = Topic.objects.exclude(assistant=AssistantUse.OFF) | Topic.objects.filter(
        pk__in=[key for key in tallies if key]
    )
    since = min(days, default=None)
    reasons: dict[str, int] = defaultdict(int)
    if since is not None:
        handed = Ticket.objects.filter(Ticket.REAL, handed_over_at__date__gte=since)
        for reason in handed.values_list("handover", flat=True):
            reasons[str(HandoverReason(reason).label)] += 1
    worded = measures.phrasings()
    answers = sum(one.answers for one in worded)
    context = {
        "model": settings.ASSISTANT_MODEL,
        "phrasings": [(_who(Phrasing(one.how)), one, one.answers / answers) for one in worded],
        "topics": [(topic, tallies.get(topic.pk, Tally())) for topic in topics.distinct()],
        "days": sorted(days.items(), reverse=True),
        "whole": measures.total(tallies.values()),
        "reasons": sorted(reasons.items(), key=lambda one: (-one[1], one[0])),
        "calibrations": Calibration.objects.order_by("language", "-id").distinct("language"),
        "shown_days": measures.DAYS,
        "suggestions": suggestions.record(timezone.now() - timedelta(days=measures.DAYS)),
    }
    return render(request, "dispatch/lead/assistant.html", context)


def _who(how: Phrasing) -> str:
    """Who put answers into words: where the model could not, the article, and why."""
    if how in (Phrasing.QUOTED, Phrasing.REPHRASED):
        return str(how.label)
    return gettext("the article alone: %(why)s") % {"why": how.label}
