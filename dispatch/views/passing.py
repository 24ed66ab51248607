"""Passing a ticket on: a page with the form, which the console's script shows in a dialog; and what the form does."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from agents.models import Agent
from agents.views.people import agent_page
from dispatch import cards, fragments, looks, passing
from dispatch.errors import NobodyThere
from dispatch.views.commands import command, epoch_of, key_of, ticket_id_of

LEAD = "lead"  # as `to`: it stays, and team leads are asked


@never_cache
def pass_on(request: HttpRequest, public_id: str) -> Any:
    """The form, or with POST what it asks for. With `?part=1` the form alone."""
    return _pass_on(request, public_id=public_id) if request.method == "POST" else _asked(request, public_id)


@agent_page
def _asked(request: HttpRequest, agent: Agent, public_id: str) -> HttpResponse:
    return _form(request, agent, public_id)


def _form(
    request: HttpRequest, agent: Agent, public_id: str, problem: str = "", status: int = 200
) -> HttpResponse:
    found = next((one for one in cards.on_desk(agent.pk, public_id) if one.wrap_left is None), None)
    if found is None:
        return redirect(reverse("console"))
    shift = looks.look(agent.pk).shift
    context: dict[str, Any] = {
        "ticket": found.ticket,
        "entry": fragments.entry(found, agent),
        "targets": passing.targets(agent=agent, ticket_id=found.ticket.pk),
        "epoch": shift.epoch if shift else 0,
        "to": request.POST.get("to", ""),
        "note": request.POST.get("note", ""),
        "problem": problem,
    }
    template = "parts/pass_on_form.html" if request.GET.get("part") else "pass_on.html"
    return render(request, f"dispatch/{template}", context, status=status)


def _refused(request: HttpRequest, agent: Agent, refusal: Any) -> HttpResponse | None:
    """What was written stands there again, with the words beside it."""
    assert request.resolver_match is not None
    public_id = request.resolver_match.kwargs["public_id"]
    answer = _form(request, agent, public_id, str(refusal.detail), refusal.status)
    return answer if answer.status_code == refusal.status else None  # else it is no longer with them


@command(refused=_refused)
def _pass_on(request: HttpRequest, agent: Agent, public_id: str) -> None:
    """`to`: pool:<id>, agent:<id>, or lead."""
    kind, _colon, number = request.POST.get("to", "").partition(":")
    which = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None
    epoch, ticket_id, key = epoch_of(request), ticket_id_of(public_id), key_of(request)
    note = request.POST.get("note", "")
    if kind == LEAD:
        passing.escalate(agent=agent, epoch=epoch, ticket_id=ticket_id, reason=note, key=key)
        return
    if kind not in ("pool", "agent") or which is None:
        raise NobodyThere(_("Please choose where the ticket should go."))
    passing.transfer(
        agent=agent,
        epoch=epoch,
        ticket_id=ticket_id,
        note=note,
        pool_id=which if kind == "pool" else None,
        to_agent_id=which if kind == "agent" else None,
        key=key,
    )
