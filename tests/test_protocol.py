"""docs/protocol.md is true: every event has an example there, and every frame really sent has just the declared fields."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from config.stack import PROJECT
from dispatch import (
    correcting,
    desk,
    events,
    feed,
    looks,
    merging,
    misuse,
    passing,
    presence,
    resolving,
    reveals,
    snooze,
    wrap_up,
)
from dispatch.automatic import auto_accept_choose
from dispatch.models import Escalation, Feed, FeedEvent, Misuse, Offer, Route
from dispatch.offers import offer_accept, offer_decline, offers_cancel
from dispatch.runs import match_pool
from tests.cast import World
from tests.tickets.assistant.scenes import assisted
from tickets import kept, returning, stream
from tickets.addresses import ticket_address
from tickets.assistant.turns import answer_judge
from tickets.conversation import customer_reply
from tickets.erasing import ticket_erase
from tickets.events import EVENTS
from tickets.lifecycle import ticket_close, ticket_rate, ticket_reopen, ticket_request_human
from tickets.models import EndedAs, Ticket

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


def handed_over(world: World) -> int:
    """A ticket that the assistant had, with an answer that did not help."""
    answered = assisted(world)
    answer_judge(ticket=answered, helped=False)
    return answered.pk


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
    snooze.snooze(agent=carl, epoch=1, ticket_id=ticket.pk, until=timezone.now() + timedelta(hours=1))
    for agent in (anna, bernd, carl):
        presence.go_offline(agent_id=agent.pk, epoch=1)
    customer_reply(ticket=ticket, body="I have found it")
    presence.go_online(agent_id=carl.pk)
    for kind, settle in (("spam", misuse.take_back), ("abuse", misuse.confirm)):
        Offer.objects.filter(agent=carl).update(ended_at=Now() - timedelta(minutes=2))
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get(state="pending").pk, agent_id=carl.pk, epoch=2)
        misuse.end_as(agent=carl, epoch=2, ticket_id=ticket.pk, kind=EndedAs(kind))
        settle(misuse_id=Misuse.objects.latest("pk").pk, lead=bernd.user)
    Ticket.objects.filter(pk=ticket.pk).update(ended_as="")  # so that the same one can go on
    ticket_reopen(ticket=ticket)
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(agent=carl, state="pending").pk, agent_id=carl.pk, epoch=2)
    other = world.ticket()
    Ticket.objects.filter(pk=other.pk).update(customer=ticket.customer)
    merging.merge(agent=carl, epoch=2, ticket_id=ticket.pk, other=other.public_id)
    Route.objects.update(wrap_up_seconds=20)
    kept.forget()
    correcting.topic_correct(agent=carl, epoch=2, ticket_id=ticket.pk, topic_key="card")
    desk.reply(agent=carl, epoch=2, ticket_id=ticket.pk, body="Done", then_resolve=True)
    resolving.undo(agent=carl, epoch=2, ticket_id=ticket.pk)
    reveals.reveal(agent=carl, epoch=2, ticket_id=ticket.pk, place="email", reason="contact")
    desk.resolve(agent=carl, epoch=2, ticket_id=ticket.pk)
    wrap_up.done(agent=carl, epoch=2, ticket_id=ticket.pk)
    ticket_rate(ticket=ticket, score=2, solved=False)
    ticket_reopen(ticket=ticket, body="Not yet")
    match_pool(world.pool.pk)
    ticket.customer.email = ""
    ticket.customer.save()
    ticket_address(ticket=ticket, email="carla@customers.example")
    ticket.customer.refresh_from_db()
    assert returning.confirm(ticket=ticket, proof=returning.proof_of(ticket))
    ticket_close(ticket=ticket)
    offers_cancel(ticket_id=ticket.pk)
    ticket_erase(ticket=ticket)

    seen = set()
    for frame in stream.frames_after(handed_over(world), "ticket:x", 0, staff=True) or []:
        check(frame)
        seen.add(frame["type"])
    everything = stream.frames_after(ticket.pk, ticket.stream, 0, staff=True) or []
    for frame in everything:
        check(frame)
        seen.add(frame["type"])
    public = stream.frames_after(ticket.pk, ticket.stream, 0, staff=False) or []
    shown = {frame["type"] for frame in everything if EVENTS[frame["type"]].public}
    assert {frame["type"] for frame in public} == shown
    assert [frame["seq"] for frame in everything] == list(range(1, len(everything) + 1))
    for frame in stream.frames_after(other.pk, other.stream, 0, staff=False) or []:
        check(frame)
        seen.add(frame["type"])
    for agent in (anna, bernd, carl):
        frames = feed.frames_of(agent.pk, looks.look(agent.pk, 0), "en") or []
        assert [frame["seq"] for frame in frames] == list(
            range(1, Feed.objects.get(agent=agent).last_seq + 1)
        )
        for frame in frames:
            check(frame)
            seen.add(frame["type"])
    assert FeedEvent.objects.filter(type="offer.made").exists()
    # Those that only the clock brings about are made in tests/dispatch/test_presence.py, test_offers.py,
    # test_silence.py, test_calling.py, test_answers.py and tests/tickets/test_away.py; those of a trained model in
    # tests/tickets/triage/test_versions.py, of a language model in tests/tickets/assistant/test_rephrasing.py.
    by_the_clock = {
        "ticket.agent_lost", "ticket.agent_back", "ticket.placed", "ticket.flagged", "ticket.unflagged",
        "ticket.called_in", "ticket.answer_promised", "ticket.answer_kept", "ticket.triaged", "ticket.answer_phrased",
        "ticket.mailed", "ticket.mail_failed", "ticket.mails_chosen",
        "offer.expired", "offer.rescinded", "offer.revoked", "attention.changed",
    }  # fmt: skip
    assert set(EVENTS) - seen <= by_the_clock
