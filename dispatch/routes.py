"""What admins have set, as a run needs it: routes, requirements, rates and the current policy of a pool.

Read by every run and changed a few times a day, so it is kept for some seconds a process (tickets/kept.py).
A run stores what it used.
"""

from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.db.models import F

from dispatch.matching.problem import Weights
from dispatch.models import Policy, Rate, Requirement, Route
from tickets import kept
from tickets.models import Topic

LANGUAGES = [code for code, _name in settings.LANGUAGES]  # a language's place here is its bit in a problem


@dataclass(frozen=True)
class RouteSpec:
    """A route with its needs: skill id → least level."""

    topic_id: int | None
    topic_key: str | None
    topic_name: dict[str, str]  # language → name
    pool_id: int
    offer_seconds: int
    units: int
    expected_minutes: int
    target_seconds: int
    max_wait_seconds: int
    required: dict[int, int] = field(default_factory=dict)
    preferred: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Routes:
    by_topic: dict[int, RouteSpec]
    default: RouteSpec | None
    skill_names: dict[int, dict[str, str]]  # skill id → language → name

    def of(self, topic_id: int | None) -> RouteSpec | None:
        """The route of a topic, or the default one; None when an admin has set neither."""
        return self.by_topic.get(topic_id, self.default) if topic_id is not None else self.default

    def pools(self) -> set[int]:
        return {route.pool_id for route in self.all()}

    def all(self) -> list[RouteSpec]:
        return [*self.by_topic.values(), *([self.default] if self.default else [])]


@dataclass(frozen=True)
class PolicySpec:
    id: int
    weights: Weights
    grace_seconds: int


def routes() -> Routes:
    """All routes. Two queries when not kept."""
    return kept.keep("routes", _load_routes)


def _load_routes() -> Routes:
    needs: dict[int, dict[bool, dict[int, int]]] = {}
    names: dict[int, dict[str, str]] = {}
    for need in Requirement.objects.select_related("skill"):
        needs.setdefault(need.route_id, {True: {}, False: {}})[need.required][need.skill_id] = need.level
        names[need.skill_id] = {"en": need.skill.name_en, "de": need.skill.name_de}
    by_topic: dict[int, RouteSpec] = {}
    default = None
    for route in Route.objects.select_related("topic").order_by("id"):
        spec = RouteSpec(
            topic_id=route.topic_id,
            topic_key=route.topic.key if route.topic else None,
            topic_name=_names(route.topic),
            pool_id=route.pool_id,
            offer_seconds=route.offer_seconds,
            units=route.units,
            expected_minutes=route.expected_minutes,
            target_seconds=route.target_seconds,
            max_wait_seconds=route.max_wait_seconds,
            required=needs.get(route.pk, {}).get(True, {}),
            preferred=needs.get(route.pk, {}).get(False, {}),
        )
        if route.topic_id is None:
            default = default or spec
        else:
            by_topic[route.topic_id] = spec
    return Routes(by_topic, default, names)


def _names(topic: Topic | None) -> dict[str, str]:
    return {"en": topic.name_en, "de": topic.name_de} if topic else {"en": "General", "de": "Allgemein"}


def policy(pool_id: int) -> PolicySpec:
    """The current policy of a pool; version 1 with the default weights is made for a pool that has none."""
    return kept.keep(("policy", pool_id), lambda: _load_policy(pool_id))


def _load_policy(pool_id: int) -> PolicySpec:
    found = Policy.objects.filter(pool_id=pool_id, current=True).first()
    if found is None:
        found, _made = Policy.objects.get_or_create(pool_id=pool_id, version=1)
    names = ("fit", "wait", "wait_cap", "priority", "fairness", "known", "load", "scarcity", "max_parallel")
    weights = Weights(**{name: getattr(found, name) for name in names})
    return PolicySpec(found.pk, weights, found.grace_seconds)


def rates() -> list[tuple[int | None, date, int, str]]:
    """(topic id, valid from, cents, currency), newest first."""
    return kept.keep(
        "rates",
        lambda: list(
            Rate.objects.order_by(F("valid_from").desc()).values_list(
                "topic_id", "valid_from", "amount_cents", "currency"
            )
        ),
    )
