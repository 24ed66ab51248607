"""What the next hours will be like, by skill: the forecast (dispatch/forecasting.py), and who is booked."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from dispatch import forecasting, routes
from dispatch.models import NeededHour
from tickets import kept

HOURS = 3  # from the running one on
MOST_SKILLS = 5
# Work of so many people for the whole hour, and what it is called; the last bound that is reached counts.
WORDS: tuple[tuple[float, str | Promise], ...] = (
    (0.0, _("hardly any")),
    (0.1, _("a little")),
    (0.75, _("some")),
    (2.0, _("a lot")),
)


class Cell(NamedTuple):
    """One skill in one hour: tickets as foreseen, the work in people, what that is called, and how full its bar is."""

    tickets: float
    work: float
    word: str | Promise
    percent: int


class Outlook(NamedTuple):
    """`rows`: (skill, its cells). `recent`: there is no history yet, so the last hour stands for all of these."""

    columns: list["Column"]
    rows: list[tuple[str, list[Cell]]]
    recent: bool


class Column(NamedTuple):
    """One hour. `seats` and `booked` are those of the agent's pools."""

    begins: datetime
    seats: int
    booked: int


def word(work: float) -> str | Promise:
    """What so much work is called (WORDS)."""
    return [name for bound, name in WORDS if work >= bound][-1]


def next_hours(agent: Agent, language: str) -> Outlook:
    """The next HOURS, and those skills of the agent that have most to do. Three queries or four, and those of routes().

    A skill is in demand by each ticket that requires it; one that requires two counts for both.
    """
    begin = timezone.now().replace(minute=0, second=0, microsecond=0)
    plan = routes.routes()
    mine = set(agent.agent_skills.values_list("skill_id", flat=True))
    known = kept.keep("forecast", lambda: forecasting.outlooks(plan))
    recent = any(one.model == forecasting.RECENT for one in known.values())
    halves = forecasting.half_hours(begin, 2 * HOURS)
    tickets: dict[int, list[float]] = defaultdict(lambda: [0.0] * HOURS)
    work: dict[int, list[float]] = defaultdict(lambda: [0.0] * HOURS)
    for key, outlook in known.items():
        if key.skill_id is None or key.skill_id not in mine or key.skill_id not in plan.skill_names:
            continue
        minutes = [spec.expected_minutes for spec in plan.all() if key in forecasting.keys_of(spec)]
        for hour, many in enumerate(outlook.at(halves).reshape(HOURS, 2).sum(axis=1).tolist()):
            tickets[key.skill_id][hour] += many
            work[key.skill_id][hour] += many * sum(minutes) / max(len(minutes), 1) / 60
    fullest = max((most for row in work.values() for most in row), default=0.0)
    scale = max(fullest, WORDS[-1][0])  # a full bar is a lot, or more than that
    first = sorted(
        (skill for skill in work if any(tickets[skill])), key=lambda skill: (-sum(work[skill]), skill)
    )[:MOST_SKILLS]
    rows = [
        (
            plan.skill_names[skill].get(language[:2], plan.skill_names[skill]["en"]),
            [
                Cell(many, load, word(load), round(100 * load / scale))
                for many, load in zip(tickets[skill], work[skill], strict=True)
            ],
        )
        for skill in first
    ]
    return Outlook(_columns(agent, begin), rows, recent)


def _columns(agent: Agent, begin: datetime) -> list[Column]:
    needed = {
        row["begins_at"]: row
        for row in NeededHour.objects.filter(
            pool__members=agent, begins_at__gte=begin, begins_at__lt=begin + timedelta(hours=HOURS)
        )
        .values("begins_at")
        .annotate(needed=Sum("seats"), booked=Sum("taken"))
        .order_by("begins_at")
    }
    columns = []
    for after in range(HOURS):
        at = begin + timedelta(hours=after)
        found = needed.get(at, {"needed": 0, "booked": 0})
        columns.append(Column(at, int(found["needed"]), int(found["booked"])))
    return columns
