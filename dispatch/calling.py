"""Calling agents on their devices: an offer for who looks elsewhere, and “it is busy” for who is offline.

Offers: a run says which of its offers go to somebody with a device (runs.WRITE), and asks Celery for the call after its commit.
The service worker shows nothing while the console is in sight (static/js/worker.js), which only the device itself knows.
A call that is lost is lost: the card on the page is what counts.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from celery import current_app
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from agents.models import Agent, AgentStatus, CallWishes, PushDevice, Shift, ShiftState
from agents.push import Call, send
from dispatch import members, routes, sight
from dispatch.models import Offer, OfferState, Policy
from dispatch.rules.calling import Demand, Person, is_quiet, to_call
from dispatch.templatetags.console import money
from tickets import calendars, events, timeline
from tickets.hours import is_open
from tickets.models import Ticket, TicketState

logger = logging.getLogger(__name__)

BUSY_SECONDS = 15 * 60  # after which “it is busy” is old news
LEAST_SECONDS = 3  # of an offer that is worth a call


def offers_ask(offer_ids: Iterable[int]) -> None:
    """Have these offers told to their agents' devices. After commit; without a broker nobody is called."""
    ids = list(offer_ids)
    if ids:
        transaction.on_commit(lambda: _send_task(ids), robust=True)


def _send_task(offer_ids: list[int]) -> None:
    try:
        current_app.send_task("dispatch.tasks.offers_call", args=[offer_ids], expires=60)
    except (OperationalError, OSError):
        logger.warning("the broker does not answer: nobody is called about offers %s", offer_ids)


def offers_call(offer_ids: Iterable[int]) -> int:
    """Call about each of these offers that still can be answered, or was accepted for its agent. Returns calls taken."""
    taken = 0
    for offer in Offer.objects.filter(pk__in=list(offer_ids)).select_related("ticket", "agent__user"):
        call = _of_offer(offer)
        if call is None:
            continue
        for device_id in _devices(offer.agent_id, Q(offers=True)):
            taken += send(device_id=device_id, call=call)
    return taken


def _of_offer(offer: Offer) -> Call | None:
    left = int((offer.expires_at - timezone.now()).total_seconds())
    accepted = offer.state == OfferState.ACCEPTED and offer.automatic
    if not accepted and (offer.state != OfferState.PENDING or left < LEAST_SECONDS):
        return None
    language = offer.agent.user.language
    spec = routes.routes().of(offer.ticket.topic_id)
    topic = (spec.topic_name.get(language) or spec.topic_name["en"]) if spec else ""
    with translation.override(language):
        pay = money(offer.pay_cents + offer.surge_cents, offer.currency)
        if accepted:
            title, body, left = _("A ticket was accepted for you"), f"{topic}, {pay}", 90
        else:
            title = _("Offer: %(topic)s, %(pay)s") % {"topic": topic, "pay": pay}
            body = _("%(seconds)d seconds to answer. You are free to say no.") % {"seconds": left}
    return Call("offer", title, body, reverse("console"), left)


def _devices(agent_id: int, which: Q) -> list[int]:
    found = PushDevice.objects.filter(which, agent_id=agent_id, stopped_at__isnull=True)
    return list(found.order_by("id").values_list("pk", flat=True))


# --- It is busy -------------------------------------------------------------------------------------------------------


class Group(NamedTuple):
    """What makes waiting tickets the same for whom they could be given to."""

    pool_id: int
    required: tuple[tuple[int, int], ...]
    language: str


@dataclass
class Those:
    """Tickets that wait. `forsaken`: those of them for which nobody at all is online, in open hours."""

    tickets: list[int] = field(default_factory=list)
    forsaken: list[int] = field(default_factory=list)


def look() -> int:
    """Call people who are offline, where many wait and nobody is free (dispatch/rules/calling.py). Outermost.

    Safe to run twice or late: each call is claimed first, and made by a task of its own. Returns agents claimed.
    One query a pool while nothing is busy.
    """
    waiting = _waiting()
    policies = {one.pool_id: one for one in Policy.objects.filter(current=True)}
    groups = [
        group
        for group, those in sorted(waiting.items())
        if (policy := policies.get(group.pool_id))
        and policy.call_from
        and (len(those.tickets) >= policy.call_from or those.forsaken)
    ]
    return _call(groups, waiting, policies) if groups else 0


def call_in(*, pool_id: int, skill_id: int | None = None, people: int | None = None) -> int:
    """A team lead says that it is busy in this pool: people are called for what waits there, and where nothing waits, one who
    could take the pool's next ticket of any kind. With `people` so many at most, who could take tickets of the skill (without
    one: of the pool), whatever waits: more tickets are foreseen. Inner: they are claimed here, and called after the commit.

    What people have agreed to holds as ever: quiet hours, devices, and how often at most. Returns agents claimed.
    """
    plan = routes.routes()
    if people is not None:
        group = Group(pool_id, _needs(pool_id, skill_id), "")
        waiting = {group: Those([0] * people)}
    else:
        waiting = {group: those for group, those in _waiting().items() if group.pool_id == pool_id}
    if not waiting:
        specs = [spec for spec in plan.all() if spec.pool_id == pool_id]
        waiting = {Group(pool_id, tuple(sorted(spec.required.items())), ""): Those([0]) for spec in specs[:1]}
    policy = Policy.objects.filter(pool_id=pool_id, current=True).first() or Policy(pool_id=pool_id)
    return len(_claim_all(sorted(waiting), waiting, {pool_id: policy}, asked=True))


def _needs(pool_id: int, skill_id: int | None) -> tuple[tuple[int, int], ...]:
    """The skill at the least level that a route of the pool asks for."""
    specs = [spec for spec in routes.routes().all() if spec.pool_id == pool_id]
    levels = [spec.required[skill_id] for spec in specs if skill_id is not None and skill_id in spec.required]
    return ((skill_id, min(levels)),) if skill_id is not None and levels else ()


def could_be_called(*, pool_id: int, skill_id: int | None = None) -> int:
    """How many have agreed to be called for this pool (and have the skill), are offline and not in their quiet hours."""
    group = Group(pool_id, _needs(pool_id, skill_id), "")
    return sum(not one.quiet for one in _people([group]).values() if one.may)


def _call(groups: list[Group], waiting: dict[Group, Those], policies: dict[int, Policy]) -> int:
    with timeline.command():
        called = _claim_all(groups, waiting, policies)
    return len(called)


def _claim_all(
    groups: list[Group], waiting: dict[Group, Those], policies: dict[int, Policy], *, asked: bool = False
) -> list[int]:
    """Claim whoever is to be called, tell the customers for whom, and have the calls made after the commit. Inner.

    `asked`: a team lead says that it is busy, whatever the policy's bound and whoever is free.
    """
    free = Counter[Group]() if asked else _free(groups)
    demands = [
        Demand(
            len(waiting[group].tickets),
            free[group],
            1 if asked else policies[group.pool_id].call_from,
            policies[group.pool_id].call_hours,
            len(waiting[group].forsaken),
        )
        for group in groups
    ]
    people = _people(groups)
    chosen = sorted(to_call(demands, list(people.values())))  # rows are locked by id
    CallWishes.objects.bulk_create(
        [CallWishes(agent_id=agent_id) for agent_id in chosen], ignore_conflicts=True
    )
    called = [
        agent_id
        for agent_id in chosen
        if _claim(agent_id, min(demands[place].every_hours for place in people[agent_id].may))
    ]
    told: dict[int, dict[str, int]] = {}
    for place, group in enumerate(groups):
        could = sum(place in people[agent_id].may for agent_id in called)
        if could:
            told |= {ticket_id: {"people": could} for ticket_id in waiting[group].forsaken}
    if told:  # their customers read how many people are called for them
        timeline.advance(
            Ticket.objects.filter(pk__in=told, state=TicketState.WAITING), events.CALLED_IN, told
        )
    transaction.on_commit(lambda: _busy_ask(called), robust=True)
    return called


def _waiting() -> dict[Group, Those]:
    plan = routes.routes()
    found: dict[Group, Those] = defaultdict(Those)
    now = timezone.now().timestamp()
    for pool_id in sorted(plan.pools()):
        rows = sight.queue_of(pool_id, plan, home=True).values_list(
            "pk", "topic_id", "language", "flagged_at"
        )
        for ticket_id, topic_id, language, flagged_at in rows[: sight.MOST_TICKETS]:
            spec = plan.of(topic_id)
            if spec is None:
                continue
            those = found[Group(pool_id, tuple(sorted(spec.required.items())), language)]
            those.tickets.append(ticket_id)
            hours = calendars.hours_of(topic_id)
            if flagged_at is not None and (hours is None or is_open(hours, now)):
                those.forsaken.append(ticket_id)
    return dict(found)


def _free(groups: Iterable[Group]) -> Counter[Group]:
    """How many people who are online, and not fully busy, could take a ticket of each group."""
    found: Counter[Group] = Counter()
    groups = list(groups)
    idle = set(
        Shift.objects.filter(
            state=ShiftState.ONLINE,
            lost_at__isnull=True,
            lease__expires_at__gt=Now(),
            units_taken__lt=F("units"),
        ).values_list("agent_id", flat=True)
    )
    here = members.online({group.pool_id for group in groups})
    for group in groups:
        found[group] = sum(
            one.pool_id == group.pool_id
            and one.agent_id in idle
            and members.able(one, dict(group.required), group.language)
            for one in here
        )
    return found


def _people(groups: list[Group]) -> dict[int, Person]:
    """Who could be called, by id: admitted, offline, with a device that may be called, and able to take something."""
    pools = {group.pool_id for group in groups}
    agents = (
        Agent.objects.filter(
            status=AgentStatus.ADMITTED, user__is_active=True, leaving_since__isnull=True, pools__in=pools
        )
        .filter(push_devices__busy=True, push_devices__stopped_at__isnull=True)
        .exclude(Exists(Shift.objects.filter(agent=OuterRef("pk"), ended_at__isnull=True)))
        .select_related("call_wishes")
        .distinct()
        .order_by("pk")
    )
    listed = list(agents)
    profiles = members.profiles_of(
        np.array([one.pk for one in listed], np.int64),
        np.array([one.profile_version for one in listed], np.int64),
    )
    of_pool: dict[int, set[int]] = defaultdict(set)
    for agent_id, pool_id in Agent.pools.through.objects.filter(
        agent_id__in=[one.pk for one in listed], pool_id__in=pools
    ).values_list("agent_id", "pool_id"):
        of_pool[agent_id].add(pool_id)
    now = timezone.now()
    people = {}
    for agent in listed:
        present = members.Present(agent.pk, 0, profiles.of[agent.pk], now.timestamp())
        may = frozenset(
            place
            for place, group in enumerate(groups)
            if group.pool_id in of_pool[agent.pk]
            and members.able(present, dict(group.required), group.language)
        )
        wishes = getattr(agent, "call_wishes", None)
        since = wishes.called_at if wishes else None
        hours = (now - since).total_seconds() / 3600 if since else float("inf")
        local = now.astimezone(agent.zone).time()
        quiet = wishes is not None and is_quiet(local, wishes.quiet_from, wishes.quiet_until)
        people[agent.pk] = Person(agent.pk, may, hours, quiet)
    return people


def _claim(agent_id: int, hours: float) -> bool:
    """Claim the agent's next call. False when another worker was first."""
    free = Q(called_at__isnull=True) | Q(called_at__lte=Now() - timedelta(hours=hours))
    until = Now() + timedelta(seconds=BUSY_SECONDS)
    return bool(CallWishes.objects.filter(free, agent_id=agent_id).update(called_at=Now(), call_until=until))


def _busy_ask(agent_ids: list[int]) -> None:
    """A message for each, since a push service that hangs keeps a worker for seconds. Without a broker calls_make() does it."""
    try:
        for agent_id in agent_ids:
            current_app.send_task("dispatch.tasks.busy_call", args=[agent_id], expires=BUSY_SECONDS)
    except (OperationalError, OSError):
        logger.warning("the broker does not answer: people are called a little later")


def calls_make() -> int:
    """Make the calls whose message was lost. Safe to run twice or late. Returns agents called. One query
    while there are none."""
    due = CallWishes.objects.filter(call_until__gt=Now()).order_by("pk")
    return sum(busy_call(agent_id=agent_id) for agent_id in due.values_list("pk", flat=True))


def busy_call(*, agent_id: int) -> bool:
    """Tell the agent's devices that it is busy, if that was claimed, and is no old news. Outermost. False when it was not.

    The call is taken before it is made: a crash between the two loses it, which is better than calling twice.
    """
    due = CallWishes.objects.filter(agent_id=agent_id, call_until__gt=Now())
    if not due.update(call_until=None):
        return False
    agent = Agent.objects.select_related("user").get(pk=agent_id)
    with translation.override(agent.user.language):
        call = Call(
            "busy",
            _("It is busy"),
            _(
                "Customers are waiting for somebody with your skills. Come if it suits you; if not, nothing follows."
            ),
            reverse("console"),
            BUSY_SECONDS,
        )
    for device_id in _devices(agent_id, Q(busy=True)):
        send(device_id=device_id, call=call)
    return True
