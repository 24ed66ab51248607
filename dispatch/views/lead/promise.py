"""How the promise of a person is kept, for team leads: by topic, how honest the estimates are, which answers are due."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from dispatch import answers, promise
from dispatch.models import PromisedAnswer
from dispatch.rules.promise import Tally
from dispatch.views.lead.access import lead_page
from tickets.models import Topic

SEES_PROMISE = "dispatch.view_promiseday"
DUE_SHOWN = 100


@lead_page(SEES_PROMISE)
def the_promise(request: HttpRequest) -> HttpResponse:
    """Five queries, beside who asks."""
    tallies = promise.by_topic()
    topics: list[tuple[Topic | None, Tally]] = [
        (topic, tallies[topic.pk]) for topic in Topic.objects.filter(pk__in=[key for key in tallies if key])
    ]
    if None in tallies:
        topics.append((None, tallies[None]))
    due = PromisedAnswer.objects.filter(ended_at__isnull=True).select_related("ticket__topic")
    days = promise.days()
    context = {
        "days": days,
        "topics": topics,
        "whole": promise.total(day.tally for day in days),
        "due": due.order_by("due_at")[:DUE_SHOWN],
        "now": timezone.now(),
        "answers": answers.record(timezone.now() - timedelta(days=promise.DAYS)),
    }
    return render(request, "dispatch/lead/promise.html", context)
