"""Putting a ticket aside, and ending it as spam or abuse: pages with a form, which the console's script shows in a dialog; and
what the forms do."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from agents.models import Agent
from agents.views.people import agent_page
from dispatch import cards, fragments, looks, misuse, snooze
from dispatch.errors import BadWakingTime, KindMissing
from dispatch.rules import snooze as rules
from dispatch.views.commands import command, epoch_of, key_of, ticket_id_of
from tickets.models import MISUSES, EndedAs, Ticket
from tickets.signs import number

OWN = "own"  # as `until`: the moment in `at`
MINUTE = "%Y-%m-%dT%H:%M"  # what browsers send of a local time


@never_cache
def aside(request: HttpRequest, public_id: str) -> Any:
    """The form, or with POST what it asks for. With `?part=1` the form alone."""
    return _snooze(request, public_id=public_id) if request.method == "POST" else _aside(request, public_id)


@never_cache
def end(request: HttpRequest, public_id: str) -> Any:
    """Likewise, to end it."""
    return _end(request, public_id=public_id) if request.method == "POST" else _ending(request, public_id)


@agent_page
def _aside(request: HttpRequest, agent: Agent, public_id: str) -> HttpResponse:
    return _aside_form(request, agent, public_id)


@agent_page
def _ending(request: HttpRequest, agent: Agent, public_id: str) -> HttpResponse:
    return _end_form(request, agent, public_id)


def _aside_form(
    request: HttpRequest, agent: Agent, public_id: str, problem: str = "", status: int = 200
) -> HttpResponse:
    found = _held(agent, public_id)
    if found is None:
        return redirect(reverse("console"))
    now, hours = timezone.now().astimezone(agent.zone), snooze.longest(found.ticket)
    chosen = request.POST.get("until", "")
    words = _words()
    context = {
        "choices": [
            {"value": moment.isoformat(), "words": words[word], "moment": moment}
            for word, moment in rules.choices(now, hours).items()
        ],
        "chosen": chosen,
        "own": OWN,
        "at": request.POST.get("at", ""),
        "least": now.strftime(MINUTE),
        "most": (now + timedelta(hours=hours)).strftime(MINUTE),
        "seen": request.POST.get("seen", "") or found.ticket.last_seq,
        "zone": agent.zone,
        "today": now.date(),
    }
    return _shown(request, found, "aside", context | {"problem": problem}, status)


def _words() -> dict[str, str]:
    return {
        rules.HOUR: _("In an hour"),
        rules.AFTERNOON: _("This afternoon"),
        rules.TOMORROW: _("Tomorrow morning"),
        rules.WEEK: _("Next Monday"),
    }


def _end_form(
    request: HttpRequest, agent: Agent, public_id: str, problem: str = "", status: int = 200
) -> HttpResponse:
    found = _held(agent, public_id)
    if found is None:
        return redirect(reverse("console"))
    context = {"kind": request.POST.get("kind", ""), "note": request.POST.get("note", ""), "problem": problem}
    return _shown(request, found, "end", context, status)


def _held(agent: Agent, public_id: str) -> cards.OnDesk | None:
    return next((one for one in cards.on_desk(agent.pk, public_id) if one.wrap_left is None), None)


def _shown(
    request: HttpRequest, found: cards.OnDesk, name: str, context: dict[str, Any], status: int
) -> HttpResponse:
    shift = looks.look(found.offer.agent_id).shift
    shared = {
        "ticket": found.ticket,
        "entry": fragments.entry(found, found.offer.agent),
        "epoch": shift.epoch if shift else 0,
        "form": f"dispatch/parts/{name}_form.html",
    }
    template = f"parts/{name}_form.html" if request.GET.get("part") else "of_ticket.html"
    return render(request, f"dispatch/{template}", shared | context, status=status)


def _refused_aside(request: HttpRequest, agent: Agent, refusal: Any) -> HttpResponse | None:
    """What was chosen stands there again, with the words beside it; None when it is no longer with them."""
    assert request.resolver_match is not None
    public_id = request.resolver_match.kwargs["public_id"]
    answer = _aside_form(request, agent, public_id, str(refusal.detail), refusal.status)
    return answer if answer.status_code == refusal.status else None


def _refused_end(request: HttpRequest, agent: Agent, refusal: Any) -> HttpResponse | None:
    """Likewise."""
    assert request.resolver_match is not None
    public_id = request.resolver_match.kwargs["public_id"]
    answer = _end_form(request, agent, public_id, str(refusal.detail), refusal.status)
    return answer if answer.status_code == refusal.status else None


@command(refused=_refused_aside)
def _snooze(request: HttpRequest, agent: Agent, public_id: str) -> None:
    """`until`: a moment with its offset; or `own`, and `at` by the agent's clock."""
    ticket_id = ticket_id_of(public_id)
    until = _moment(request, agent)
    if until is None:
        raise BadWakingTime(snooze.longest(Ticket.objects.get(pk=ticket_id)))
    snooze.snooze(
        agent=agent,
        epoch=epoch_of(request),
        ticket_id=ticket_id,
        until=until,
        seen=number(request.POST.get("seen", "")) or None,
        key=key_of(request),
    )


def _moment(request: HttpRequest, agent: Agent) -> datetime | None:
    """What was chosen; None when it is no moment."""
    until = request.POST.get("until", "")
    try:
        found = parse_datetime(request.POST.get("at", "") if until == OWN else until)
    except ValueError:  # of a month with 40 days
        return None
    if found is None or (until == OWN and timezone.is_aware(found)):
        return None
    try:
        return found if timezone.is_aware(found) else found.replace(tzinfo=agent.zone)
    except OverflowError:
        return None


@command()
def wake(request: HttpRequest, agent: Agent, public_id: str) -> None:
    """Take it up again before its time."""
    snooze.wake(agent=agent, epoch=epoch_of(request), ticket_id=ticket_id_of(public_id), key=key_of(request))


@command(refused=_refused_end)
def _end(request: HttpRequest, agent: Agent, public_id: str) -> None:
    """`kind`: spam or abuse."""
    kind = request.POST.get("kind", "")
    if kind not in MISUSES:
        raise KindMissing
    misuse.end_as(
        agent=agent,
        epoch=epoch_of(request),
        ticket_id=ticket_id_of(public_id),
        kind=EndedAs(kind),
        note=request.POST.get("note", ""),
        key=key_of(request),
    )
