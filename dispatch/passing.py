"""Passing a ticket on: to another pool, to a colleague by name, or, while it stays, to the eyes of team leads.

Each needs a note, so that nobody asks the customer again. A ticket that is passed on waits again with its age; who is offered
it is a run's matter, which reads the Transfer.
"""

from collections.abc import Mapping
from typing import NamedTuple

from django.db.models.functions import Now
from django.utils import timezone

from agents.models import Agent, Pool, User
from agents.shifts import shift_current, shift_locked
from dispatch import routes
from dispatch.errors import (
    AlreadyEscalated,
    AlreadySettled,
    NobodyThere,
    NoteMissing,
    NotHolder,
    OnlyPractice,
)
from dispatch.members import able, online
from dispatch.models import Escalation, Offer, OfferState, Transfer
from dispatch.offers import end
from dispatch.rules import steps
from tickets import events, lifecycle, timeline
from tickets.conversation import body_clean, message_post
from tickets.models import Author, Channel, Ticket

TRANSFERRED = "transferred"
MORE_URGENT = 1  # what an escalation adds to a ticket's priority: as much as an urgent topic has


class Targets(NamedTuple):
    """Where a ticket may go: pools with how many of their people are online and able, and such colleagues by name."""

    pools: list[tuple[Pool, int]]
    colleagues: list[Agent]


def targets(*, agent: Agent, ticket_id: int) -> Targets:
    """Where this agent may pass the ticket on to now.

    Pools are those of all routes. A colleague is somebody who could be offered the ticket in a pool where it may wait, had they
    the time. Raises NotHolder. Five queries, three more if a profile is new or changed.
    """
    ticket = Ticket.objects.filter(
        pk=ticket_id, offers__agent=agent, offers__state=OfferState.ACCEPTED
    ).first()
    if ticket is None:
        raise NotHolder
    return targets_of(ticket, but=agent.pk)


def targets_of(ticket: Ticket, *, but: int | None) -> Targets:
    """Where a ticket may go from an agent (`but`), or from the queue. Four queries, and
    three more if a profile is new or changed."""
    if ticket.channel == Channel.PRACTICE:  # an applicant learns nobody's name
        return Targets([], [])
    plan = routes.routes()
    spec = plan.of(ticket.topic_id)
    if spec is None:
        return Targets([], [])
    pools = list(Pool.objects.filter(pk__in=plan.pools()))
    able_in: dict[int, set[int]] = {pool.pk: set() for pool in pools}
    near = _pools_now(ticket, spec.steps)
    for one in online(list(able_in)):
        step = steps.at(spec.steps, one.pool_id, float("inf")) or steps.Step(0, one.pool_id)
        if one.agent_id != but and able(one, steps.required(spec.required, step), ticket.language):
            able_in[one.pool_id].add(one.agent_id)
    colleagues = Agent.objects.filter(
        pk__in=set().union(*(able_in[pool] for pool in near if pool in able_in))
    )
    return Targets([(pool, len(able_in[pool.pk])) for pool in pools], list(colleagues))


def _pools_now(ticket: Ticket, route: tuple[steps.Step, ...]) -> list[int]:
    """The pools in which this held ticket would wait, were it given back now. One query."""
    moved = Transfer.objects.filter(ticket=ticket).values_list("pool_id", flat=True).first()
    here = steps.of_pool(moved) if moved is not None else route
    # A step that this clock has not reached yet is one of the next try: a run decides by the database's.
    return steps.pools(here, (timezone.now() - ticket.waiting_since).total_seconds())


def transfer(
    *,
    agent: Agent,
    epoch: int,
    ticket_id: int,
    note: str,
    pool_id: int | None = None,
    to_agent_id: int | None = None,
    key: str | None = None,
) -> None:
    """The holder passes the ticket on to a pool or to a colleague, with a note. Outermost.

    It waits again with its age: in that pool alone, or, for its first seconds, for that colleague. The customer is told that it
    is passed on, and not to whom. Raises NoteMissing, MessageTooLong, BadText, NobodyThere, NotHolder, TicketClosed,
    ShiftEnded, NotOnline, KeyReused.
    """
    note = _note(note)
    digest = timeline.digest_of("transfer", agent.pk, note, pool_id, to_agent_id)

    def act() -> None:
        with timeline.command():
            shift = shift_locked(agent_id=agent.pk, epoch=epoch)
            mine = Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED)
            if not mine.exists():
                raise NotHolder
            told = named(targets(agent=agent, ticket_id=ticket_id), pool_id, to_agent_id)
            message_post(
                ticket_id=ticket_id,
                author=Author.AGENT,
                author_name=agent.name,
                author_user_id=agent.user_id,
                body=note,
                internal=True,
            )
            timeline.advance(
                Ticket.objects.filter(pk=ticket_id),
                events.TRANSFERRED,
                {"by": agent.name, **told},
                actor_id=agent.user_id,
            )
            # The customer reads this event: that it is passed on, and nothing of whom to.
            lifecycle.ticket_release(
                ticket_id=ticket_id, reason=TRANSFERRED, actor_id=agent.user_id, key=key, digest=digest
            )
            point(ticket_id, pool_id, to_agent_id)
            end(mine, OfferState.RELEASED, TRANSFERRED, locked={shift.pk: shift})

    timeline.once(ticket_id, key, digest, act, lambda _event: None)


def named(there: Targets, pool_id: int | None, to_agent_id: int | None) -> Mapping[str, str | None]:
    """The names of whom it goes to. Raises NobodyThere."""
    pools = {pool.pk: pool for pool, _able in there.pools}
    colleagues = {colleague.pk: colleague for colleague in there.colleagues}
    if (pool_id is None) == (to_agent_id is None):
        raise NobodyThere
    if to_agent_id is not None:
        if to_agent_id not in colleagues:
            raise NobodyThere
        return {"pool": None, "agent_name": colleagues[to_agent_id].name}
    if pool_id not in pools:
        raise NobodyThere
    return {"pool": pools[pool_id].key, "agent_name": None}


def point(ticket_id: int, pool_id: int | None, to_agent_id: int | None) -> None:
    """Write down where to. Inner. By name, the pool that it was passed on to before stays. The ticket's row is locked."""
    values = {"agent_id": to_agent_id, "made_at": Now()}
    if pool_id is not None:
        values["pool_id"] = pool_id
    Transfer.objects.update_or_create(ticket_id=ticket_id, defaults=values)


def escalate(*, agent: Agent, epoch: int, ticket_id: int, reason: str, key: str | None = None) -> None:
    """The holder asks the team leads to look at the ticket, and keeps it; its priority rises for whenever it waits. Outermost.

    The customer is told that a team lead was asked; the reason is a note. Raises NoteMissing, MessageTooLong, BadText,
    AlreadyEscalated, OnlyPractice, NotHolder, TicketClosed, ShiftEnded, NotOnline, KeyReused.
    """
    reason = _note(reason)
    digest = timeline.digest_of("escalate", agent.pk, reason)

    def act() -> None:
        with timeline.command():
            shift = shift_current(agent_id=agent.pk, epoch=epoch)
            if not Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED).exists():
                raise NotHolder
            if shift.practice:
                raise OnlyPractice
            lifecycle.ticket_escalate(
                ticket_id=ticket_id,
                agent_name=agent.name,
                more=MORE_URGENT,
                actor_id=agent.user_id,
                key=key,
                digest=digest,
            )
            # The ticket's row is locked by the step above, so nothing comes between the look and the insert.
            if Escalation.objects.filter(ticket_id=ticket_id, settled_at__isnull=True).exists():
                raise AlreadyEscalated
            Escalation.objects.create(ticket_id=ticket_id, agent=agent, reason=reason)
            message_post(
                ticket_id=ticket_id,
                author=Author.AGENT,
                author_name=agent.name,
                author_user_id=agent.user_id,
                body=reason,
                internal=True,
            )

    timeline.once(ticket_id, key, digest, act, lambda _event: None)


def escalation_settle(*, escalation_id: int, lead: User, answer: str = "") -> None:
    """A team lead has looked at it; an answer becomes a note in the ticket, for whoever holds it. Outermost.

    Raises AlreadySettled, MessageTooLong, BadText.
    """
    answer = body_clean(answer, required=False)
    with timeline.command():
        # The ticket first, as the erasing of it does, which settles this as well.
        its = Escalation.objects.filter(pk=escalation_id).values("ticket_id")
        list(Ticket.objects.select_for_update().filter(pk__in=its).values_list("pk", flat=True))
        settled = timeline.update_returning(
            Escalation.objects.filter(pk=escalation_id, settled_at__isnull=True),
            ["ticket_id"],
            settled_at=Now(),
            settled_by=lead,
            answer=answer,
        )
        if not settled:
            raise AlreadySettled
        [(ticket_id,)] = settled
        timeline.advance(
            Ticket.objects.filter(pk=ticket_id),
            events.ESCALATION_SETTLED,
            {"lead_name": str(lead)},
            actor_id=lead.pk,
        )
        if answer:
            message_post(
                ticket_id=ticket_id,
                author=Author.SYSTEM,
                author_name=str(lead),
                author_user_id=lead.pk,
                body=answer,
                internal=True,
                late=True,
            )


def _note(text: str) -> str:
    clean = body_clean(text, required=False)
    if not clean:
        raise NoteMissing
    return clean
