"""What team leads open and do from the wallboard. Each act has a page of its own that says what it does and asks why."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

import agents.errors
import tickets.errors
from agents.models import Agent, Pool, Shift, Skill, User
from dispatch import alerts, calling, leading, passing, routes
from dispatch.models import Alert, LeadAction, Offer, OfferState
from dispatch.views.commands import key_of
from dispatch.views.lead.access import lead_page, read_number
from dispatch.wall import figures
from dispatch.words import ticket_lines
from tickets.models import Ticket, TicketState

SEES_TICKETS = "tickets.view_ticket"
SEES_PEOPLE = "agents.view_shift"
SEES_ACTS = "dispatch.view_leadaction"
PAGE = 100
MOST_CALLED = 200
Refusal = (tickets.errors.Refusal, agents.errors.Refusal)


def act(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """A page of an act: for who may intervene."""
    return lead_page(leading.INTERVENE, methods=("GET", "HEAD", "POST"))(view)


def _lead(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@lead_page(SEES_TICKETS)
def queue(request: HttpRequest) -> HttpResponse:
    """What waits, the oldest first. Two queries, beside who asks."""
    found = Ticket.objects.filter(state=TicketState.WAITING).select_related("topic", "customer")
    context = {
        "rows": found.order_by("waiting_since", "id")[:PAGE],
        "now": timezone.now(),
        "most": PAGE,
        "whole": found.count(),
    }
    return render(request, "dispatch/lead/queue.html", context)


@lead_page(SEES_TICKETS)
def ticket(request: HttpRequest, public_id: str) -> HttpResponse:
    """A ticket to read: what was said, masked, its timeline, and who was asked."""
    return _ticket_page(request, public_id)


def _ticket_page(request: HttpRequest, public_id: str, status: int = 200, **more: Any) -> HttpResponse:
    found = (
        Ticket.objects.filter(Ticket.REAL, public_id=public_id).select_related("topic", "customer").first()
    )
    if found is None:
        raise Http404
    offers = list(Offer.objects.filter(ticket=found).select_related("agent").order_by("-id")[:PAGE])
    holder = next((one for one in offers if one.state == OfferState.ACCEPTED), None)
    may = request.user.has_perm(leading.INTERVENE)
    movable = may and found.state in (TicketState.WAITING, TicketState.HELD)
    context = {
        "ticket": found,
        "lines": ticket_lines(found, timezone.get_current_timezone()),
        "offers": offers,
        "holder": holder,
        "may_intervene": may,
        "targets": passing.targets_of(found, but=holder.agent_id if holder else None) if movable else None,
        "acts": LeadAction.objects.filter(ticket=found).select_related("by", "agent"),
        "form_key": uuid.uuid4().hex,
        "now": timezone.now(),
    }
    return render(request, "dispatch/lead/ticket.html", context | more, status=status)


@act
def whisper(request: HttpRequest, public_id: str) -> HttpResponse:
    """A note to whoever has the ticket; `body`."""
    found = get_object_or_404(Ticket.objects.filter(Ticket.REAL), public_id=public_id)
    if request.method != "POST":
        return redirect("lead_ticket", public_id)
    body = request.POST.get("body", "")
    try:
        leading.whisper(lead=_lead(request), ticket_id=found.pk, body=body, key=key_of(request))
    except Refusal as refusal:
        more = {"whisper_problem": str(refusal.detail), "body": body}
        return _ticket_page(request, public_id, refusal.status, **more)
    messages.success(request, _("Whispered. The customer does not see it."))
    return redirect("lead_ticket", public_id)


@act
def reassign(request: HttpRequest, public_id: str) -> HttpResponse:
    """`to`: pool-<number> or agent-<number>; `why`."""
    found = get_object_or_404(Ticket.objects.filter(Ticket.REAL), public_id=public_id)
    if request.method != "POST":
        return redirect("lead_ticket", public_id)
    kind, _dash, number = request.POST.get("to", "").partition("-")
    whom = read_number(number) or None
    why = request.POST.get("why", "")
    try:
        leading.reassign(
            lead=_lead(request),
            ticket_id=found.pk,
            why=why,
            pool_id=whom if kind == "pool" else None,
            to_agent_id=whom if kind == "agent" else None,
            key=key_of(request),
        )
    except Refusal as refusal:
        more = {"reassign_problem": str(refusal.detail), "why": why, "to": request.POST.get("to", "")}
        return _ticket_page(request, public_id, refusal.status, **more)
    figures.forget()
    messages.success(request, _("Reassigned. It keeps its age."))
    return redirect("lead_ticket", public_id)


@lead_page(SEES_PEOPLE)
def people(request: HttpRequest) -> HttpResponse:
    """Everybody with an open shift. Two queries, beside who asks."""
    found = (
        Shift.objects.filter(ended_at__isnull=True, practice=False)
        .select_related("agent", "lease")
        .annotate(
            held=Count("offers", filter=Q(offers__state=OfferState.ACCEPTED)),
            asked=Count("offers", filter=Q(offers__state=OfferState.PENDING)),
        )
        .order_by("agent__name", "agent_id")
    )
    context = {
        "rows": found,
        "may_intervene": request.user.has_perm(leading.INTERVENE),
        "now": timezone.now(),
    }
    return render(request, "dispatch/lead/people.html", context)


@act
def offline(request: HttpRequest, agent_id: int) -> HttpResponse:
    """Asks why, and says what follows; with POST it is done."""
    agent = get_object_or_404(Agent, pk=agent_id)
    shift = Shift.objects.filter(agent=agent, ended_at__isnull=True).first()
    context: dict[str, Any] = {
        "agent": agent,
        "shift": shift,
        "held": Offer.objects.filter(shift=shift, state=OfferState.ACCEPTED).count() if shift else 0,
    }
    status = 200
    if request.method == "POST":
        why = request.POST.get("why", "")
        try:
            leading.force_offline(lead=_lead(request), agent_id=agent.pk, why=why)
        except Refusal as refusal:
            context |= {"problem": str(refusal.detail), "why": why}
            status = refusal.status
        else:
            figures.forget()
            messages.success(request, _("%(name)s is offline now.") % {"name": agent.name})
            return redirect("lead_people")
    return render(request, "dispatch/lead/offline.html", context, status=status)


@act
def call_in(request: HttpRequest) -> HttpResponse:
    """`pool`, `why`; with POST people of that pool are called. From the forecast also `people` (at most) and `skill`."""
    pools = list(Pool.objects.filter(pk__in=routes.routes().pools()))
    given = request.POST if request.method == "POST" else request.GET
    skill = Skill.objects.filter(pk=read_number(given.get("skill", ""))).first()
    people = min(read_number(given.get("people", "")), MOST_CALLED) or None
    context: dict[str, Any] = {
        "skill": skill,
        "people": people,
        "pools": [
            (pool, calling.could_be_called(pool_id=pool.pk, skill_id=skill.pk if skill else None))
            for pool in pools
        ],
        "chosen": read_number(request.POST.get("pool", request.GET.get("pool", ""))),
        "form_key": uuid.uuid4().hex,
    }
    status = 200
    if request.method == "POST":
        why = request.POST.get("why", "")
        try:
            if context["chosen"] not in {pool.pk for pool in pools}:
                raise Http404
            called = leading.call_in(
                lead=_lead(request),
                pool_id=context["chosen"],
                why=why,
                skill_id=skill.pk if skill and people else None,
                people=people,
                key=key_of(request),
            )
        except Refusal as refusal:
            context |= {"problem": str(refusal.detail), "why": why}
            status = refusal.status
        else:
            told = ngettext("%(count)d person is called.", "%(count)d people are called.", called)
            if called:
                messages.success(request, told % {"count": called})
            else:
                messages.warning(
                    request,
                    _("Nobody could be called: nobody has agreed to it, or they were called not long ago."),
                )
            return redirect("lead_call_in")
    return render(request, "dispatch/lead/call_in.html", context, status=status)


@lead_page(SEES_ACTS)
def acts(request: HttpRequest) -> HttpResponse:
    """What team leads did, newest first; `before` is a cursor. Two queries, beside who asks."""
    before = read_number(request.GET.get("before", ""))
    found = LeadAction.objects.select_related("by", "agent", "ticket__customer").order_by("-pk")
    rows = list((found.filter(pk__lt=before) if before else found)[: PAGE + 1])
    context = {"rows": rows[:PAGE], "older": rows[PAGE - 1].pk if len(rows) > PAGE else 0, "before": before}
    return render(request, "dispatch/lead/acts.html", context)


@act
def acknowledge(request: HttpRequest, alert_id: int) -> HttpResponse:
    """They see to it: it is not told again while it lasts."""
    get_object_or_404(Alert, pk=alert_id)
    if request.method == "POST":
        try:
            alerts.acknowledge(lead=_lead(request), alert_id=alert_id)
        except Refusal as refusal:
            messages.warning(request, str(refusal.detail))
        figures.forget()
    return redirect("lead_wallboard")
