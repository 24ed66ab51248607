"""One look at many agents: their feed above a number, their shift, their open cards."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from dispatch import feed, looks, presence, routes
from dispatch.events import SHIFT_CHANGED
from dispatch.models import Offer
from dispatch.offers import offer_decline
from dispatch.runs import match_pool
from tests.cast import World
from tickets.timeline import command

pytestmark = pytest.mark.django_db


def test_each_agent_has_their_own_in_one_query(
    world: World, django_assert_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    anna, bernd, clara = (world.agent(name).pk for name in ("Anna", "Bernd", "Clara"))
    for agent_id in (anna, bernd):
        presence.go_online(agent_id=agent_id)
    world.ticket()
    match_pool(world.pool.pk)
    offers = dict(Offer.objects.values_list("agent_id", "pk"))
    assert set(offers) == {anna, bernd}
    routes.routes()
    with django_assert_num_queries(1):
        found = looks.looks({anna: 0, bernd: 1, clara: 0})

    assert found[anna].seq == found[bernd].seq == 2
    assert [event.type for event in found[anna].events or []] == ["shift.changed", "offer.made"]
    assert [(event.seq, event.data) for event in found[bernd].events or []] == [(2, {"offer": offers[bernd]})]
    assert [card.offer for card in found[anna].cards] == [offers[anna]]
    shift = found[bernd].shift
    assert shift is not None
    assert (shift.epoch, shift.state, shift.lost, shift.units, shift.units_taken) == (
        1,
        "online",
        False,
        100,
        30,
    )
    assert found[clara][:4] == (0, [], None, [])


def test_who_asks_without_a_number_gets_the_state_alone(world: World) -> None:
    anna = world.agent("Anna").pk
    presence.go_online(agent_id=anna)
    look = looks.look(anna)
    assert (look.seq, look.events) == (1, [])
    assert look.shift is not None


def test_too_many_events_are_no_events(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "REPLAY_LIMIT", 2)
    monkeypatch.setattr(looks, "_LOOK", looks._LOOK.replace("LIMIT 501", "LIMIT 3"))
    anna = world.agent("Anna").pk
    for _ in range(3):
        with command():
            feed.record(anna, SHIFT_CHANGED, {})
    assert looks.look(anna, 0).events is None
    assert len(looks.look(anna, 1).events or []) == 2
    assert feed.frames_of(anna, looks.look(anna, 0), "en") is None


def test_the_card_of_an_offer_that_is_over_is_still_told(world: World) -> None:
    anna = world.agent("Anna").pk
    presence.go_online(agent_id=anna)
    world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get()
    offer_decline(offer_id=offer.pk, agent_id=anna, epoch=1)
    look = looks.look(anna, 1)
    assert look.cards == []
    frames = feed.frames_of(anna, look, "en") or []
    assert [frame["type"] for frame in frames] == ["offer.made", "offer.declined"]
    assert frames[0]["data"]["offer"] == offer.pk
    assert frames[0]["data"]["summary"] == offer.ticket.summary


def test_moments_are_written_as_everywhere_else() -> None:
    assert looks._iso("2026-11-22T07:55:34.47024+00:00") == "2026-11-22T07:55:34.470240+00:00"
    assert looks._iso("2026-11-22T07:55:34+00:00") == "2026-11-22T07:55:34+00:00"
