"""Contesting a rating or a review; and reviewing colleagues' tickets, for whoever may."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from agents.errors import Refusal as AgentRefusal
from agents.models import Agent, User
from agents.views.people import agent_page
from agents.views.work import SeeOther
from dispatch import contests, quality, reviews
from dispatch.models import Review
from dispatch.rules.quality import CRITERIA, MOST_POINTS
from tickets.errors import Refusal
from tickets.models import Rating


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@agent_page
def contest(request: HttpRequest, agent: Agent, kind: str, of: str) -> HttpResponse:
    """The form with what is contested, and with POST the contest. `kind`: rating or review."""
    number = int(of)  # digits, by the address
    context: dict[str, Any] = {"agent": agent, "kind": kind, "days": contests.ANSWER_WITHIN.days}
    if kind == "rating":
        if not any(one.rating_id == number for one in quality.ratings_of(agent.pk)):
            raise Http404
        context["rating"] = get_object_or_404(
            Rating.objects.select_related("ticket__topic", "ticket__customer"), pk=number
        )
    else:
        mine = Review.objects.filter(agent=agent, written_at__isnull=False).select_related("offer__ticket")
        context["review"] = found = get_object_or_404(mine, pk=number)
        context["criteria"] = reviews.in_words(found)
    if request.method != "POST":
        return render(request, "dispatch/rights/contest.html", context)
    text = request.POST.get("text", "")[:4000]
    try:
        if kind == "rating":
            contests.contest_rating(agent_id=agent.pk, rating_id=number, text=text)
        else:
            contests.contest_review(agent_id=agent.pk, review_id=number, text=text)
    except (Refusal, AgentRefusal) as refusal:
        context |= {"problem": str(refusal.detail), "text": text}
        return render(request, "dispatch/rights/contest.html", context, status=refusal.status)
    messages.success(request, _("We have your contest. A person answers it, here and by mail."))
    return SeeOther(reverse("rights") + "#judged")


@require_safe
@never_cache
@agent_page
def peer_list(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Tickets of colleagues that this agent may review."""
    context = {"agent": agent, "reviews": reviews.open_for_peer(agent)}
    return render(request, "dispatch/rights/reviews.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@agent_page
def peer(request: HttpRequest, agent: Agent, review_id: int) -> HttpResponse:
    """One of them: what was said, without names, and the form."""
    template, back = "dispatch/rights/review.html", reverse("rights_reviews")
    return write(request, agent.user, review_id, template, back, by_peer=True, extra={"agent": agent})


def write(
    request: HttpRequest,
    by: User,
    review_id: int,
    template: str,
    back: str,
    *,
    by_peer: bool,
    extra: dict[str, Any],
) -> HttpResponse:
    """The page of one review, for colleagues and for leads; with POST it is written."""
    if not reviews.may_write(review_id, by, by_peer=by_peer):
        raise Http404
    found = Review.objects.select_related(
        "offer__ticket__topic", "offer__ticket__customer", "agent__user"
    ).get(pk=review_id)
    said = {key: request.POST.get(key, "") for key in CRITERIA}
    text, problem, status = request.POST.get("text", "")[:4000], "", 200
    if request.method == "POST":
        points = {key: int(value) for key, value in said.items() if value in map(str, range(MOST_POINTS + 1))}
        try:
            reviews.write(review_id=review_id, by=by, by_peer=by_peer, points=points, text=text)
        except Refusal as refusal:
            problem, status = str(refusal.detail), refusal.status
        else:
            messages.success(request, _("Thank you. The agent sees your review, and not your name."))
            return SeeOther(back)
    context = extra | {
        "review": found,
        "ticket": found.offer.ticket,
        "thread": reviews.thread(found.offer.ticket, found.agent),
        "criteria": [one | {"chosen": said[one["key"]]} for one in reviews.in_words(found)],
        "scale": [str(points) for points in range(MOST_POINTS + 1)],
        "text": text,
        "problem": problem,
        "back": back,
    }
    return render(request, template, context, status=status)
