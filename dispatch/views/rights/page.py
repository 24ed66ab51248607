"""Rights at one glance: how offers are made, what was decided, my ratings, what is measured, a person, my data, leaving."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from agents import notices, rights
from agents.errors import Refusal
from agents.models import Agent, DataExport, Inquiry, InquiryKind, Leaving, Notice
from agents.views.people import agent_page
from agents.views.work import SeeOther
from dispatch import contests, decisions, quality, reviews
from dispatch.models import Contest, Policy, Review
from tickets.models import Rating

NOTICES = 5
ROWS = 10


@require_safe
@never_cache
@agent_page
def rights_page(request: HttpRequest, agent: Agent) -> HttpResponse:
    """All of it. `page` pages the ratings."""
    return page(request, agent)


def page(
    request: HttpRequest, agent: Agent, *, problem: str = "", text: str = "", status: int = 200
) -> HttpResponse:
    """The page; `problem` and `text` are of a question that was refused."""
    policies = list(Policy.objects.filter(current=True, pool__members=agent).select_related("pool"))
    figures = quality.figures(agent.pk)
    context: dict[str, Any] = {
        "agent": agent,
        "policies": [
            {"pool": policy.pool, "people": decisions.weights_in_words(policy)[0]} for policy in policies
        ],
        "figures": figures,
        "rating": dict(
            zip(("low", "mean", "high"), (1 + 4 * one for one in figures.interval or ()), strict=False)
        ),
        "review_percent": round(100 * (figures.review_mean or 0)),
        "ratings": _ratings(agent, request.GET.get("page", "")),
        "reviews": [_review(one) for one in _reviews(agent)],
        "peer_reviews": len(reviews.open_for_peer(agent)),
        "notices": [
            {"notice": one, "says": notices.WORDS[one.kind][1]}
            for one in Notice.objects.filter(agent=agent)[:NOTICES]
        ],
        "inquiries": Inquiry.objects.filter(agent=agent)[:ROWS],
        "kinds": InquiryKind.choices,
        "answer_days": rights.ANSWER_WITHIN.days,
        "contest_days": contests.ANSWER_WITHIN.days,
        "window_days": quality.WINDOW.days,
        "exports": DataExport.objects.filter(agent=agent).defer("content")[:3],
        "now": timezone.now(),
        "kept_days": rights.EXPORT_KEPT.days,
        "leaving": Leaving.objects.filter(agent=agent).first(),
        "problem": problem,
        "text": text,
    }
    return render(request, "dispatch/rights/page.html", context, status=status)


def _ratings(agent: Agent, number: str) -> Any:
    """A page of ratings, with the row, its ticket and its contest. Three queries."""
    found: Any = Paginator(quality.ratings_of(agent.pk), ROWS).get_page(number)
    ids = [one.rating_id for one in found.object_list]
    rows = {
        one.pk: one
        for one in Rating.objects.filter(pk__in=ids).select_related("ticket__topic", "ticket__customer")
    }
    mine = {one.rating_id: one for one in Contest.objects.filter(rating__in=ids)}
    found.object_list = [
        {"rating": rows[pk], "contest": mine.get(pk), "corrected": stars(mine.get(pk))}
        for pk in ids
        if pk in rows
    ]
    return found


def stars(contest: Contest | None) -> float | None:
    """A corrected score as 1–5."""
    return None if contest is None or contest.score is None else 1 + 4 * contest.score


def _reviews(agent: Agent) -> Any:
    written = Review.objects.filter(agent=agent, written_at__isnull=False)
    return written.select_related("offer__ticket__topic", "contest").order_by("-written_at")[:ROWS]


def _review(review: Review) -> dict[str, Any]:
    contest = getattr(review, "contest", None)
    return {
        "review": review,
        "ticket": review.offer.ticket,
        "criteria": reviews.in_words(review),
        "percent": round(100 * (review.score or 0)),
        "contest": contest,
        "corrected": stars(contest),
    }


@require_POST
@agent_page
def ask(request: HttpRequest, agent: Agent) -> HttpResponse:
    """A question to a person."""
    kind, text = request.POST.get("kind", ""), request.POST.get("text", "")[:4000]
    try:
        rights.inquiry_ask(
            agent_id=agent.pk, kind=kind if kind in InquiryKind.values else InquiryKind.OTHER, text=text
        )
    except Refusal as refusal:
        return page(request, agent, problem=str(refusal.detail), text=text, status=refusal.status)
    messages.success(request, _("We have your question. A person answers it, here and by mail."))
    return SeeOther(reverse("rights") + "#person")
