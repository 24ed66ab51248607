"""What is known of the quality of an agent's work: ratings and reviews that count, how sure they are, and the figure that
matching uses (dispatch/rules/quality.py). What was struck out does not count, what was corrected counts as corrected.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models.functions import Now

from dispatch.models import Outcome, Review, Standing
from dispatch.rules import quality as rules

WINDOW = timedelta(days=180)  # what is older says little about today


@dataclass(frozen=True)
class Judged:
    """A rating of somebody's work, and what became of it when they contested it."""

    agent_id: int
    rating_id: int
    ticket_id: int
    score: int  # 1–5, as the customer gave it
    created_at: datetime
    outcome: str  # "": not contested, or not answered yet
    corrected: float | None

    @property
    def counts(self) -> float | None:
        """0–1; None when it was struck out."""
        if self.outcome == Outcome.STRUCK:
            return None
        return rules.of_rating(self.score) if self.corrected is None else self.corrected


# A rating is of who resolved the ticket last before it was given, as its bonus is (dispatch/paying.py).
_RATINGS = """
    SELECT work.agent_id, r.id, r.ticket_id, r.score, r.created_at, coalesce(c.outcome, ''), c.score
    FROM tickets_rating r
    JOIN LATERAL (
        SELECT o.agent_id FROM dispatch_offer o
        WHERE o.ticket_id = r.ticket_id AND o.state = 'completed' AND o.reason = 'resolved' AND o.ended_at <= r.created_at
        ORDER BY o.ended_at DESC LIMIT 1) work ON true
    LEFT JOIN dispatch_contest c ON c.rating_id = r.id
    WHERE r.created_at > statement_timestamp() - %s::interval
"""


def ratings_of(agent_id: int, within: timedelta | None = None) -> list[Judged]:
    """All ratings of an agent's work, the newest first. One query."""
    tickets = (
        "r.ticket_id IN (SELECT ticket_id FROM dispatch_offer WHERE agent_id = %s AND state = 'completed')"
    )
    return _ratings(f" AND {tickets} AND work.agent_id = %s", [agent_id, agent_id], within)


def _ratings(condition: str, params: list[int], within: timedelta | None) -> list[Judged]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_RATINGS}{condition} ORDER BY r.id DESC",
            [f"{(within or timedelta(days=36_500)).total_seconds()} seconds", *params],
        )
        return [Judged(*row) for row in cursor.fetchall()]


def review_counts(review: Review) -> float | None:
    """0–1; None when it is not written yet or was struck out. Reads its contest."""
    contest = getattr(review, "contest", None)
    if review.score is None or (contest is not None and contest.outcome == Outcome.STRUCK):
        return None
    return contest.score if contest is not None and contest.score is not None else review.score


@dataclass(frozen=True)
class Figures:
    """How an agent's work was judged in WINDOW. Scores are 0–1, `term` −1–1, as matching has it now."""

    ratings: int
    interval: tuple[float, float, float] | None  # (low, mean, high) of the ratings
    reviews: int
    review_mean: float | None
    term: float


def figures(agent_id: int) -> Figures:
    """What the agent's page shows. Three queries, of this agent alone: the term is what was written down for matching, and what
    everybody's judgements amount to is counted by the task that does so, and not at each look.
    """
    rated = [one.counts for one in ratings_of(agent_id, WINDOW)]
    scores = [score for score in rated if score is not None]
    written = [score for score in map(review_counts, _reviews([agent_id])) if score is not None]
    standing = Standing.objects.filter(agent_id=agent_id).values_list("quality", flat=True).first()
    return Figures(
        len(scores),
        rules.interval(scores),
        len(written),
        sum(written) / len(written) if written else None,
        standing or 0.0,
    )


def standings_refresh() -> int:
    """Write down the term of everybody who was judged. Outermost or inner, for a task. Returns how many. Three queries."""
    usual, totals = _all()
    rows = [
        Standing(agent_id=agent_id, quality=rules.term(total, weight, usual), judged=judged)
        for agent_id, (total, weight, judged) in sorted(totals.items())
    ]
    Standing.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["agent"], update_fields=["quality", "judged"]
    )
    gone = Standing.objects.exclude(agent_id__in=totals).exclude(judged=0)
    gone.update(quality=0.0, judged=0)
    return len(rows)


def _sums(ratings: Iterable[float], reviews: Iterable[float]) -> tuple[float, float]:
    rated, written = list(ratings), list(reviews)
    return (
        rules.RATING_COUNTS * sum(rated) + rules.REVIEW_COUNTS * sum(written),
        rules.RATING_COUNTS * len(rated) + rules.REVIEW_COUNTS * len(written),
    )


def _all() -> tuple[float, dict[int, tuple[float, float, int]]]:
    """The usual score; and agent id → (sum of weight × score, sum of weights, judgements). Two queries.

    The usual is itself drawn towards USUAL_AT_FIRST, so that the first bad rating of an installation is not everybody's fault.
    """
    rated: dict[int, list[float]] = defaultdict(list)
    written: dict[int, list[float]] = defaultdict(list)
    for one in _ratings("", [], WINDOW):
        if one.counts is not None:
            rated[one.agent_id].append(one.counts)
    for review in _reviews(None):
        score = review_counts(review)
        if score is not None:
            written[review.agent_id].append(score)
    totals = {
        agent_id: (*_sums(rated[agent_id], written[agent_id]), len(rated[agent_id]) + len(written[agent_id]))
        for agent_id in rated.keys() | written.keys()
    }
    whole = sum(total for total, _weight, _judged in totals.values())
    weight = sum(weight for _total, weight, _judged in totals.values())
    return rules.shrunk(whole, weight, rules.USUAL_AT_FIRST), totals


def _reviews(agent_ids: list[int] | None) -> list[Review]:
    """Written ones of WINDOW with their contests. One query."""
    found = Review.objects.filter(written_at__gt=Now() - WINDOW).select_related("contest")
    return list(found if agent_ids is None else found.filter(agent_id__in=agent_ids))
