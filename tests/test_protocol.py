"""docs/protocol.md is true: every event has an example there, and every frame really sent has just the declared fields."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from config.stack import PROJECT
from dispatch import desk, events, feed, looks, passing, presence, resolving, wrap_up
from dispatch.automatic import auto_accept_choose
from dispatch.models import Escalation, Feed, FeedEvent, Offer, Route
from dispatch.offers import offer_accept, offer_decline, offers_cancel
from dispatch.runs import match_pool
from tests.cast import World
from tickets import kept, stream
from tickets.conversation import customer_reply
from tickets.events import EVENTS
from tickets.lifecycle import ticket_close, ticket_rate, ticket_reopen, ticket_request_human
from tickets.models import Ticket

assert events  # importing it declares the agents' events
PAGE = (PROJECT / "docs" / "protocol.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
BY_TYPE: dict[str, list[dict[str, Any]]] = {}
for example in EXAMPLES:
    BY_TYPE.setdefault(example["type"], []).append(example)

TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def fits(value: Any, declared: str) -> bool:
    names = declared.split("|")
    if value is None:
        return "null" in names
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names if name != "null")


def check(frame: dict[str, Any]) -> None:
    declared = EVENTS[frame["type"]].fields
    assert set(frame) - {"html"} == {"stream", "seq", "type", "at", "data"}
    assert set(frame["data"]) == set(declared), frame
    for name, value in frame["data"].items():
        assert fits(value, declared[name]), (frame["type"], name, value, declared[name])


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_event_is_on_the_page_with_a_true_example(name: str) -> None:
    assert f"### `{name}`" in PAGE
    assert EVENTS[name].says in PAGE
    for one in BY_TYPE[name]:
        check(one)


def test_the_page_knows_no_event_that_does_not_exist() -> None:
    frames = {"resume", "beat", "snapshot", "heartbeat", "sign", "error"}
    assert set(BY_TYPE) - frames == set(EVENTS)
    assert set(re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)) == set(EVENTS)


@pytest.mark.django_db
def test_every_frame_of_a_full_life_has_the_declared_fields(world: World) -> None:
    anna, bernd = world.agent("Anna"), world.agent("Bernd")
    for agent in (anna, bernd):
        presence.go_online(agent_id=agent.pk)
    auto_accept_choose(agent_id=bernd.pk, on=True)
    auto_accept_choose(agent_id=bernd.pk, on=False)
    ticket = Ticket.objects.select_related("customer").get(pk=world.ticket().pk)
    match_pool(world.pool.pk)
    ticket_request_human(ticket=ticket)
    offer_decline(offer_id=Offer.objects.get(agent=bernd).pk, agent_id=bernd.pk, epoch=1)
    offer_accept(offer_id=Offer.objects.get(agent=anna).pk, agent_id=anna.pk, epoch=1)
    customer_reply(ticket=ticket, body="Hello?")
    desk.note(agent=anna, epoch=1, ticket_id=ticket.pk, body="double charge")
    desk.hand_back(agent=anna, epoch=1, ticket_id=ticket.pk)
    carl = world.agent("Carl")
    presence.go_online(agent_id=carl.pk)
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(agent=carl).pk, agent_id=carl.pk, epoch=1)
    passing.escalate(agent=carl, epoch=1, ticket_id=ticket.pk, reason="Look")
    passing.escalation_settle(escalation_id=Escalation.objects.get().pk, lead=bernd.user, answer="Seen")
    passing.transfer(agent=carl, epoch=1, ticket_id=ticket.pk, note="See", to_agent_id=bernd.pk)
    match_pool(world.pool.pk)
    offer_decline(offer_id=Offer.objects.get(state="pending").pk, agent_id=bernd.pk, epoch=1)
    Offer.objects.filter(agent=carl).update(ended_at=Now() - timedelta(minutes=2))
    match_pool(world.pool.pk)
    for offer in Offer.objects.filter(state="pending"):
        if offer.agent_id != carl.pk:
            offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(agent=carl, state="pending").pk, agent_id=carl.pk, epoch=1)
    Route.objects.update(wrap_up_seconds=20)
    kept.forget()
    desk.reply(agent=carl, epoch=1, ticket_id=ticket.pk, body="Done", then_resolve=True)
    resolving.undo(agent=carl, epoch=1, ticket_id=ticket.pk)
    desk.resolve(agent=carl, epoch=1, ticket_id=ticket.pk)
    wrap_up.done(agent=carl, epoch=1, ticket_id=ticket.pk)
    ticket_rate(ticket=ticket, score=2, solved=False)
    ticket_reopen(ticket=ticket, body="Not yet")
    match_pool(world.pool.pk)
    ticket_close(ticket=ticket)
    offers_cancel(ticket_id=ticket.pk)

    seen = set()
    everything = stream.frames_after(ticket.pk, ticket.stream, 0, staff=True) or []
    for frame in everything:
        check(frame)
        seen.add(frame["type"])
    public = stream.frames_after(ticket.pk, ticket.stream, 0, staff=False) or []
    assert {frame["type"] for frame in public} == {name for name in seen if EVENTS[name].public}
    assert [frame["seq"] for frame in everything] == list(range(1, len(everything) + 1))
    for agent in (anna, bernd, carl):
        frames = feed.frames_of(agent.pk, looks.look(agent.pk, 0), "en") or []
        assert [frame["seq"] for frame in frames] == list(
            range(1, Feed.objects.get(agent=agent).last_seq + 1)
        )
        for frame in frames:
            check(frame)
            seen.add(frame["type"])
    assert FeedEvent.objects.filter(type="offer.made").exists()
    # Those that only the clock brings about are made in tests/dispatch/test_presence.py, test_offers.py and
    # test_silence.py.
    by_the_clock = {
        "ticket.agent_lost", "ticket.agent_back", "ticket.placed", "ticket.flagged", "ticket.unflagged",
        "offer.expired", "offer.rescinded", "offer.revoked", "attention.changed",
    }  # fmt: skip
    assert set(EVENTS) - seen <= by_the_clock
