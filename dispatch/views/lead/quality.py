"""Reviews and contests for team leads: what waits, what is overdue, and the forms."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.errors import Refusal as AgentRefusal
from agents.models import User
from agents.views.work import SeeOther
from dispatch import contests, reviews
from dispatch.models import Contest, Outcome, Review
from dispatch.views.lead.access import lead_page, read_number
from dispatch.views.rights.judged import write
from tickets.errors import Refusal

SEES_REVIEWS = "dispatch.view_review"
SEES_CONTESTS = "dispatch.view_contest"
ANSWERS = "dispatch.answer_contest"
SHOWN = 50


@lead_page(SEES_REVIEWS)
def review_list(request: HttpRequest) -> HttpResponse:
    """What waits, the oldest first, and what was written of late."""
    assert isinstance(request.user, User)
    written = Review.objects.filter(written_at__isnull=False).select_related(
        "agent", "offer__ticket__topic", "reviewer", "contest"
    )
    context = {
        "waiting": reviews.open_for_lead(request.user).select_related("agent")[:SHOWN],
        "may_review": request.user.has_perm(reviews.REVIEWS),
        "written": [
            {"review": one, "percent": round(100 * (one.score or 0))}
            for one in written.order_by("-written_at")[:20]
        ],
    }
    return render(request, "dispatch/lead/reviews.html", context)


@lead_page(reviews.REVIEWS, methods=("GET", "HEAD", "POST"))
def review(request: HttpRequest, review_id: int) -> HttpResponse:
    """One of them, without the customer's name."""
    assert isinstance(request.user, User)
    template, back = "dispatch/lead/review.html", reverse("lead_reviews")
    return write(request, request.user, review_id, template, back, by_peer=False, extra={})


@lead_page(SEES_CONTESTS)
def contest_list(request: HttpRequest) -> HttpResponse:
    """What waits, the most urgent first, and what was answered of late."""
    return _contests(request)


def _contests(
    request: HttpRequest, problem: tuple[int, str] | None = None, status: int = 200
) -> HttpResponse:
    assert request.user.pk is not None
    answered = Contest.objects.filter(answered_at__isnull=False).select_related("agent", "answered_by")
    context = {
        "waiting": [_row(one, request, problem) for one in contests.waiting()[:SHOWN]],
        "answered": answered.order_by("-answered_at")[:20],
        "outcomes": Outcome.choices,
        "may_answer": request.user.has_perm(ANSWERS),
    }
    return render(request, "dispatch/lead/contests.html", context, status=status)


def _row(contest: Contest, request: HttpRequest, problem: tuple[int, str] | None) -> dict[str, Any]:
    refused = problem is not None and problem[0] == contest.pk
    return {
        "contest": contest,
        "ticket": contest.rating.ticket if contest.rating else contest.review.offer.ticket,  # type: ignore[union-attr]
        "criteria": reviews.in_words(contest.review) if contest.review else [],
        "overdue": contest.due_at < timezone.now(),
        "mine": request.user.pk in (contest.reviewer_id, contest.agent.user_id),
        "problem": problem[1] if refused and problem else "",
        "said": request.POST if refused else {},
    }


@lead_page(ANSWERS, methods=("POST",))
def contest_answer(request: HttpRequest, contest_id: int) -> HttpResponse:
    """A person's answer."""
    assert isinstance(request.user, User)
    outcome = request.POST.get("outcome", "")
    try:
        contests.answer(
            contest_id=contest_id,
            by=request.user,
            outcome=outcome if outcome in Outcome.values else Outcome.STANDS,
            answer=request.POST.get("answer", "")[:4000],
            score=_score(request.POST.get("score", "")),
        )
    except (Refusal, AgentRefusal) as refusal:
        return _contests(request, (contest_id, str(refusal.detail)), refusal.status)
    except Contest.DoesNotExist:
        return render(request, "problem.html", {"status": 404}, status=404)
    messages.success(request, _("Answered. The agent is told here and by mail."))
    return SeeOther(reverse("lead_contests"))


def _score(text: str) -> int | None:
    number = read_number(text)
    return number if 1 <= number <= 5 else None
