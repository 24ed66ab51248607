"""Business figures: what monitoring reads is what the tables say, and names nobody."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from dispatch import figures, presence, pulse
from dispatch.models import Offer, PromisedAnswer, Run, WebhookDelivery, WebhookEndpoint
from dispatch.offers import offer_accept, offer_decline
from dispatch.runs import match_pool
from tests.cast import World
from tickets.models import LinkRequest, MailIn, Ticket

pytestmark = pytest.mark.django_db


def counted() -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("standby_"), *sample.labels): sample.value for sample in figures.collect()
    }


def test_nothing_is_zero_or_absent(world: World) -> None:
    found = counted()
    assert found[("queue_tickets", "first")] == 0
    assert found[("people_online", "online")] == 0
    assert found[("outbox_mails", "link")] == 0
    assert not {name for name, *_labels in found} & {
        "offers_accepted_ratio",
        "service_level_ratio",
        "offer_answer_seconds",
    }


def test_figures_of_a_small_day(world: World) -> None:
    """Anna declines one and holds one, which took her 8 s to accept; one waits for nobody, and Bernd pauses."""
    anna = world.agent("Anna")
    bernd = world.agent("Bernd", payments=0, cards=0)
    presence.go_online(agent_id=anna.pk)
    presence.go_online(agent_id=bernd.pk)
    presence.pause(agent_id=bernd.pk, epoch=1)
    declined = world.ticket()
    match_pool(world.pool.pk)
    offer_decline(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    held = world.ticket("And mine?")
    match_pool(world.pool.pk)
    offer = Offer.objects.get(ticket=held)
    Offer.objects.filter(pk=offer.pk).update(made_at=Now() - timedelta(seconds=8))
    Ticket.objects.filter(pk=held.pk).update(created_at=Now() - timedelta(seconds=10))
    offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    Run.objects.update(solve_micros=2000)
    Ticket.objects.filter(pk=declined.pk).update(waiting_since=Now() - timedelta(seconds=90))
    pulse.pulse_beat(kind="worker")

    found = counted()
    exact = {
        ("queue_tickets", "first"): 1,
        ("topic_waiting_tickets", "refund"): 1,
        ("tickets_held",): 1,
        ("tickets_assisted",): 0,
        ("tickets_asleep",): 0,
        ("people_online", "online"): 1,
        ("people_online", "paused"): 1,
        ("people_online", "finishing"): 0,
        ("people_lost",): 0,
        ("offers_recent", "declined"): 1,
        ("offers_recent", "accepted"): 1,
        ("offers_accepted_ratio",): 0.5,
        ("runs_recent", "first"): 2,
        ("run_solve_seconds", "0.5"): 0.002,
        ("outbox_mails", "link"): 2,
        ("answers_late",): 0,
    }
    assert {key: found.get(key) for key in exact} == exact
    assert 90 <= found[("queue_oldest_seconds", "first")] < 150
    assert 90 <= found[("topic_oldest_seconds", "refund")] < 150
    assert 8 <= found[("offer_answer_seconds", "0.99")] < 60
    assert found[("process_heard_seconds", "worker")] < 60
    assert ("process_heard_seconds", "beat") not in found
    assert found[("units_taken",)] == Offer.objects.get(pk=offer.pk).units
    assert not [label for key in found for label in key[1:] if "arla" in label or "nna" in label]


def test_what_is_counted_is_declared(
    world: World, django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    figures.collect()
    with django_assert_max_num_queries(25):
        samples = figures.collect()
    declared = {figure.name: figure.labels for figure in figures.FIGURES}
    assert len(declared) == len(figures.FIGURES)
    assert all(len(sample.labels) == len(declared[sample.name]) for sample in samples)


def test_what_waits_to_be_sent_is_counted_by_kind(world: World) -> None:
    """One of each kind is due; beside each stands one that is not."""
    sent, first, second, third = (world.ticket() for _ in range(4))
    Ticket.objects.exclude(pk=first.pk).update(link_mailed_at=Now())
    due_at = Now() + timedelta(hours=1)
    PromisedAnswer.objects.create(ticket=first, due_at=due_at)
    PromisedAnswer.objects.create(ticket=second, due_at=due_at, mailed_at=Now())
    PromisedAnswer.objects.create(ticket=third, due_at=due_at, ended_at=Now())
    PromisedAnswer.objects.create(ticket=sent, due_at=due_at)
    Ticket.objects.filter(pk=sent.pk).update(mails_stopped_at=Now())
    LinkRequest.objects.create(email="carla@home.example", language="en")
    LinkRequest.objects.create(email="", language="en", sent_at=Now())
    MailIn.objects.create(key="a", outcome="replied", ticket=first, left_out=[["x.exe", "no"]])
    MailIn.objects.create(key="b", outcome="replied", ticket=first)
    told = WebhookEndpoint.objects.create(url="https://a.example", events=["ticket.opened"])
    stopped = WebhookEndpoint.objects.create(
        url="https://b.example", events=["ticket.opened"], stopped_by="person", stopped_at=Now()
    )
    for number, (endpoint, state, due) in enumerate((
        (told, "pending", Now()),
        (told, "pending", Now() + timedelta(minutes=1)),  # is tried again later
        (told, "delivered", Now()),
        (told, "failed", Now()),
        (stopped, "pending", Now()),
    )):  # fmt: skip
        WebhookDelivery.objects.create(
            endpoint=endpoint, message_id=f"m{number}", type="ticket.opened", data={}, state=state, due_at=due
        )
    found = counted()
    assert {key[1]: value for key, value in found.items() if key[0] == "outbox_mails"} == {
        "link": 1, "away": 0, "letter": 0, "notice": 0, "promise": 1, "links": 1, "left_out": 1,
    }  # fmt: skip
    assert found[("webhooks_due",)] == 1
