"""The decision log: why offers went to whom they went, from what each run stored; solved again, it must give the same.

A run keeps what it saw for as long as the policy of its pool says; the reason of each offer stands with the offer for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from agents.models import Agent, Shift, ShiftState
from dispatch import cards, events
from dispatch.matching import snapshot
from dispatch.matching.explain import Reason, explain, explain_absence, reasons
from dispatch.matching.score import MIN_ACCEPT
from dispatch.matching.snapshot import ReplayDiffers, SnapshotUnreadable
from dispatch.matching.solve import Solution
from dispatch.models import FeedEvent, Offer, OfferState, Policy, Run
from dispatch.queue import WINDOW
from tickets.models import Ticket

_TAKEN = (OfferState.ACCEPTED, OfferState.COMPLETED, OfferState.RELEASED)
DROPPED_AT_ONCE = 1000  # runs; the rest is dropped by the next task


@dataclass(frozen=True)
class Pair:
    """One pair that a run found, in words. `ticket` and `agent` are None when they were deleted since.

    `offer` is None when it was not made after all: somebody accepts automatically, or one of the two was not free any more.
    """

    ticket_id: int
    agent_id: int
    ticket: Ticket | None
    agent: Agent | None
    offer: Offer | None
    reason: Reason
    lines: list[str]

    @property
    def parts(self) -> list[tuple[str, float]]:
        """What the points are made of, in words, the heaviest first."""
        terms = cast("Mapping[str, float]", self.reason["terms"]).items()
        heaviest = sorted(terms, key=lambda term: -abs(term[1]))
        return [(term_name(name), worth) for name, worth in heaviest if name != "value" and worth]


@dataclass(frozen=True)
class Replayed:
    """A stored run that was solved again. `verdict`: "same", "differs" or "unreadable"; `detail` says more of the last two."""

    run: Run
    verdict: str
    detail: str
    solution: Solution | None


def replay(run: Run) -> Replayed:
    """Solve what the run saw again. Never an error: what cannot be read is a verdict too."""
    if not run.snapshot:
        return Replayed(
            run, "unreadable", _("What this run saw is not there yet, or not kept any more."), None
        )
    try:
        return Replayed(run, "same", "", snapshot.replay(bytes(run.snapshot)))
    except ReplayDiffers as error:
        return Replayed(run, "differs", str(error), None)
    except SnapshotUnreadable as error:
        return Replayed(run, "unreadable", str(error), None)


def pairs_of(found: Replayed, language: str) -> list[Pair]:
    """What a run found, with its reasons, in the order of the solver; when what it saw is not kept, the offers that it made.

    Three queries, and those of routes().
    """
    offers = {(one.ticket_id, one.agent_id): one for one in found.run.made.order_by("pk")}
    if found.solution is not None:
        wanted = list(zip(found.solution.ids, reasons(found.solution), strict=True))
    else:
        wanted = [(ids, cast("Reason", offer.why)) for ids, offer in offers.items() if offer.why]
    tickets = Ticket.objects.in_bulk([ticket_id for (ticket_id, _agent), _reason in wanted])
    agents = Agent.objects.in_bulk([agent_id for (_ticket, agent_id), _reason in wanted])
    names, tongue = cards.names(language), cards.tongue(language)
    return [
        Pair(
            ticket_id,
            agent_id,
            tickets.get(ticket_id),
            agents.get(agent_id),
            offers.get((ticket_id, agent_id)),
            reason,
            explain(reason, language=tongue, names=names),
        )
        for (ticket_id, agent_id), reason in wanted
    ]


def opened(run: Run, ticket_id: int, agent_id: int, language: str) -> dict[str, Any]:
    """What the pages of one run show: it solved again, its pairs, and why not this person for this ticket (0: not asked)."""
    found = replay(run)
    problem = found.solution.problem if found.solution else None
    seen = problem.tickets.id.tolist() if problem else []
    there = problem.agents.id.tolist() if problem else []  # also who has left the pool since
    people = Agent.objects.filter(Q(pools=run.pool_id) | Q(pk__in=there)).distinct()
    return {
        "run": run,
        "found": found,
        "pairs": pairs_of(found, language),
        "seen_tickets": Ticket.objects.filter(pk__in=seen).order_by("pk"),
        "members": people.order_by("name", "pk"),
        "ticket_id": ticket_id,
        "agent_id": agent_id,
        "answer": why_not_of(found, ticket_id, agent_id, language) if ticket_id and agent_id else [],
    }


def why_not(run: Run, ticket_id: int, agent_id: int, language: str) -> list[str]:
    """Why this run did not offer this ticket to this agent, in sentences to the agent; or that it did.

    Of a run whose sight is not kept any more: one sentence that says so.
    """
    return why_not_of(replay(run), ticket_id, agent_id, language)


def why_not_of(found: Replayed, ticket_id: int, agent_id: int, language: str) -> list[str]:
    """As why_not(), of a run that was solved again already."""
    if found.solution is None:
        return [found.detail]
    if (ticket_id, agent_id) in found.solution.ids:
        made = Offer.objects.filter(run=found.run, ticket_id=ticket_id)
        if not made.filter(agent_id=agent_id).exists():
            with override(language):
                return [_passed_over(automatic=made.filter(automatic=True).exists())]
    problem, at = found.solution.problem, found.run.started_at
    if agent_id not in problem.agents.id and ticket_id in problem.tickets.id:
        with override(language):
            return [_unseen(agent_id, at)]
    no = Offer.objects.filter(
        ticket_id=ticket_id,
        agent_id=agent_id,
        state__in=(OfferState.DECLINED, OfferState.RELEASED),
        ended_at__lte=at,
    )
    return explain_absence(
        problem,
        ticket_id,
        agent_id,
        language=cards.tongue(language),
        names=cards.names(language),
        solution=found.solution,
        said_no=no.exists(),
    )


def _unseen(agent_id: int, at: datetime) -> str:
    """Why a run of this moment did not see this agent: it looks at who is free only, so the rest is read from what was written
    down about them. At most four queries.
    """
    shifts = Shift.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=at), agent_id=agent_id, started_at__lte=at
    )
    shift = shifts.first()
    if shift is None:
        return _("You were not online at that moment.")
    if shift.practice:
        return _("You were practising at that moment.")
    told = FeedEvent.objects.filter(agent_id=agent_id, type=events.SHIFT_CHANGED.name, created_at__lte=at)
    changed = told.order_by("-seq").values_list("data", flat=True).first() or {}
    return (
        _not_there(changed)
        or _busy(agent_id, at)
        or _("You were online, but not free for this pool at that moment.")
    )


def _not_there(changed: Mapping[str, Any]) -> str:
    """Of the data of the last SHIFT_CHANGED; empty when they were there."""
    if changed.get("lost"):
        return _("Your connection was lost at that moment.")
    words: dict[Any, str] = {
        ShiftState.PAUSED: _("You had paused at that moment."),
        ShiftState.FINISHING: _("You were finishing at that moment, and new tickets are for others then."),
    }
    return words.get(changed.get("state"), "")


def _busy(agent_id: int, at: datetime) -> str:
    mine = Offer.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), agent_id=agent_id)
    if mine.filter(Q(answered_at__isnull=True) | Q(answered_at__gt=at), made_at__lt=at).exists():
        return _("You had another offer open at that moment; nobody is asked about two at once.")
    held = mine.filter(answered_at__lte=at, state__in=_TAKEN).count()
    if not held:
        return ""
    return ngettext(
        "The ticket that you had open left no room for another one at that moment.",
        "The %(count)s tickets that you had open left no room for another one at that moment.",
        held,
    ) % {"count": held}


def _passed_over(*, automatic: bool) -> str:
    if automatic:
        return _(
            "You would have been asked, but somebody else accepts automatically; then nobody else is asked."
        )
    return _(
        "The run chose you too, and no offer was made: who is still wrapping up is only asked first and not beside "
        "others, and who has left or been asked about something else in the meantime is not asked."
    )


def last_run_of(ticket_id: int) -> Run | None:
    """The last run that offered the ticket to anybody."""
    return Run.objects.filter(made__ticket_id=ticket_id).order_by("-pk").first()


def snapshots_drop() -> int:
    """Forget what old runs saw, each pool's as its policy says. Returns how many. One statement a pool; safe to run twice."""
    dropped = 0
    for policy in Policy.objects.filter(current=True):
        old = (
            Run.objects.filter(
                pool_id=policy.pool_id, started_at__lt=Now() - timedelta(days=policy.snapshot_days)
            )
            .exclude(snapshot=b"")
            .order_by("pk")
            .values("pk")[:DROPPED_AT_ONCE]
        )
        dropped += Run.objects.filter(pk__in=old).update(snapshot=b"")
    return dropped


# --- The rules in words -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weight:
    """One term of the score. `share` is its part of what can tell two people (or two tickets) apart, in percent."""

    name: str
    says: str
    share: int


def weights_in_words(policy: Policy) -> tuple[list[Weight], list[Weight]]:
    """(what decides between people, what decides between tickets), the heaviest first: from the policy itself.

    A share is weight × width of the term (dispatch/matching/score.py) by the sum of these. The chance of a yes multiplies all
    that is the person's, so it can change at most (1 − MIN_ACCEPT) of the highest that this can be: `Weights.newcomer`.
    """
    people = [
        (_("Skill"), _("How well your levels fit what the ticket needs."), policy.fit),
        (
            _("Fair share"),
            _(
                "Who has earned less per online hour of late is asked earlier."
                " Pauses, finishing and lost connections are no such hours."
            ),
            2 * policy.fairness,
        ),
        (_("You know each other"), _("You have helped this customer before."), policy.known),
        (
            _("Quality"),
            _("Ratings and reviews against the usual; few of them count little, none not at all."),
            2 * policy.quality,
        ),
        (_("Booked hour"), _("Who has booked this hour is asked a little earlier."), policy.booked),
        (_("Load"), _("Who has other tickets open is asked later."), policy.load),
        (_("Rare skills"), _("Who has skills that others will need is kept free for them."), policy.scarcity),
    ]
    highest = 1.0 + sum(worth for _name, _says, worth in people)
    yes = _(
        "How often you have said yes to offers of the topic in the last %(days)s days, drawn towards 4 of 5 while there are "
        "few answers; offers that ran out are none. The rest is multiplied by it, so it can change the most. It is used for "
        "nothing else."
    )
    people.append((_("Chance of a yes"), yes % {"days": WINDOW.days}, (1.0 - MIN_ACCEPT) * highest))
    tickets = [
        (
            _("Waiting"),
            _("The longer a ticket waits against its target, the earlier it is offered."),
            policy.wait * policy.wait_cap,
        ),
        (_("Priority"), _("Some topics are more urgent than others."), policy.priority),
    ]
    return _shares(people), _shares(tickets)


def term_name(name: str) -> str:
    """What a term of the score is called (dispatch/matching/score.py)."""
    return {
        "served": _("That somebody is asked"),
        "fit": _("Skill"),
        "fairness": _("Fair share"),
        "known": _("You know each other"),
        "load": _("Load"),
        "booked": _("Booked hour"),
        "scarcity": _("Rare skills"),
        "quality": _("Quality"),
        "wait": _("Waiting"),
        "priority": _("Priority"),
        "newcomer": _("Newcomers first"),
        "accept": _("Chance of a yes"),
    }.get(name, name)


def _shares(terms: list[tuple[str, str, float]]) -> list[Weight]:
    whole = sum(worth for _name, _says, worth in terms) or 1.0
    weighed = [Weight(name, says, round(100 * worth / whole)) for name, says, worth in terms]
    return sorted(weighed, key=lambda one: -one.share)


def current_policies() -> list[Policy]:
    """The policy in force of every pool that has routes, by the pool's name. One query."""
    return list(
        Policy.objects.filter(current=True, pool__routes__isnull=False)
        .select_related("pool")
        .order_by(F("pool__name_en"))
        .distinct()
    )
