"""Having one place shown that is masked: a page with the form, which the console's script shows in a dialog; and the answer."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from agents.models import Agent
from agents.views.people import agent_page
from dispatch import cards, fragments, looks, reveals
from dispatch.errors import NothingHidden
from dispatch.models import RevealReason
from dispatch.views.commands import command, epoch_of, key_of, ticket_id_of


@never_cache
def reveal(request: HttpRequest, public_id: str, place: str) -> Any:
    """The form, or with POST what was asked for. With `?part=1` the form alone. Never kept by a browser."""
    view = _shown if request.method == "POST" else _asked
    return view(request, public_id=public_id, place=place)


@agent_page
def _asked(request: HttpRequest, agent: Agent, public_id: str, place: str) -> HttpResponse:
    return _form(request, agent, public_id, place)


def _form(
    request: HttpRequest, agent: Agent, public_id: str, place: str, refusal: Any = None
) -> HttpResponse:
    found = next((one for one in cards.on_desk(agent.pk, public_id) if one.wrap_left is None), None)
    try:
        kinds = reveals.hidden(found.ticket.pk, place, agent.user_id).kinds if found else []
    except NothingHidden:
        kinds = []
    if found is None or not kinds:
        return redirect(reverse("console"))
    shift = looks.look(agent.pk).shift
    context: dict[str, Any] = {
        "ticket": found.ticket,
        "place": place,
        "what": reveals.kinds_in_words(kinds),
        "reasons": RevealReason.choices,
        "entry": fragments.entry(found, agent),
        "epoch": shift.epoch if shift else 0,
        "chosen": request.POST.get("reason", ""),
        "words": request.POST.get("words", ""),
        "problem": str(refusal.detail) if refusal else "",
    }
    template = "parts/reveal_form.html" if request.GET.get("part") else "reveal.html"
    return render(request, f"dispatch/{template}", context, status=refusal.status if refusal else 200)


def _refused(request: HttpRequest, agent: Agent, refusal: Any) -> HttpResponse | None:
    assert request.resolver_match is not None
    names = request.resolver_match.kwargs
    answer = _form(request, agent, names["public_id"], names["place"], refusal)
    return answer if answer.status_code == refusal.status else None


def _done(request: HttpRequest, agent: Agent, more: dict[str, Any]) -> HttpResponse:  # noqa: ARG001
    """To a form without the script: a page with what was hidden, and nothing else."""
    assert request.resolver_match is not None
    context = {"public_id": request.resolver_match.kwargs["public_id"], "found": more["revealed"]}
    return render(request, "dispatch/revealed.html", context)


@command(refused=_refused, done=_done)
def _shown(request: HttpRequest, agent: Agent, public_id: str, place: str) -> dict[str, Any]:
    found = reveals.reveal(
        agent=agent,
        epoch=epoch_of(request),
        ticket_id=ticket_id_of(public_id),
        place=place,
        reason=request.POST.get("reason", ""),
        words=request.POST.get("words", ""),
        key=key_of(request),
    )
    return {"revealed": found._asdict() | {"ticket": public_id}}
