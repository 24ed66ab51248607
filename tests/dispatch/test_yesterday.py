"""A day of the installation as the simulator's case."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from agents.models import Lease, Pool, Shift
from dispatch import presence, routes
from dispatch.models import FeedEvent, Offer, Route, RouteStep
from dispatch.rules.steps import Step
from dispatch.runs import match_pool
from dispatch.simulator.case import POOL, world_of
from dispatch.simulator.loop import Play
from dispatch.simulator.measure import figures_of
from dispatch.simulator.policies import OURS
from dispatch.yesterday import NothingLogged, case_of_day
from tests.cast import World
from tickets.intake import ticket_open
from tickets.models import Article, AssistantAnswer, Channel, Ticket

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MIDNIGHT = timezone.make_aware(datetime(2026, 11, 2))


def placed(ticket: Ticket, at: datetime, handling: float | None = None) -> None:
    done = {"first_held_at": at, "resolved_at": at + timedelta(seconds=handling)} if handling else {}
    Ticket.objects.filter(pk=ticket.pk).update(created_at=at, **done)


def test_the_day_as_it_was(world: World) -> None:
    anna = world.agent("Anna", payments=4, cards=0)
    world.agent("Bernd")  # was not there
    presence.go_online(agent_id=anna.pk)
    Shift.objects.update(started_at=NOON - timedelta(hours=1))
    placed(world.ticket(), NOON + timedelta(seconds=30), 120.0)
    placed(world.ticket(), NOON)
    placed(world.ticket(topic=world.card), NOON + timedelta(seconds=60))
    placed(world.ticket(), NOON - timedelta(days=1))

    route = Route.objects.get(topic=world.refund)
    RouteStep.objects.create(route=route, after_seconds=40, pool=world.pool, least_level=2)
    RouteStep.objects.create(route=route, after_seconds=50, pool=Pool.objects.create(key="further"))

    case = case_of_day(timezone.localdate(NOON), world.pool.pk)

    assert [list(kind.steps) for kind in case.kinds] == [
        [Step(0, POOL), Step(40, POOL, 2)],
        [Step(0, POOL)],
    ]
    assert [(dict(kind.required), kind.units, kind.offer_seconds) for kind in case.kinds] == [
        ({1: 2} if world.cards.pk < world.payments.pk else {0: 2}, 30, 20.0),
        ({0: 3} if world.cards.pk < world.payments.pk else {1: 3}, 30, 20.0),
    ]
    assert case.coming is not None
    assert (case.coming.at, case.coming.kind) == ([0.0, 30.0, 60.0], [0, 0, 1])
    assert case.coming.handling == [120.0] * 3  # the mean of what is known
    assert case.people is not None
    assert sorted(case.people.tolist()[0]) == [0, 4]
    found = figures_of(Play(world_of(case, 1), OURS).run())
    assert (found.tickets, found.abandoned) == (3.0, pytest.approx(1 / 3))  # nobody there knows cards


def test_who_went_and_came_back_is_there_for_as_long(world: World) -> None:
    """Anna pauses for an hour and loses her connection for a minute; Bernd comes in the evening and stays."""
    anna, bernd = world.agent("Anna"), world.agent("Bernd", languages=("de",))
    for agent in (anna, bernd):
        presence.go_online(agent_id=agent.pk)
    presence.pause(agent_id=anna.pk, epoch=1)
    presence.go_online(agent_id=anna.pk)
    Lease.objects.filter(shift__agent=anna).update(expires_at=Now() - timedelta(seconds=1))
    assert presence.leases_end() == 1
    presence.beat(agent_id=anna.pk, epoch=1)
    presence.go_offline(agent_id=anna.pk, epoch=1)
    hours = [10.0, 11.0, 12.0, 13.0, 13 + 1 / 60, 14.0]
    told = FeedEvent.objects.filter(agent=anna, type="shift.changed").order_by("seq")
    assert [one.data["state"] for one in told] == ["online", "paused", "online", "online", "online", "ended"]
    for one, hour in zip(told, hours, strict=True):
        FeedEvent.objects.filter(pk=one.pk).update(created_at=MIDNIGHT + timedelta(hours=hour))
    Shift.objects.filter(agent=anna).update(
        started_at=MIDNIGHT + timedelta(hours=10), ended_at=MIDNIGHT + timedelta(hours=14)
    )
    Shift.objects.filter(agent=bernd).update(started_at=MIDNIGHT + timedelta(hours=20))
    placed(world.ticket(), MIDNIGHT + timedelta(hours=10), 60.0)
    placed(world.ticket(), MIDNIGHT + timedelta(hours=21), 60.0)

    case = case_of_day(timezone.localdate(NOON), world.pool.pk)

    hour = 3600.0
    assert case.presence == [
        [(0.0, hour), (2 * hour, 3 * hour), (3 * hour + 60, 4 * hour)],
        [(10 * hour, 14 * hour)],
    ]
    assert case.languages == [0b11, 0b10]
    assert [kind.language for kind in case.kinds] == [0]  # English, which Bernd does not speak
    play = Play(world_of(case, 1), OURS).run()
    assert play.holder == [0, -1]


def test_other_pools_tickets_are_not_the_default_routes(world: World) -> None:
    second = Pool.objects.create(key="second")
    Route.objects.filter(topic=world.card).update(pool=second)
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    Shift.objects.update(started_at=MIDNIGHT)
    placed(world.ticket(), NOON)
    placed(world.ticket(topic=world.card), NOON)
    general = ticket_open(text="Hello there", channel=Channel.FORM, chosen_language="en").ticket
    placed(general, NOON + timedelta(seconds=5))
    case = case_of_day(timezone.localdate(NOON), world.pool.pk)
    assert case.coming is not None
    assert (list(case.coming.at), [kind.name for kind in case.kinds]) == ([0.0, 5.0], ["", "refund"])
    assert list(case.coming.kind) == [1, 0]


def test_what_the_assistant_answered_alone_came_to_nobody(world: World) -> None:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    Shift.objects.update(started_at=MIDNIGHT)
    alone, handed_over, plain = (world.ticket() for _ in range(3))
    for place, ticket in enumerate((alone, handed_over, plain)):
        placed(ticket, NOON + timedelta(seconds=place))
    for seq, slug in ((3, "refunds"), (5, "returns")):  # two answers, one ticket
        article = Article.objects.create(slug=slug, language="en", title=slug, body=slug)
        for ticket in (alone, handed_over):
            AssistantAnswer.objects.create(
                ticket=ticket, seq=seq, article=article, version=1, score=0.9, target=0.9, helped=False
            )
    Ticket.objects.filter(pk=handed_over.pk).update(handed_over_at=NOON + timedelta(seconds=60))
    case = case_of_day(timezone.localdate(NOON), world.pool.pk)
    assert case.coming is not None
    assert list(case.coming.at) == [0.0, 58.0]  # the plain one at 2 s, the other when it was handed over


def test_a_day_is_read_by_six_queries(
    world: World, django_assert_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    for name in ("Anna", "Bernd"):
        presence.go_online(agent_id=world.agent(name).pk)
    Shift.objects.update(started_at=MIDNIGHT)
    for seconds in range(4):
        placed(world.ticket(), NOON + timedelta(seconds=seconds), 60.0)
    routes.routes()
    with django_assert_num_queries(6):
        case_of_day(timezone.localdate(NOON), world.pool.pk)


def test_patience_and_answers_are_the_days(world: World) -> None:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    Shift.objects.update(started_at=MIDNIGHT)
    offered = world.ticket()
    assert match_pool(world.pool.pk) == 1
    Offer.objects.update(
        state="declined", made_at=NOON, answered_at=NOON + timedelta(seconds=6), ended_at=Now()
    )
    placed(offered, NOON, 60.0)  # waited 0 s
    for seconds in (30, 90):
        left = world.ticket()
        placed(left, NOON)
        Ticket.objects.filter(pk=left.pk).update(state="closed", closed_at=NOON + timedelta(seconds=seconds))
    case = case_of_day(timezone.localdate(NOON), world.pool.pk)
    assert (case.accept, case.answer_mean, case.patience_mean) == (0.0, 6.0, 60.0)


def test_a_day_without_people_is_named(world: World) -> None:
    with pytest.raises(NothingLogged, match="nobody was online on 2026-11-02"):
        case_of_day(NOON.date())
    with pytest.raises(NothingLogged, match=f"by its id: {world.pool.pk}"):
        case_of_day(NOON.date(), 0)
