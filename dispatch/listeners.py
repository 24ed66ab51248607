"""News after commit. From below: the queue or the people have changed, so the pools concerned want a run; a rating was
given. And of this app: an alert has changed. Questions from below: who is online, and until when an answer could be promised.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from django.db.models.functions import Now
from django.dispatch import receiver
from django.utils import timezone

from agents.models import Agent
from agents.signals import availability_changed
from dispatch import alert_calls, answers, offers, paying, queue, routes, tasks
from dispatch.models import Alert, Draft, Escalation, LeadAction, Misuse, Reveal, Transfer
from dispatch.rules import steps
from dispatch.signals import alert_changed
from tickets.erasing import GONE
from tickets.models import Ticket, TicketState
from tickets.signals import (
    answer_time_asked,
    answer_wanted,
    anybody_online_asked,
    erasing,
    queue_changed,
    queue_changing,
    rating_given,
)
from tickets.statements import fetch


@receiver(queue_changed)
def on_queue_changed(ticket_ids: Sequence[int], tickets: Sequence[Ticket], **_: Any) -> None:
    """Tickets that wait want a run of their pool; offers of a closed one are ended (the tick does so too, if this fails).

    Two queries if there are `ticket_ids`, none for `tickets`, and what is not kept of the routes.
    """
    plan = routes.routes()
    now = timezone.now()  # a step that this clock has not reached yet is found by the tick
    pools: set[int] = set()
    read = fetch(Ticket, "WHERE id = ANY(%s)", [list(ticket_ids)]) if ticket_ids else []
    # A ticket that was just written has not been passed on yet.
    passed = dict(_passed_on(ticket_ids)) if read else {}
    for ticket in [*tickets, *read]:
        route = plan.of(ticket.topic_id)
        if ticket.state == TicketState.CLOSED:
            offers.offers_cancel(ticket_id=ticket.pk)
        elif ticket.state == TicketState.WAITING and route is not None:
            here = steps.of_pool(passed[ticket.pk]) if ticket.pk in passed else route.steps
            pools.update(steps.pools(here, (now - ticket.waiting_since).total_seconds()))
    tasks.run_ask(pools)


@receiver(queue_changing)
def on_queue_changing(ticket: Ticket, writer: int, **_: Any) -> AbstractContextManager[None]:
    """As on_queue_changed(), for a ticket that is about to be written. What is not kept of the routes are its queries."""
    route = routes.routes().of(ticket.topic_id)
    return tasks.run_ask_ahead(steps.pools(route.steps, 0.0) if route else (), writer, ticket)


def _passed_on(ticket_ids: Sequence[int]) -> list[tuple[int, int]]:
    """(ticket id, pool id) of those that were passed on to a pool. One query."""
    found = Transfer.objects.filter(ticket_id__in=ticket_ids, pool__isnull=False)
    return list(found.values_list("ticket_id", "pool_id"))


@receiver(availability_changed)
def on_availability_changed(agent_ids: Sequence[int], **_: Any) -> None:
    """Somebody has come or has more free: their pools may serve tickets that wait."""
    pools = set(
        Agent.objects.filter(pk__in=agent_ids, pools__isnull=False).values_list("pools", flat=True).distinct()
    )
    tasks.run_ask(pools & routes.routes().pools())


@receiver(erasing)
def on_erasing(ticket_id: int, **_: Any) -> None:
    """Drafts and what was asked of a team lead go with the words that they are about."""
    Draft.objects.filter(ticket_id=ticket_id).delete()
    Escalation.objects.filter(ticket_id=ticket_id).update(reason=GONE)
    Escalation.objects.filter(ticket_id=ticket_id).exclude(answer="").update(answer=GONE)
    Misuse.objects.filter(ticket_id=ticket_id).update(address="", note="", answer="")
    for model in (Escalation, Misuse):  # nobody looks at it any more
        model._default_manager.filter(ticket_id=ticket_id, settled_at__isnull=True).update(settled_at=Now())
    Reveal.objects.filter(ticket_id=ticket_id).update(words="")
    LeadAction.objects.filter(ticket_id=ticket_id).update(why=GONE)


@receiver(answer_wanted)
def on_answer_wanted(ticket_id: int, **_: Any) -> None:
    """The assistant is to answer: a worker lets it."""
    tasks.assistant_ask(ticket_id)


@receiver(answer_time_asked)
def on_answer_time_asked(topic_id: int | None, **_: Any) -> datetime | None:
    """As it would be promised now. No query while routes and calendars are kept."""
    return answers.due_at(topic_id, timezone.now())


@receiver(anybody_online_asked)
def on_anybody_online_asked(**_: Any) -> bool:
    """One query, every two seconds at most."""
    return queue.anybody_online()


@receiver(rating_given)
def on_rating_given(rating_id: int, **_: Any) -> None:
    """A good rating may bring its agent a bonus."""
    paying.rated(rating_id=rating_id)


@receiver(alert_changed)
def on_alert_changed(event: str, alert: Alert, **_: Any) -> None:
    """Team leads who want it are told on their devices."""
    alert_calls.ask(event, alert.pk)
