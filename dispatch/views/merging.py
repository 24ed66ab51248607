"""Merging another ticket of the same customer: a page with a form, which the console's script shows in a dialog, what the form
does, and the conversation of a ticket that was merged."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from agents.models import Agent
from agents.views.people import agent_page
from dispatch import cards, fragments, looks, merging
from dispatch.errors import NotToMerge
from dispatch.views.commands import command, epoch_of, key_of, ticket_id_of
from tickets import masking, stream


@never_cache
def merge(request: HttpRequest, public_id: str) -> Any:
    """The form, or with POST what it asks for. With `?part=1` the form alone."""
    return _merge(request, public_id=public_id) if request.method == "POST" else _form(request, public_id)


@agent_page
def _form(request: HttpRequest, agent: Agent, public_id: str) -> HttpResponse:
    return _shown(request, agent, public_id)


def _shown(
    request: HttpRequest, agent: Agent, public_id: str, problem: str = "", status: int = 200
) -> HttpResponse:
    found = next((one for one in cards.on_desk(agent.pk, public_id) if one.wrap_left is None), None)
    if found is None:
        return redirect(reverse("console"))
    shift, entry = looks.look(agent.pk).shift, fragments.entry(found, agent)
    context = {
        "ticket": found.ticket,
        "entry": entry,
        "epoch": shift.epoch if shift else 0,
        "form": "dispatch/parts/merge_form.html",
        "others": [
            {
                "ticket": one,
                "summary": masking.mask(one.summary, masking.surnames(one.customer.name)).text,
            }
            for one in entry["others"]
        ],
        "chosen": request.POST.get("other", ""),
        "problem": problem,
    }
    template = "parts/merge_form.html" if request.GET.get("part") else "of_ticket.html"
    return render(request, f"dispatch/{template}", context, status=status)


def _refused(request: HttpRequest, agent: Agent, refusal: Any) -> HttpResponse | None:
    """The form again, with the words; None when the ticket is no longer with them."""
    assert request.resolver_match is not None
    public_id = request.resolver_match.kwargs["public_id"]
    answer = _shown(request, agent, public_id, str(refusal.detail), refusal.status)
    return answer if answer.status_code == refusal.status else None


@command(refused=_refused)
def _merge(request: HttpRequest, agent: Agent, public_id: str) -> None:
    """`other`: public id of the ticket that is closed."""
    other = request.POST.get("other", "")
    if not other.isascii() or not other:
        raise NotToMerge
    merging.merge(
        agent=agent,
        epoch=epoch_of(request),
        ticket_id=ticket_id_of(public_id),
        other=other,
        key=key_of(request),
    )


@require_safe
@never_cache
@agent_page
def merged(request: HttpRequest, agent: Agent, public_id: str, other: str) -> HttpResponse:
    """What was said in a ticket that was merged into this one, personal data masked. For the holder of this one."""
    into_id = ticket_id_of(public_id)
    ticket = merging.taken_in(agent=agent, ticket_id=into_id, other=other)
    frame = stream.snapshot(ticket, staff=True, reader_id=agent.user_id)
    context = {"ticket": ticket, "into": ticket.merged_into, "items": frame["data"]["messages"]}
    return render(request, "dispatch/merged.html", context)
