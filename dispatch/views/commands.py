"""What the console sends: each is one call of a service, and answers with what is new.

To fetch: JSON {"frames": […]}, and with a refusal also {"code", "detail"} under its status. To a plain form: back to the
console, which shows how things are now, with the refusal's words as a notice; a text that was refused stands in its composer
again, with the words beside it. Never an error page.
"""

import json
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

import agents.errors
import tickets.errors
from agents.models import Agent
from agents.views.people import agent_of, no_agent
from dispatch import correcting, desk, news, presence, resolving, words, wrap_up
from dispatch.automatic import auto_accept_choose
from dispatch.errors import NotHolder
from dispatch.offers import offer_accept, offer_decline
from dispatch.views.console import page
from tickets.attachments import Inspected
from tickets.forms import files_read
from tickets.models import Ticket

Refusal = (tickets.errors.Refusal, agents.errors.Refusal)
Command = Callable[..., dict[str, Any] | None]
KEY_LENGTH = 90  # of a key


Refused = Callable[[HttpRequest, Agent, Any], HttpResponse | None]
Done = Callable[[HttpRequest, Agent, dict[str, Any]], HttpResponse]


def command(
    refused: Refused | None = None, done: Done | None = None
) -> Callable[[Command], Callable[..., HttpResponseBase]]:
    """A view of a command `act(request, agent, …)`; what it returns stands in the JSON answer beside the frames.

    `refused`: what a plain form gets with a refusal, `done`: what it gets else; without them, the console.
    """

    def of(act: Command) -> Callable[..., HttpResponseBase]:
        @never_cache
        @require_POST
        @wraps(act)
        def view(request: HttpRequest, **names: Any) -> HttpResponseBase:
            agent = agent_of(request)
            if agent is None:
                return _not_an_agent(request)
            refusal: tickets.errors.Refusal | agents.errors.Refusal | None = None
            more: dict[str, Any] = {}
            try:
                more = act(request, agent, **names) or {}
            except Refusal as error:
                refusal = error
                if refused and not wants_json(request) and (shown := refused(request, agent, error)):
                    return shown
            if refusal is None and done and not wants_json(request):
                return done(request, agent, more)
            return _answer(request, agent, refusal, more)

        return view

    return of


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _answer(
    request: HttpRequest,
    agent: Agent,
    refusal: tickets.errors.Refusal | agents.errors.Refusal | None,
    more: dict[str, Any],
) -> HttpResponse:
    if wants_json(request):
        body: dict[str, Any] = {"frames": news.frames(agent, _after(request), get_language() or "en")} | more
        if refusal is not None:
            body |= {"code": refusal.code, "detail": str(refusal.detail)}
        return JsonResponse(body, status=refusal.status if refusal else 200)
    ticket = request.resolver_match.kwargs.get("public_id", "") if request.resolver_match else ""
    if refusal is not None:
        if (request.POST.get("body", "").strip() or request.FILES) and (kept := _kept(request, refusal)):
            return page(request, agent, ticket, kept, refusal.status)
        messages.warning(request, str(refusal.detail))
    return redirect(reverse("console") + (f"?ticket={ticket}" if ticket else ""))


def _kept(
    request: HttpRequest, refusal: tickets.errors.Refusal | agents.errors.Refusal
) -> dict[str, Any] | None:
    """What was written into a composer and refused, for the page that shows it again; None when it was another form."""
    match = request.resolver_match
    if match is None or match.url_name not in ("console_reply", "console_note"):
        return None
    return {
        "ticket": match.kwargs["public_id"],
        "kind": "note" if match.url_name == "console_note" else "message",
        "body": request.POST.get("body", ""),
        "files_lost": bool(request.FILES),
        "problem": str(refusal.detail),
    }


def _not_an_agent(request: HttpRequest) -> HttpResponse:
    signed_out = not request.user.is_authenticated
    if wants_json(request):
        detail = _("You are signed out.") if signed_out else _("This account is not an agent.")
        code = "signed_out" if signed_out else "not_an_agent"
        return JsonResponse({"code": code, "detail": detail, "frames": []}, status=401 if signed_out else 403)
    return redirect("account_login") if signed_out else no_agent(request)


def _after(request: HttpRequest) -> dict[str, int]:
    """The page's numbers, {stream: number}; what cannot be read counts as unknown."""
    try:
        after = json.loads(request.POST.get("after", "{}"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(after, dict):
        return {}
    return {name: seq for name, seq in after.items() if type(seq) is int and 0 <= seq < 2**31}


def epoch_of(request: HttpRequest) -> int:
    """The shift that the page believes in; 0, which no shift has, when it says none."""
    text = request.POST.get("epoch", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def key_of(request: HttpRequest) -> str:
    """The Idempotency-Key: of the header, else of the form; else a fresh one."""
    key = request.headers.get("Idempotency-Key") or request.POST.get("key", "")
    return key[:KEY_LENGTH].replace("\x00", "") or uuid.uuid4().hex


@command()
def shift(request: HttpRequest, agent: Agent, action: str) -> None:
    """The switch."""
    key, epoch = key_of(request), epoch_of(request)
    if action == "online":
        presence.go_online(agent_id=agent.pk, key=key)
    elif action == "pause":
        presence.pause(agent_id=agent.pk, epoch=epoch, key=key)
    elif action == "finish":
        presence.finish(agent_id=agent.pk, epoch=epoch, key=key)
    elif action == "offline":
        presence.go_offline(agent_id=agent.pk, epoch=epoch, key=key)
    else:
        raise Http404


@command()
def auto_accept(request: HttpRequest, agent: Agent) -> None:
    """The switch that accepts: on for `on=1`."""
    auto_accept_choose(agent_id=agent.pk, on=request.POST.get("on") == "1", key=key_of(request))


@command()
def accept(request: HttpRequest, agent: Agent, offer_id: int) -> None:
    offer_accept(offer_id=offer_id, agent_id=agent.pk, epoch=epoch_of(request))


@command()
def decline(request: HttpRequest, agent: Agent, offer_id: int) -> None:
    reason = request.POST.get("reason", "")
    known = reason if reason in words.reasons_decline() else ""
    offer_decline(offer_id=offer_id, agent_id=agent.pk, epoch=epoch_of(request), reason=known)


def ticket_id_of(public_id: str) -> int:
    """The ticket's id. A ticket that is not there is refused like one that is with somebody else."""
    found = Ticket.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
    if found is None:
        raise NotHolder
    return found


def _written(request: HttpRequest) -> tuple[str, list[Inspected]]:
    """Text and files of a composer, the files inspected as those of customers are. Raises a FileRefused."""
    return request.POST.get("body", ""), files_read(request.FILES.getlist("files"))


@command()
def reply(request: HttpRequest, agent: Agent, public_id: str) -> None:
    """Send; with `then=resolve` the ticket is resolved some seconds later, unless that is undone."""
    ticket_id, epoch, key = ticket_id_of(public_id), epoch_of(request), key_of(request)
    body, files = _written(request)
    desk.reply(
        agent=agent,
        epoch=epoch,
        ticket_id=ticket_id,
        body=body,
        files=files,
        then_resolve=request.POST.get("then") == "resolve",
        key=key,
    )


@command()
def note(request: HttpRequest, agent: Agent, public_id: str) -> None:
    ticket_id, epoch, key = ticket_id_of(public_id), epoch_of(request), key_of(request)
    body, files = _written(request)
    desk.note(agent=agent, epoch=epoch, ticket_id=ticket_id, body=body, files=files, key=key)


@command()
def resolve(request: HttpRequest, agent: Agent, public_id: str) -> None:
    desk.resolve(agent=agent, epoch=epoch_of(request), ticket_id=ticket_id_of(public_id), key=key_of(request))


@command()
def undo(request: HttpRequest, agent: Agent, public_id: str) -> None:
    """Not to be resolved after all."""
    resolving.undo(
        agent=agent, epoch=epoch_of(request), ticket_id=ticket_id_of(public_id), key=key_of(request)
    )


@command()
def done(request: HttpRequest, agent: Agent, public_id: str) -> None:
    """Through with the wrap-up before its time."""
    wrap_up.done(agent=agent, epoch=epoch_of(request), ticket_id=ticket_id_of(public_id), key=key_of(request))


@command()
def hand_back(request: HttpRequest, agent: Agent, public_id: str) -> None:
    reason = request.POST.get("reason", "")
    desk.hand_back(
        agent=agent,
        epoch=epoch_of(request),
        ticket_id=ticket_id_of(public_id),
        reason=reason if reason in words.reasons_back() else "",
        key=key_of(request),
    )


@command()
def topic(request: HttpRequest, agent: Agent, public_id: str) -> None:
    """The ticket is about something else."""
    correcting.topic_correct(
        agent=agent,
        epoch=epoch_of(request),
        ticket_id=ticket_id_of(public_id),
        topic_key=request.POST.get("topic", ""),
        key=key_of(request),
    )


@command()
def fresh(request: HttpRequest, agent: Agent) -> None:
    """The poll of a page whose socket is down: renews the lease as a beat does, and answers with what is new."""
    epoch = epoch_of(request)
    if epoch:
        try:
            presence.beat(agent_id=agent.pk, epoch=epoch)
        except (agents.errors.ShiftEnded, agents.errors.NotOnline):
            return  # the frames say so
