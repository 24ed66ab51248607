"""An agent ends a ticket as spam or abuse; a team lead confirms that or takes it back (ADR 22).

The ticket is closed with that outcome: it cannot be rated, is no solved one, and its customer cannot open it again. The work is
paid as any completed ticket. Who ends what so stands in a list of its own, and taking back puts the ticket before all others.
"""

from datetime import timedelta

from django.db.models import Count, Q
from django.db.models.functions import Now

from agents.models import Agent, User
from agents.shifts import shift_locked
from dispatch.errors import AlreadySettled, NotHolder, OnlyPractice
from dispatch.models import Misuse, Offer, OfferState, Transfer
from dispatch.offers import complete
from tickets import events, lifecycle, timeline
from tickets.conversation import body_clean, message_post
from tickets.models import Author, EndedAs, Ticket

ENDED_AS = (
    "misuse"  # reason of the completed offer: neither rated nor reviewed, and no bond with the customer
)
OF_LATE_DAYS = 30


def end_as(
    *, agent: Agent, epoch: int, ticket_id: int, kind: EndedAs, note: str = "", key: str | None = None
) -> None:
    """The holder ends the ticket as spam or abuse; a note is for team leads and colleagues. Outermost.

    Raises MessageTooLong, BadText, OnlyPractice, NotHolder, TicketClosed, ShiftEnded, NotOnline, KeyReused.
    """
    note = body_clean(note, required=False)
    digest = timeline.digest_of("end_as", agent.pk, kind, note)

    def act() -> None:
        with timeline.command():
            shift = shift_locked(agent_id=agent.pk, epoch=epoch)
            mine = Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED)
            offer = mine.select_related("ticket__customer").first()
            if offer is None:
                raise NotHolder
            if shift.practice:
                raise OnlyPractice
            lifecycle.ticket_end(
                ticket_id=ticket_id, kind=kind, actor_id=agent.user_id, key=key, digest=digest
            )
            if note:
                _note(ticket_id, Author.AGENT, agent.name, agent.user_id, note)
            Misuse.objects.create(
                ticket_id=ticket_id,
                offer=offer,
                kind=kind,
                note=note,
                address=offer.ticket.customer.email,
            )
            complete(mine, ENDED_AS, offer.ticket.topic_id, locked={shift.pk: shift})

    timeline.once(ticket_id, key, digest, act, lambda _event: None)


def confirm(*, misuse_id: int, lead: User, answer: str = "") -> None:
    """A team lead has looked: it was. The ticket stays closed. Outermost. Raises AlreadySettled, MessageTooLong, BadText."""
    answer = body_clean(answer, required=False)
    with timeline.command():
        ticket_id = _settle(misuse_id, lead, answer, confirmed=True)
        timeline.advance(
            Ticket.objects.filter(pk=ticket_id),
            events.MISUSE_CONFIRMED,
            {"lead_name": str(lead)},
            actor_id=lead.pk,
        )
        if answer:
            _note(ticket_id, Author.SYSTEM, str(lead), lead.pk, answer)


def take_back(*, misuse_id: int, lead: User, answer: str = "") -> None:
    """A team lead has looked: it was not. The ticket waits again, before others; what was paid stays. Outermost.

    Raises AlreadySettled, MessageTooLong, BadText.
    """
    answer = body_clean(answer, required=False)
    with timeline.command():
        ticket_id = _settle(misuse_id, lead, answer, confirmed=False)
        lifecycle.ticket_restore(ticket_id=ticket_id, actor_id=lead.pk)
        # Whoever was asked by name has had it; it is anybody's now.
        Transfer.objects.filter(ticket_id=ticket_id, pool__isnull=True).delete()
        Transfer.objects.filter(ticket_id=ticket_id).update(agent=None)
        if answer:
            _note(ticket_id, Author.SYSTEM, str(lead), lead.pk, answer)


def of_late(agent_ids: set[int]) -> dict[int, tuple[int, int]]:
    """Agent id → how many tickets they ended so in the last days, and how many of these were taken back. One query."""
    rows = (
        Misuse.objects.filter(offer__agent_id__in=agent_ids, made_at__gt=Now() - timedelta(days=OF_LATE_DAYS))
        .values_list("offer__agent_id")
        .annotate(ended=Count("pk"), back=Count("pk", filter=Q(confirmed=False)))
    )
    return {agent_id: (ended, back) for agent_id, ended, back in rows}


def _settle(misuse_id: int, lead: User, answer: str, *, confirmed: bool) -> int:
    """Returns the ticket's id."""
    _lock_ticket(misuse_id)
    settled = timeline.update_returning(
        Misuse.objects.filter(pk=misuse_id, settled_at__isnull=True),
        ["ticket_id"],
        settled_at=Now(),
        settled_by=lead,
        confirmed=confirmed,
        answer=answer,
    )
    if not settled:
        raise AlreadySettled
    ticket_id: int = settled[0][0]
    return ticket_id


def _lock_ticket(misuse_id: int) -> None:
    """Before the row itself, as the erasing of a ticket does, which settles it as well."""
    its = Misuse.objects.filter(pk=misuse_id).values("ticket_id")
    list(Ticket.objects.select_for_update().filter(pk__in=its).values_list("pk", flat=True))


def _note(ticket_id: int, author: Author, name: str, user_id: int, body: str) -> None:
    message_post(
        ticket_id=ticket_id,
        author=author,
        author_name=name,
        author_user_id=user_id,
        body=body,
        internal=True,
        late=True,
    )
