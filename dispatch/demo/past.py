"""A little past, made by the same services as everything: each story once, with its offers, chat, pay and rating.

Nothing is dated back: timelines and ledger only grow, and their clock is the database's. So the past is of today.
"""

from collections.abc import Iterator

from agents.models import Agent, Pool, Shift
from agents.shifts import LEASE
from dispatch import desk, presence, wrap_up
from dispatch.demo.pay import pay_out
from dispatch.demo.people import AGENTS, NEWCOMERS
from dispatch.demo.stories import NAMES, NOTES, Story, address_of, stories
from dispatch.models import Offer, OfferState
from dispatch.offers import offer_accept, offer_decline
from dispatch.runs import match_pool
from tickets.conversation import customer_reply
from tickets.errors import Refusal
from tickets.intake import ticket_open
from tickets.lifecycle import ticket_close, ticket_rate, ticket_request_human
from tickets.models import Channel, Ticket

ROUNDS = 12  # of matching; more than enough for all stories
PAID_AFTER = 2  # rounds: then what was earned goes out, and later lines wait for the next run
WAITING = 3  # stories that nobody has answered yet, so that whoever goes online first is offered something
BEAT_EVERY = 5  # tickets: far below the lease, however slow the machine


def make_past() -> int:
    """Let each story happen once. Returns the number of tickets. Does nothing when there is any ticket already. Outermost."""
    if Ticket.objects.exists():
        return 0
    people = {
        agent.pk: agent for agent in Agent.objects.select_related("user").filter(user__email__in=_addresses())
    }
    shifts = {agent_id: presence.go_online(agent_id=agent_id) for agent_id in people}
    told = stories()
    left_over, happened = told[:: len(told) // WAITING][:WAITING], 0
    open_stories = {
        ticket.pk: story
        for number, story in enumerate(told)
        if story not in left_over
        for ticket in [_open(story, number)]
    }
    try:
        for turn in range(ROUNDS):
            if not open_stories:
                break
            if turn == PAID_AFTER:
                pay_out()
            presence.beats([shift.pk for shift in shifts.values()])
            for pool_id in Pool.objects.order_by("pk").values_list("pk", flat=True):
                match_pool(pool_id)
            for offer in _pending(shifts):
                story = open_stories.get(offer.ticket_id)
                if story is None or not _accept(offer, shifts[offer.agent_id]):
                    continue
                _talk(
                    open_stories.pop(offer.ticket_id),
                    offer.ticket_id,
                    people[offer.agent_id],
                    shifts[offer.agent_id],
                )
                happened += 1
                if happened % BEAT_EVERY == 0:
                    presence.beats([shift.pk for shift in shifts.values()])
    finally:
        for agent_id, shift in shifts.items():
            _go(agent_id, shift)
    for number, story in enumerate(left_over):
        _open(story, number)
    return happened + WAITING


def _addresses() -> list[str]:
    return [person.email for person in AGENTS]


def _open(story: Story, number: int) -> Ticket:
    name = NAMES[story.language][number % len(NAMES[story.language])]
    return ticket_open(
        text=story.opening,
        channel=Channel.FORM,
        name=name,
        email=address_of(name),
        topic_key=story.topic,
        chosen_language=story.language,
    ).ticket


def _pending(shifts: dict[int, Shift]) -> Iterator[Offer]:
    """Open offers, those of the newcomers first, so that their earnings are not empty."""
    newcomers = {person.email for person in NEWCOMERS}
    offers = Offer.objects.filter(state=OfferState.PENDING, agent_id__in=shifts).select_related("agent__user")
    yield from sorted(offers, key=lambda offer: (offer.agent.user.email not in newcomers, offer.pk))


def _accept(offer: Offer, shift: Shift) -> bool:
    """Take it, or now and then decline. False when it came to nothing; a rival may have been faster."""
    try:
        if offer.pk % 9 == 4:
            offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=shift.epoch, reason="other_topic")
            return False
        offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=shift.epoch)
    except Refusal:
        return False
    return True


def _talk(story: Story, ticket_id: int, agent: Agent, shift: Shift) -> None:
    ticket = Ticket.objects.select_related("customer").get(pk=ticket_id)
    if ticket_id % 6 == 0:
        ticket_request_human(ticket=ticket)
    for place, answer in enumerate(story.agent):
        if place:
            customer_reply(ticket=ticket, body=story.customer[place])
        desk.reply(agent=agent, epoch=shift.epoch, ticket_id=ticket_id, body=answer.format(agent=agent.name))
        if place == 0 and ticket_id % 5 == 0:
            desk.note(agent=agent, epoch=shift.epoch, ticket_id=ticket_id, body=NOTES[story.language])
    if ticket_id % 13 == 0:
        ticket_close(ticket=ticket)  # some just leave, contented
        return
    desk.resolve(agent=agent, epoch=shift.epoch, ticket_id=ticket_id)
    wrap_up.done(agent=agent, epoch=shift.epoch, ticket_id=ticket_id)
    if ticket_id % 4:
        ticket_rate(ticket=ticket, score=story.score, solved=True, comment=story.comment)


def _go(agent_id: int, shift: Shift) -> None:
    try:
        presence.go_offline(agent_id=agent_id, epoch=shift.epoch)
    except Exception:  # noqa: BLE001  the lease ends it, and this must not hide why we came here
        return


assert LEASE.total_seconds() > BEAT_EVERY  # a ticket's talk takes well below a second
