"""Reviews of a sample of resolved tickets: drawn by chance, written by a lead or an experienced colleague, shown to the agent.

Drawn tickets are found by a task (`draw`), by the share that the pool's policy names and a hash that nobody can foresee without
the installation's secret. Reviewing is not paid yet: it is done by team leads, or by colleagues who want to.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents import rights
from agents.models import Agent, AgentSkill, AgentStatus, NoticeKind, User
from dispatch import routes
from dispatch.errors import NotToReview, ReviewIncomplete
from dispatch.models import Offer, OfferState, Policy, Review
from dispatch.rules import quality as rules
from tickets import masking, timeline
from tickets.models import Message, Ticket

REVIEWS = "dispatch.change_review"  # the permission of team leads
LOOKED_BACK = timedelta(days=2)  # for so long a worker may have been away
SHOWN = 50

NAMES: Mapping[str, tuple[Promise, Promise]] = {
    "solved": (
        gettext_lazy("Solved"),
        gettext_lazy("The customer’s matter is done, or it is clear what comes next."),
    ),
    "correct": (gettext_lazy("Correct"), gettext_lazy("What was said is right, and by the rules.")),
    "clear": (
        gettext_lazy("Clear"),
        gettext_lazy("Short sentences, no riddles, in the customer’s language."),
    ),
    "kind": (gettext_lazy("Friendly"), gettext_lazy("Polite and patient, also when it is difficult.")),
}


def draw() -> int:
    """Draw the sample from what was resolved of late. Safe twice and late, for a task. Returns how many were drawn.

    A resolution is in the sample or not by its number, so looking again finds the same.
    """
    percent = dict(Policy.objects.filter(current=True).values_list("pool_id", "review_percent"))
    resolved = (
        Offer.objects.filter(
            ~Exists(Review.objects.filter(offer=OuterRef("pk"))),
            state=OfferState.COMPLETED,
            reason="resolved",
            ended_at__gt=Now() - LOOKED_BACK,
            run__pool_id__in=[pool for pool, share in percent.items() if share],
        )
        .order_by("pk")
        .values_list("pk", "agent_id", "run__pool_id")
    )
    rows = [
        Review(offer_id=offer_id, agent_id=agent_id)
        for offer_id, agent_id, pool_id in resolved
        if rules.drawn(offer_id, percent[pool_id], settings.SECRET_KEY)
    ]
    Review.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def open_for_lead(user: User) -> QuerySet[Review]:
    """What waits to be reviewed and is not about the reader's own work, the oldest first."""
    return _open().exclude(agent__user=user)


def open_for_peer(agent: Agent) -> list[Review]:
    """What this agent may review: of others, in topics whose required skills they have at the policy's level. Five queries."""
    if agent.status != AgentStatus.ADMITTED or agent.leaving_since is not None:
        return []
    levels = dict(AgentSkill.objects.filter(agent=agent).values_list("skill_id", "level"))
    least = dict(
        Policy.objects.filter(current=True, peer_level__gt=0, pool__members=agent).values_list(
            "pool_id", "peer_level"
        )
    )
    plan = routes.routes()
    found = []
    mine = Offer.objects.filter(
        ticket=OuterRef("offer__ticket"), agent=agent, state__in=(OfferState.COMPLETED, OfferState.RELEASED)
    )
    for review in _open().filter(~Exists(mine), offer__run__pool_id__in=least).exclude(agent=agent)[:SHOWN]:
        spec = plan.of(review.offer.ticket.topic_id)
        needs = {abs(skill) for skill in spec.required} if spec else set()
        assert review.offer.run is not None  # it is among the pools'
        level = least[review.offer.run.pool_id]
        if needs and all(levels.get(skill, 0) >= level for skill in needs):
            found.append(review)
    return found


def _open() -> QuerySet[Review]:
    waiting = Review.objects.filter(written_at__isnull=True)
    return waiting.select_related("offer__ticket__topic", "offer__ticket__customer", "offer__run").order_by(
        "drawn_at"
    )


def write(*, review_id: int, by: User, by_peer: bool, points: Mapping[str, int], text: str) -> None:
    """The review, once; its agent is told. Outermost.

    Whether they may is looked at here too, not only by the page. Raises NotToReview, ReviewIncomplete.
    """
    try:
        score = rules.of_points(points)
    except ValueError:
        raise ReviewIncomplete from None
    text = text.strip()
    if not text:
        raise ReviewIncomplete
    if not may_write(review_id, by, by_peer=by_peer):
        raise NotToReview
    with timeline.command():
        written = Review.objects.filter(pk=review_id, written_at__isnull=True).update(
            reviewer=by, by_peer=by_peer, points=dict(points), score=score, text=text, written_at=Now()
        )
        if not written:
            raise NotToReview
        rights.tell(Review.objects.values_list("agent_id", flat=True).get(pk=review_id), NoticeKind.REVIEW)


def may_write(review_id: int, by: User, *, by_peer: bool) -> bool:
    """Whether it waits to be written by them."""
    if by_peer:
        agent = Agent.objects.filter(user=by).first()
        return agent is not None and any(one.pk == review_id for one in open_for_peer(agent))
    return by.has_perm(REVIEWS) and open_for_lead(by).filter(pk=review_id).exists()


def thread(ticket: Ticket, agent: Agent) -> list[dict[str, Any]]:
    """What was said, for a reviewer: the customer's and the agent's names and addresses are masked. One query.

    {"who", "mine" (of the reviewed agent), "body", "note", "at"}
    """
    masked = _masks(ticket, agent)
    return [
        {
            "who": _("Customer")
            if one.author == "customer"
            else _("Agent")
            if one.author == "agent"
            else "Standby",
            "mine": one.author_user_id == agent.user_id,
            "body": masked(one.body),
            "note": one.internal,
            "at": one.created_at,
        }
        for one in Message.objects.filter(ticket=ticket).order_by("seq")
    ]


def _masks(ticket: Ticket, agent: Agent) -> Any:
    names = [*_words(ticket.customer.name), *_words(agent.name), *_words(agent.user.name)]
    wanted = [re.escape(name) for name in sorted(set(names), key=lambda name: -len(name))]
    pattern = re.compile(
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+" + "".join(rf"|(?<!\w){name}(?!\w)" for name in wanted), re.IGNORECASE
    )
    surnames = masking.surnames(ticket.customer.name)
    return lambda text: masking.mask(pattern.sub("[…]", text), surnames).text


def _words(name: str) -> Iterable[str]:
    return [name, *(part for part in name.split() if len(part) > 2)] if name else []


def in_words(review: Review) -> list[dict[str, Any]]:
    """Its points: {"name", "says", "points", "weight"} a criterion."""
    return [
        {
            "key": key,
            "name": NAMES[key][0],
            "says": NAMES[key][1],
            "points": review.points.get(key),
            "weight": weight,
        }
        for key, weight in rules.CRITERIA.items()
    ]
