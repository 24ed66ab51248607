"""A little past, made by the same services as everything: each story once, with its offers, chat, pay and rating.

Nothing is dated back: timelines and ledger only grow, and their clock is the database's. So the past is of today.
"""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formataddr, make_msgid
from typing import Any

from django.conf import settings
from django.utils import timezone

from agents.models import Agent, Pool, Shift
from agents.shifts import LEASE
from dispatch import desk, misuse, presence, reveals, snooze, wrap_up
from dispatch.demo.pay import pay_out
from dispatch.demo.people import AGENTS, NEWCOMERS
from dispatch.demo.stories import NAMES, NOTES, Story, address_of, stories
from dispatch.models import Offer, OfferState, RevealReason
from dispatch.offers import offer_accept, offer_decline
from dispatch.runs import match_pool
from tickets import signs
from tickets.assistant import turns
from tickets.conversation import customer_reply
from tickets.errors import Refusal
from tickets.inbox.taking import mail_take
from tickets.intake import ticket_open
from tickets.lifecycle import ticket_close, ticket_rate, ticket_request_human
from tickets.masking import mask
from tickets.models import Channel, EndedAs, Message, Ticket, TicketState

ROUNDS = 12  # of matching; more than enough for all stories
PAID_AFTER = 2  # rounds: then what was earned goes out, and later lines wait for the next run
PUT_ASIDE = 7  # the story that is put aside, by the order in which they happen
WAITING = 3  # stories that nobody has answered yet, so that whoever goes online first is offered something
ASIDE_UNTIL = timedelta(hours=2)  # one is put aside for so long; its agent goes, and it sleeps on
NOBODYS = Story(
    topic="",
    language="en",
    customer=("Rank first on every search engine in 24 hours, only 99 dollars! Reply for our price list.",),
    agent=(),
    score=0,
    comment="",
)  # ended as spam, for the team lead to look at
BEAT_EVERY = 5  # tickets: far below the lease, however slow the machine


def make_past() -> int:
    """Let each story happen once. Returns the number of tickets. Does nothing when there is any ticket already. Outermost."""
    if Ticket.objects.filter(Ticket.REAL).exists():
        return 0
    people = {
        agent.pk: agent for agent in Agent.objects.select_related("user").filter(user__email__in=_addresses())
    }
    shifts = {agent_id: presence.go_online(agent_id=agent_id) for agent_id in people}
    told = stories()
    left_over = told[:: len(told) // WAITING][:WAITING]
    open_stories = {
        ticket.pk: story
        for number, story in enumerate(told)
        if story not in left_over
        for ticket in [_open(story, number)]
        if not _helped_by_machine(ticket)
    }
    happened = len(told) - len(left_over) - len(open_stories)
    open_stories[_open(NOBODYS, 0).pk] = NOBODYS
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
                happened += 1
                told_how = _set_aside if story is NOBODYS or happened == PUT_ASIDE else _talk
                told_how(
                    open_stories.pop(offer.ticket_id),
                    offer.ticket_id,
                    people[offer.agent_id],
                    shifts[offer.agent_id],
                )
                if happened % BEAT_EVERY == 0:
                    presence.beats([shift.pk for shift in shifts.values()])
    finally:
        for agent_id, shift in shifts.items():
            _go(agent_id, shift)
    for number, story in enumerate(left_over[1:], start=1):
        ticket = _open(story, number)
        if ticket.state == TicketState.ASSISTED:  # these wait for a person
            ticket_request_human(ticket=ticket)
    _mailed(left_over[0])
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


def _mailed(story: Story) -> None:
    """The same by mail."""
    name = NAMES[story.language][0]
    mail = EmailMessage()
    mail["From"], mail["To"] = formataddr((name, address_of(name))), settings.DEFAULT_FROM_EMAIL
    mail["Subject"], mail["Message-ID"] = story.opening.split(".")[0][:60], make_msgid(domain="home.example")
    mail.set_content(story.opening)
    mail_take(mail.as_bytes())


def _helped_by_machine(ticket: Ticket) -> bool:
    """Where the assistant tries first: whether its answer was all that was wanted. Else a person has it now."""
    if ticket.state != TicketState.ASSISTED:
        return False
    turns.answer(ticket_id=ticket.pk)
    ticket = Ticket.objects.select_related("customer", "topic").get(pk=ticket.pk)
    if ticket.state == TicketState.ASSISTED and ticket.pk % 3 == 0:
        turns.answer_judge(ticket=ticket, helped=True)
        return True
    if ticket.state == TicketState.ASSISTED:
        ticket_request_human(ticket=ticket)
    return False


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
        if place == 0:
            _look_closer(story, ticket_id, agent, shift)
        if place == 0 and ticket_id % 5 == 0:
            desk.note(agent=agent, epoch=shift.epoch, ticket_id=ticket_id, body=NOTES[story.language])
    if ticket_id % 10:  # the others were away, and get the answers by mail
        seen = Ticket.objects.values_list("last_seq", flat=True).get(pk=ticket_id)
        signs.read_up_to(ticket, signs.Side.CUSTOMER, seen)
    if ticket_id % 13 == 0:
        ticket_close(ticket=ticket)  # some just leave, contented
        return
    desk.resolve(agent=agent, epoch=shift.epoch, ticket_id=ticket_id)
    wrap_up.done(agent=agent, epoch=shift.epoch, ticket_id=ticket_id)
    if ticket_id % 4:
        ticket_rate(ticket=ticket, score=story.score, solved=True, comment=story.comment)


def _set_aside(story: Story, ticket_id: int, agent: Agent, shift: Shift) -> None:
    """Ended as spam, or put aside after the first answer."""
    where: dict[str, Any] = {"agent": agent, "epoch": shift.epoch, "ticket_id": ticket_id}
    if story is NOBODYS:
        misuse.end_as(**where, kind=EndedAs.SPAM, note="The same text came to three of us this week.")
        return
    desk.reply(**where, body=story.agent[0].format(agent=agent.name))
    snooze.snooze(**where, until=timezone.now() + ASIDE_UNTIL)


def _look_closer(story: Story, ticket_id: int, agent: Agent, shift: Shift) -> None:
    """Have something shown that is masked, as agents do now and then."""
    wish: dict[str, Any] = {"agent": agent, "epoch": shift.epoch, "ticket_id": ticket_id}
    if mask(story.opening).kinds:
        opening = Message.objects.filter(ticket=ticket_id).order_by("seq").first()
        assert opening is not None
        reveals.reveal(**wish, place=f"message-{opening.seq}", reason=RevealReason.CONTACT)
    elif ticket_id % 7 == 0:
        reveals.reveal(**wish, place="name", reason=RevealReason.IDENTIFY)


def _go(agent_id: int, shift: Shift) -> None:
    try:
        presence.go_offline(agent_id=agent_id, epoch=shift.epoch)
    except Exception:  # noqa: BLE001  the lease ends it, and this must not hide why we came here
        return


assert LEASE.total_seconds() > BEAT_EVERY  # a ticket's talk takes well below a second
