"""Practising: with whom, the way to the desk, and how it went. The desk itself is the real one (views/console.py)."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

import agents.errors
import tickets.errors
from agents.learning import may_practise
from agents.models import Agent, Shift
from agents.views.learn import learner_page
from agents.views.work import SeeOther
from dispatch import practice
from dispatch.models import Practice
from tickets.models import Message

SHOWN = 10  # tries, the latest first


@require_safe
@learner_page
def choose(request: HttpRequest, agent: Agent) -> HttpResponse:
    """What practice is, with whom, and what came of it before."""
    practice.settle(agent_id=agent.pk)
    shift = Shift.objects.filter(agent=agent, ended_at__isnull=True).first()
    tries = list(Practice.objects.filter(agent=agent).select_related("script")[:SHOWN])
    passed = {one.script_id for one in tries if one.passed}
    context = {
        "agent": agent,
        "scripts": [{"script": one, "passed": one.pk in passed} for one in practice.scripts()],
        "tries": [one for one in tries if one.finished_at],
        "open": shift is not None and shift.practice,
        "on_shift": shift is not None and not shift.practice,
        "may": may_practise(agent),
    }
    return render(request, "dispatch/practice.html", context)


@require_POST
@learner_page
def start(request: HttpRequest, agent: Agent, key: str) -> HttpResponse:
    """To the desk, where the scripted customer waits."""
    try:
        practice.start(agent=agent, script_key=key, language=get_language() or "en")
    except (agents.errors.Refusal, tickets.errors.Refusal) as refusal:
        messages.warning(request, str(refusal.detail))
        return SeeOther(reverse("practice"))
    return SeeOther(reverse("console"))


@require_safe
@learner_page
def latest(request: HttpRequest, agent: Agent) -> HttpResponse:  # noqa: ARG001
    """To the result of what was practised last; of one that is under way, to the desk."""
    practice.settle(agent_id=agent.pk)
    found = Practice.objects.filter(agent=agent).first()
    if found is None:
        return SeeOther(reverse("practice"))
    if found.finished_at is None:
        return SeeOther(reverse("console"))
    return SeeOther(reverse("practice_result", args=[found.pk]))


@require_safe
@learner_page
def result(request: HttpRequest, agent: Agent, practice_id: int) -> HttpResponse:
    """One's own practice that is over: which points were met, and what was said."""
    found = Practice.objects.filter(pk=practice_id, agent=agent, finished_at__isnull=False)
    one = found.select_related("script", "ticket").first()
    if one is None:
        raise Http404
    shown = lines(one)
    context = {
        "agent": agent,
        "practice": one,
        "lines": shown,
        "met": sum(line["met"] for line in shown),
        "talk": talk(one),
    }
    return render(request, "dispatch/practised.html", context)


def lines(one: Practice) -> list[dict[str, Any]]:
    """The points of a practice that is over, in the reader's language: {"name", "met", "advice"}."""
    tongue = "de" if (get_language() or "en").startswith("de") else "en"
    return [
        {
            "name": _("You answered"),
            "met": one.replied,
            "advice": _("A customer who waits wants a word soon."),
        },
        *(
            {"name": point[tongue], "met": point["met"], "advice": point[f"advice_{tongue}"]}
            for point in one.points
        ),
        {
            "name": _("You resolved the ticket"),
            "met": one.resolved,
            "advice": _("Choose “Resolve”, or “Send and resolve”, when the customer has what they need."),
        },
    ]


def talk(one: Practice) -> QuerySet[Message]:
    """What was said, without notes. One query."""
    return Message.objects.filter(ticket=one.ticket_id, internal=False).order_by("seq")
