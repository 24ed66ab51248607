"""An agent says why a rating or a review should not count as it does; a person who did not write it answers, in time.

Contest and answer stay as they are, and so does the rating: what counts is read with the contest (dispatch/quality.py).
"""

from datetime import timedelta

from django.db import IntegrityError
from django.db.models import QuerySet
from django.db.models.functions import Now

from agents import rights
from agents.errors import AlreadyAnswered, OwnCase, SamePerson, TextMissing
from agents.models import NoticeKind, User
from agents.onboarding import role_of
from dispatch import paying
from dispatch.errors import AlreadyContested, NotContestable, ScoreMissing
from dispatch.models import Contest, Outcome, Review
from dispatch.quality import ratings_of
from dispatch.rules.quality import of_rating
from tickets import timeline

ANSWER_WITHIN = timedelta(days=7)  # what the page promises


def contest_rating(*, agent_id: int, rating_id: int, text: str) -> Contest:
    """Against a customer's rating. Outermost. Raises TextMissing, NotContestable, AlreadyContested."""
    if not any(one.rating_id == rating_id for one in ratings_of(agent_id)):
        raise NotContestable
    return _contest(agent_id, text, rating_id=rating_id)


def contest_review(*, agent_id: int, review_id: int, text: str) -> Contest:
    """Against a review of a ticket. Outermost. Raises TextMissing, NotContestable, AlreadyContested."""
    review = Review.objects.filter(pk=review_id, agent_id=agent_id, written_at__isnull=False).first()
    if review is None:
        raise NotContestable
    return _contest(agent_id, text, review_id=review_id, reviewer_id=review.reviewer_id)


def _contest(agent_id: int, text: str, **of: int | None) -> Contest:
    text = text.strip()
    if not text:
        raise TextMissing
    try:
        with timeline.command():
            return Contest.objects.create(agent_id=agent_id, text=text, due_at=Now() + ANSWER_WITHIN, **of)
    except IntegrityError:
        raise AlreadyContested from None


def answer(*, contest_id: int, by: User, outcome: str, answer: str, score: int | None = None) -> Contest:
    """A person answers: it stands, it is corrected to `score` (1–5), or struck out. Outermost; the agent is told,
    and a customer's rating that is corrected far enough brings its bonus.

    Raises TextMissing, ScoreMissing, OwnCase, SamePerson (whoever wrote the review), AlreadyAnswered.
    """
    answer = answer.strip()
    if not answer:
        raise TextMissing
    corrected = of_rating(score) if outcome == Outcome.CORRECTED and score is not None else None
    if outcome == Outcome.CORRECTED and corrected is None:
        raise ScoreMissing
    with timeline.command():
        found = Contest.objects.select_related("agent").get(pk=contest_id)
        if found.agent.user_id == by.pk:
            raise OwnCase
        if found.reviewer_id == by.pk:
            raise SamePerson
        answered = Contest.objects.filter(pk=contest_id, answered_at__isnull=True).update(
            outcome=outcome,
            score=corrected,
            answer=answer,
            answered_by=by,
            role=role_of(by),
            answered_at=Now(),
        )
        if not answered:
            raise AlreadyAnswered
        if found.rating_id is not None and corrected is not None and score is not None:
            paying.rating_corrected(rating_id=found.rating_id, score=score)
        rights.tell(found.agent_id, NoticeKind.CONTEST, answer)
    found.refresh_from_db()
    return found


def waiting() -> QuerySet[Contest]:
    """Not answered yet, those that are due first at the top."""
    return (
        Contest.objects.filter(answered_at__isnull=True)
        .select_related(
            "agent",
            "rating__ticket__topic",
            "rating__ticket__customer",
            "review__offer__ticket__topic",
            "reviewer",
        )
        .order_by("due_at")
    )
