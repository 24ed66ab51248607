"""What the composer asks the server for beside its commands: drafts, canned replies."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from agents.models import Agent
from agents.views.people import agent_page
from dispatch import cards, drafts, keys
from dispatch.errors import NotHolder
from dispatch.models import DraftKind
from dispatch.views.commands import command, ticket_id_of
from tickets import canned, signs
from tickets.errors import Refusal


@never_cache
@require_GET
@agent_page
def all_drafts(request: HttpRequest, agent: Agent) -> JsonResponse:  # noqa: ARG001
    """Those of the tickets on the desk."""
    return JsonResponse({"drafts": drafts.of(agent)})


@never_cache
@require_POST
@agent_page
def draft(request: HttpRequest, agent: Agent, public_id: str) -> JsonResponse:
    """Save one. A refusal costs nothing: the text stays in the browser."""
    kind = DraftKind.NOTE if request.POST.get("kind") == DraftKind.NOTE else DraftKind.MESSAGE
    number: int | None = None
    try:
        number = drafts.keep(
            agent=agent, ticket_id=ticket_id_of(public_id), kind=kind, body=request.POST.get("body", "")
        )
    except NotHolder:
        pass  # it has left the desk while they typed, which the page is told by its stream
    except Refusal as refusal:
        return JsonResponse({"code": refusal.code, "detail": str(refusal.detail)}, status=refusal.status)
    return JsonResponse({"number": number})


@never_cache
@require_POST
@agent_page
def sign(request: HttpRequest, agent: Agent, public_id: str) -> HttpResponse:
    """That the holder is typing to the customer (`typing=1`), or up to where they have read (`read`)."""
    found = cards.held_tickets(agent.pk)
    ticket = next((one for one in found if one.public_id == public_id), None)
    if ticket is not None:  # else it has left the desk meanwhile
        if request.POST.get("typing") == "1":
            signs.typing(ticket, signs.Side.AGENT)
        if seq := signs.number(request.POST.get("read", "")):
            signs.read_up_to(ticket, signs.Side.AGENT, seq)
    return HttpResponse(status=204)


@never_cache
def desk_keys(request: HttpRequest) -> Any:
    """Which key does what, to be changed. With `?part=1` the form alone."""
    return _keys_chosen(request) if request.method == "POST" else _keys_asked(request)


@agent_page
def _keys_asked(request: HttpRequest, agent: Agent) -> HttpResponse:
    return _keys_form(request, keys.of(agent))


def _keys_form(
    request: HttpRequest, now: dict[str, str], problem: str = "", status: int = 200
) -> HttpResponse:
    rows = [
        {"action": action, "words": words, "key": now[action]}
        for action, (_key, words) in keys.ACTIONS.items()
    ]
    template = "parts/keys_form.html" if request.GET.get("part") else "keys.html"
    return render(request, f"dispatch/{template}", {"rows": rows, "problem": problem}, status=status)


def _written(request: HttpRequest) -> dict[str, str]:
    return {
        action: request.POST[f"key_{action}"] for action in keys.ACTIONS if f"key_{action}" in request.POST
    }


def _keys_refused(request: HttpRequest, agent: Agent, refusal: Any) -> HttpResponse:
    return _keys_form(request, keys.of(agent) | _written(request), str(refusal.detail), refusal.status)


@command(refused=_keys_refused)
def _keys_chosen(request: HttpRequest, agent: Agent) -> None:
    keys.choose(agent=agent, keys=_written(request))


@never_cache
@require_GET
@agent_page
def canned_replies(request: HttpRequest, agent: Agent, public_id: str) -> JsonResponse:  # noqa: ARG001
    """Those that fit this ticket, with its variables put in."""
    found = cards.on_desk(agent.pk, public_id)
    if not found:
        return JsonResponse({"code": NotHolder.code, "detail": str(NotHolder.default_detail)}, status=403)
    return JsonResponse({"replies": canned.replies(found[0].ticket, agent.name)})
