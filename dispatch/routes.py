"""What admins have set, as a run needs it: routes, requirements, rates and the current policy of a pool.

Read by every run and changed a few times a day, so it is kept for some seconds a process (tickets/kept.py).
A run stores what it used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db.models import F

from dispatch.matching.problem import certified
from dispatch.matching.weights import Weights
from dispatch.models import Policy, PoolStanding, Rate, Requirement, Route, RouteStep
from dispatch.pricing import RateRow, Terms
from dispatch.rules.steps import Step
from tickets import calendars, kept
from tickets.hours import Hours, ages
from tickets.models import Topic

LANGUAGES = [code for code, _name in settings.LANGUAGES]  # a language's place here is its bit in a problem


@dataclass(frozen=True)
class RouteSpec:
    """A route with its needs: skill id → least level; of a skill that needs a certificate also certified(id)."""

    topic_id: int | None
    topic_key: str | None
    topic_name: dict[str, str]  # language → name
    pool_id: int  # of the first step: the ticket's home, where its place is counted
    steps: tuple[Step, ...]
    known_seconds: int  # for so long it waits for somebody who has helped this customer before
    offer_seconds: int
    units: int
    expected_minutes: int
    target_seconds: int
    max_wait_seconds: int
    wrap_up_seconds: int = 0
    silent_seconds: int = 0  # 0: never
    silent_units: int = 1
    answer_minutes: int = (
        0  # open minutes to an answer by mail, when nobody is online; 0: nothing is promised
    )
    snooze_hours: int = 168
    required: dict[int, int] = field(default_factory=dict)
    preferred: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Routes:
    by_topic: dict[int, RouteSpec]
    default: RouteSpec | None
    skill_names: dict[int, dict[str, str]]  # skill id → language → name
    hours: Mapping[int | None, Hours] = field(
        default_factory=dict
    )  # topic id → when its tickets age; else always
    spoken: dict[str, Any] = field(default_factory=dict)  # language → what all is called in it (cards.names)
    reached: dict[int, Any] = field(
        default_factory=dict
    )  # pool id → from when on it may take what (sight.see)

    def ages(self, now: float) -> dict[int | None, Callable[[float], float]]:
        """Topic id → of so many seconds of waiting until `now` (epoch), those in which the ticket aged. For hours only."""
        return {topic_id: ages(hours, now) for topic_id, hours in self.hours.items()}

    def of(self, topic_id: int | None) -> RouteSpec | None:
        """The route of a topic, or the default one; None when an admin has set neither."""
        return self.by_topic.get(topic_id, self.default) if topic_id is not None else self.default

    def pools(self) -> set[int]:
        """All pools that tickets may come to, at whatever step."""
        return {step.pool_id for route in self.all() for step in route.steps}

    def all(self) -> list[RouteSpec]:
        return [*self.by_topic.values(), *([self.default] if self.default else [])]


@dataclass(frozen=True)
class PolicySpec:
    id: int
    pool_id: int
    weights: Weights
    grace_seconds: int
    next_up: bool
    exploration_percent: int
    reserve_seconds: int = 0
    surge_percent: int = 0
    surge_from: float = 0.0


def routes() -> Routes:
    """All routes. Four queries when not kept, three more with calendars."""
    return kept.keep("routes", _load_routes)


def _load_routes() -> Routes:
    needs: dict[int, dict[bool, dict[int, int]]] = {}
    names: dict[int, dict[str, str]] = {}
    for need in Requirement.objects.select_related("skill"):
        levels = needs.setdefault(need.route_id, {True: {}, False: {}})[need.required]
        levels[need.skill_id] = need.level
        if need.certificate:
            levels[certified(need.skill_id)] = need.level
        names[need.skill_id] = {"en": need.skill.name_en, "de": need.skill.name_de}
    further: dict[int, list[Step]] = {}
    for step in RouteStep.objects.order_by("after_seconds", "id"):
        further.setdefault(step.route_id, []).append(
            Step(step.after_seconds, step.pool_id, step.least_level, step.preferred)
        )
    by_topic: dict[int, RouteSpec] = {}
    default = None
    for route in Route.objects.select_related("topic").order_by("id"):
        spec = RouteSpec(
            topic_id=route.topic_id,
            topic_key=route.topic.key if route.topic else None,
            topic_name=_names(route.topic),
            pool_id=route.pool_id,
            steps=(Step(0, route.pool_id, route.least_level), *further.get(route.pk, [])),
            known_seconds=route.known_seconds,
            offer_seconds=route.offer_seconds,
            units=route.units,
            expected_minutes=route.expected_minutes,
            target_seconds=route.target_seconds,
            answer_minutes=route.answer_minutes,
            max_wait_seconds=route.max_wait_seconds,
            wrap_up_seconds=route.wrap_up_seconds,
            silent_seconds=route.silent_seconds,
            silent_units=route.silent_units,
            snooze_hours=route.snooze_hours,
            required=needs.get(route.pk, {}).get(True, {}),
            preferred=needs.get(route.pk, {}).get(False, {}),
        )
        if route.topic_id is None:
            default = default or spec
        else:
            by_topic[route.topic_id] = spec
    return Routes(by_topic, default, names, calendars.load().by_topic)


def _names(topic: Topic | None) -> dict[str, str]:
    return {"en": topic.name_en, "de": topic.name_de} if topic else {"en": "General", "de": "Allgemein"}


def policy(pool_id: int) -> PolicySpec:
    """The current policy of a pool, with as many offers at once as its standing allows. Two queries when not kept.

    Version 1 with the default weights is made for a pool that has none.
    """
    return kept.keep(("policy", pool_id), lambda: _load_policy(pool_id))


def _load_policy(pool_id: int) -> PolicySpec:
    found = Policy.objects.filter(pool_id=pool_id, current=True).first()
    if found is None:
        found, _made = Policy.objects.get_or_create(pool_id=pool_id, version=1)
    names = (
        "fit",
        "wait",
        "wait_cap",
        "priority",
        "fairness",
        "known",
        "load",
        "scarcity",
        "quality",
        "booked",
        "max_parallel",
        "reserve",
    )
    weights = Weights(**{name: getattr(found, name) for name in names})
    standing = PoolStanding.objects.filter(pool_id=pool_id).first()
    if standing is not None:
        weights = replace(weights, max_parallel=min(standing.parallel, weights.max_parallel))
    return PolicySpec(
        found.pk,
        pool_id,
        weights,
        found.grace_seconds,
        found.next_up,
        found.exploration_percent,
        found.reserve_seconds,
        found.surge_percent,
        found.surge_from,
    )


def rates() -> list[RateRow]:
    """What topics pay, newest first."""
    return kept.keep(
        "rates",
        lambda: [
            RateRow(
                rate.topic_id,
                rate.valid_from,
                rate.amount_cents,
                rate.currency,
                Terms(
                    rate.waiting_cents_per_minute,
                    rate.waiting_minutes,
                    rate.release_percent,
                    rate.bonus_cents,
                    rate.bonus_score,
                ),
            )
            for rate in Rate.objects.order_by(F("valid_from").desc())
        ],
    )
