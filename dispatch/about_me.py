"""What was decided about one agent, day by day: by rules and by people, each with its reason, from what is stored anyway."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.models import Agent, Decision, EndReason, Shift
from dispatch import cards, decisions
from dispatch.automatic import UNANSWERED
from dispatch.models import Offer, OfferState, Run

ABSENT_SHOWN = 10  # a page; each run among them is solved again


@dataclass(frozen=True)
class Item:
    """One decision. `by` is the role of the person who made it, empty when a rule did."""

    at: datetime
    title: str
    lines: list[str] = field(default_factory=list)
    by: str = ""
    state: str = ""


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """From its first moment to the next day's, in the active time zone: the agent's, on their page."""
    begin = timezone.make_aware(datetime.combine(day, time.min))
    return begin, timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def days(agent: Agent, most: int = 60) -> list[date]:
    """Days (of the active time zone) of the agent's shifts and decisions, the latest first. Two queries."""
    found: set[date] = set()
    for model, column in ((Shift, "started_at"), (Decision, "decided_at")):
        dates = model._default_manager.filter(agent=agent).datetimes(column, "day", order="DESC")
        found |= {one.date() for one in dates[:most]}
    return sorted(found, reverse=True)[:most]


def made(agent: Agent, day: date, language: str) -> list[Item]:
    """Offers made to the agent on that day, the latest first, with their stored reasons. One query, and those of routes()."""
    begin, end = day_bounds(day)
    offers = Offer.objects.filter(agent=agent, run__isnull=False, made_at__gte=begin, made_at__lt=end)
    return [
        Item(
            offer.made_at,
            _("%(ticket)s was offered to you") % {"ticket": _about(offer.ticket)},
            [
                *([_("Accepted for you, by your own switch.")] if _was_automatic(offer) else []),
                *cards.why_lines(offer, language),
            ],
            state=str(offer.get_state_display()),
        )
        for offer in offers.select_related("ticket__topic").order_by("-pk")
    ]


def _was_automatic(offer: Offer) -> bool:
    return offer.automatic and offer.state not in (OfferState.PENDING, OfferState.DECLINED)


def _about(ticket: Any) -> str:
    return f"{ticket.number} · {ticket.topic.name if ticket.topic else _('General')}"


def absent_count(agent: Agent, day: date) -> int:
    """How many tickets went to others of the agent's pools on that day, while the agent was online. One query."""
    return _absent(agent, day).count()


def _absent(agent: Agent, day: date) -> QuerySet[Offer]:
    """One offer to somebody else for each (run, ticket) that was not offered to the agent."""
    begin, end = day_bounds(day)
    here = Shift.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=OuterRef("started_at")),
        agent=agent,
        started_at__lte=OuterRef("started_at"),
    )
    # Whoever left a pool meanwhile was in it then: what they were offered of it shows that.
    pools = Q(pool__members=agent) | Q(pool__runs__made__agent=agent)
    runs = Run.objects.filter(Exists(here), pools, started_at__gte=begin, started_at__lt=end).distinct()
    mine = Offer.objects.filter(run=OuterRef("run"), ticket=OuterRef("ticket"), agent=agent)
    return (
        Offer.objects.filter(~Exists(mine), run__in=runs.values("pk"))
        .order_by("-run_id", "ticket_id")
        .distinct("run_id", "ticket_id")
    )


def absent(agent: Agent, day: date, language: str, offset: int = 0) -> list[Item]:
    """Why such tickets were not offered to the agent, ABSENT_SHOWN from `offset` on, the latest first. Solves each run once."""
    rows = _absent(agent, day).select_related("run", "ticket__topic")[offset : offset + ABSENT_SHOWN]
    replayed: dict[int, decisions.Replayed] = {}
    found = []
    for offer in rows:
        run = offer.run
        assert run is not None  # they are those of runs
        if run.pk not in replayed:
            replayed[run.pk] = decisions.replay(run)
        found.append(
            Item(
                run.started_at,
                _("%(ticket)s was not offered to you") % {"ticket": _about(offer.ticket)},
                decisions.why_not_of(replayed[run.pk], offer.ticket_id, agent.pk, language),
            )
        )
    return found


def others(agent: Agent, day: date) -> list[Item]:
    """Pauses, ended shifts, auto-accept switched off, and what people decided, on that day, the latest first. Four queries."""
    begin, end = day_bounds(day)
    return sorted(
        [
            *_missed(agent, begin, end),
            *_switched_off(agent, begin, end),
            *_ended(agent, begin, end),
            *_decided(agent, begin, end),
        ],
        key=lambda item: item.at,
        reverse=True,
    )


def _missed(agent: Agent, begin: datetime, end: datetime) -> Iterable[Item]:
    missed = Offer.objects.filter(
        agent=agent, state=OfferState.EXPIRED, answered_at__gte=begin, answered_at__lt=end
    )
    for offer in missed.select_related("ticket__topic"):
        assert offer.answered_at is not None
        yield Item(
            offer.answered_at,
            _("You were paused"),
            [
                _(
                    "The offer of %(ticket)s was not answered in time, so that customers would not wait for an empty "
                    "chair. One click and you are back; nothing else follows."
                )
                % {"ticket": _about(offer.ticket)}
            ],
        )


def _switched_off(agent: Agent, begin: datetime, end: datetime) -> Iterable[Item]:
    passed_on = Offer.objects.filter(
        agent=agent, state=OfferState.RELEASED, reason=UNANSWERED, ended_at__gte=begin, ended_at__lt=end
    )
    for offer in passed_on.select_related("ticket__topic"):
        assert offer.ended_at is not None
        yield Item(
            offer.ended_at,
            _("Auto-accept was switched off, and you were paused"),
            [
                _(
                    "%(ticket)s was accepted for you, and the customer heard no word in time. It went to somebody else."
                )
                % {"ticket": _about(offer.ticket)}
            ],
        )


def _ended(agent: Agent, begin: datetime, end: datetime) -> Iterable[Item]:
    ended = Shift.objects.filter(agent=agent, practice=False, ended_at__gte=begin, ended_at__lt=end)
    for shift in ended.exclude(end_reason__in=(EndReason.AGENT, EndReason.FINISHED)):  # as they chose
        assert shift.ended_at is not None
        if shift.end_reason == EndReason.LEASE:
            yield Item(
                shift.ended_at,
                _("Your shift was ended"),
                [
                    _(
                        "Your browser was not heard of any more, and the time in which you could come back was over."
                    )
                ],
            )
        else:
            yield Item(
                shift.ended_at,
                _("Your shift was ended"),
                [_("Somebody of the team ended it. You may ask why, below.")],
                by=_("team"),
            )


def _decided(agent: Agent, begin: datetime, end: datetime) -> Iterable[Item]:
    decided = Decision.objects.filter(agent=agent, decided_at__gte=begin, decided_at__lt=end)
    for decision in decided:
        yield Item(decision.decided_at, str(decision.get_kind_display()), [decision.reason], by=decision.role)
