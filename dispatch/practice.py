"""Practice: a scripted customer on the real desk (ADR 19). Begun by the agent, answered and assessed by the tick.

Ticket, offer and shift are real rows, so the desk's commands, streams and pages are the real ones. What keeps them apart from
customers: the ticket never waits, the shift is never online (constraints of their tables), and no run has made the offer.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now

from agents import onboarding
from agents.models import Agent, EndReason, Shift
from agents.shifts import shift_end, shift_open_practice, shifts_lock, units_take
from dispatch import events, feed, routes
from dispatch.errors import NothingToPractise
from dispatch.models import Offer, OfferState, Practice, PracticePoint, PracticeScript
from dispatch.offers import tell_shift
from dispatch.rules import practice as rules
from tickets import intake, timeline
from tickets.conversation import message_post
from tickets.models import Author, Message, Ticket, TicketState

UNITS = 30  # where its topic has no route


def scripts() -> list[PracticeScript]:
    """Those that can be practised with. One query."""
    return list(PracticeScript.objects.filter(active=True))


def start(*, agent: Agent, script_key: str, language: str) -> Practice:
    """The agent begins, or goes on with the one that is open, whatever its script. Outermost.

    Raises NotYetPractising, OnShift, NothingToPractise.
    """
    script = PracticeScript.objects.select_related("topic").filter(key=script_key, active=True).first()
    if script is None:
        raise NothingToPractise
    settle(agent_id=agent.pk)  # what they have just ended, and the tick has not come by
    tongue = "de" if language.startswith("de") else "en"
    with timeline.command():
        shift, made = shift_open_practice(agent_id=agent.pk)
        if not made:
            return Practice.objects.get(shift=shift)
        ticket = intake.practice_open(
            text=script.said("opening", tongue),
            name=script.customer,
            topic=script.topic,
            language=tongue,
            agent_name=agent.name,
            actor_id=agent.user_id,
        )
        route = routes.routes().of(ticket.topic_id)
        offer = Offer.objects.create(
            ticket=ticket,
            agent=agent,
            shift=shift,
            state=OfferState.ACCEPTED,
            units=min(route.units if route else UNITS, shift.units),
            pay_cents=0,
            currency="EUR",
            answered_at=Now(),
            expires_at=Now() + timedelta(seconds=1),
        )
        units_take(shift.pk, offer.units)
        practice = Practice.objects.create(agent=agent, script=script, ticket=ticket, shift=shift)
        feed.record(
            agent.pk,
            events.OFFER_ACCEPTED,
            {"offer": offer.pk, "reason": "", "ticket": ticket.public_id, "automatic": False},
        )
        tell_shift(shift)
    return practice


def look() -> int:
    """Answer those agents who have written, and assess what has ended, each in a transaction of its own. Outermost; for the
    tick. Returns how many. Safe twice or late. One query while there is nothing.
    """
    held = Q(ticket__state=TicketState.HELD)
    last = _talk(OuterRef("ticket")).order_by("-seq").values("author")[:1]
    due = (
        Practice.objects.filter(finished_at__isnull=True)
        .annotate(last=Subquery(last))
        .filter(~held | held & Q(last=Author.AGENT))
        .order_by("pk")
        .values_list("pk", "agent_id", "ticket__state")[:200]
    )
    return sum(
        _answer(pk) if state == TicketState.HELD else settle(agent_id=agent_id)
        for pk, agent_id, state in list(due)
    )


def _talk(ticket: Any) -> QuerySet[Message]:
    return Message.objects.filter(
        ticket=ticket, internal=False, author__in=(Author.AGENT, Author.CUSTOMER)
    ).order_by("seq")


def _answer(practice_id: int) -> bool:
    """The scripted customer has the word, unless the agent is about to resolve. False when they say nothing."""
    with timeline.command():
        practice = Practice.objects.select_related("script").get(pk=practice_id)
        # Two ticks at once: the second waits here, and finds the first one's answer.
        ticket = Ticket.objects.select_for_update().get(pk=practice.ticket_id)
        mine = Offer.objects.filter(ticket=ticket, state=OfferState.ACCEPTED, resolves_at__isnull=True)
        if ticket.state != TicketState.HELD or not mine.exists():
            return False
        talk = list(_talk(ticket).values_list("author", "body"))
        answered = max(place for place, (author, _body) in enumerate(talk) if author == Author.CUSTOMER)
        before, now = _by_agent(talk[:answered]), _by_agent(talk[answered:])
        if not now:
            return False
        body = rules.answer(_script(practice.script, ticket.language), before, now)
        if body:
            _say(practice, body)
        return bool(body)


def _say(practice: Practice, body: str, *, late: bool = False) -> None:
    message_post(
        ticket_id=practice.ticket_id,
        author=Author.CUSTOMER,
        author_name=practice.script.customer,
        body=body,
        late=late,
    )


def settle(*, agent_id: int) -> bool:
    """Assess the practice of this agent whose ticket has ended, and end its shift. Outermost; safe twice.

    Passed is: replied, all points met, and resolved by the agent. Returns whether it was done now.
    """
    ended = Practice.objects.filter(agent_id=agent_id, finished_at__isnull=True).exclude(
        ticket__state=TicketState.HELD
    )
    if not ended.exists():
        return False
    with timeline.command():
        Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
        practice = ended.select_related("script", "ticket").first()
        if practice is None:  # another one was as fast
            return False
        shift = shifts_lock([practice.shift_id])[practice.shift_id]
        _assess(practice)
        if shift.ended_at is None:
            _leave(shift)
        if practice.passed:
            onboarding.practised(agent_id=agent_id)
    return True


def _assess(practice: Practice) -> None:
    language = practice.ticket.language
    said = _by_agent(_talk(practice.ticket).values_list("author", "body"))
    found = list(practice.script.points.all())
    script = _script(practice.script, language, found)
    results = rules.met(script.points, said)
    practice.points = [
        {
            "en": point.name_en,
            "de": point.name_de,
            "advice_en": point.advice_en,
            "advice_de": point.advice_de,
            "met": met,
        }
        for point, met in zip(found, results, strict=True)
    ]
    practice.replied = bool(said)
    practice.resolved = practice.ticket.state == TicketState.RESOLVED
    practice.passed = practice.replied and practice.resolved and all(results)
    # Who sent and resolved in one has not heard it yet.
    last = _talk(practice.ticket).last()
    if practice.passed and last is not None and last.author == Author.AGENT:
        _say(practice, script.thanks, late=True)
    practice.finished_at = Now()
    practice.save(update_fields=["points", "replied", "resolved", "passed", "finished_at"])


def _leave(shift: Shift) -> None:
    """Nothing is held any more: the shift is over."""
    shift_end(shift, EndReason.AGENT)
    tell_shift(shift)


def _by_agent(talk: Iterable[tuple[str, str]]) -> list[str]:
    return [body for author, body in talk if author == Author.AGENT]


def _script(
    script: PracticeScript, language: str, points: Sequence[PracticePoint] | None = None
) -> rules.Script:
    """A script in one language, for the rules. One query, none with the points."""
    german = language.startswith("de")
    return rules.Script(
        points=[
            rules.Point(
                rules.words_of(one.words_de if german else one.words_en),
                one.answer_de if german else one.answer_en,
                one.avoid,
            )
            for one in (script.points.all() if points is None else points)
        ],
        unclear=script.said("unclear", language),
        thanks=script.said("thanks", language),
    )
