"""The promise of a person, and how it is kept: public."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dispatch import answers, promise, routes
from tickets import calendars, kept, topics
from tickets.models import Ticket, TicketState


@require_safe
def the_promise(request: HttpRequest) -> HttpResponse:
    """Today, the last days, and what is promised for which topic. Three queries when nothing is kept in mind."""
    return render(
        request, "dispatch/promise.html", kept.keep("promise", _counted) | {"promised": _promised()}
    )


def _counted() -> dict[str, object]:
    days = promise.days()
    waiting = Ticket.objects.filter(Ticket.REAL, state=TicketState.WAITING)
    return {
        "days": days,
        "today": days[0].tally,
        "whole": promise.total(day.tally for day in days),
        "most": max((day.tally.asked for day in days), default=0),
        "waiting": waiting.count(),
        "answers": answers.record(timezone.now() - timedelta(days=promise.DAYS)),
    }


def _promised() -> list[dict[str, object]]:
    """What is promised for each topic that customers can choose, and without one."""
    plan = routes.routes()
    found: list[dict[str, object]] = []
    for topic in [*topics.active(), None]:
        spec = plan.of(topic.pk if topic else None)
        if spec is not None:
            hours = calendars.hours_of(topic.pk if topic else None)
            found.append(
                {
                    "topic": topic,
                    "seconds": spec.target_seconds,
                    "week": calendars.week_in_words(hours) if hours else [],
                    "zone": hours.zone.replace("_", " ") if hours else "",
                }
            )
    return found
