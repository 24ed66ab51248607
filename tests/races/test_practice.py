"""Practice begun twice at once, answered by two ticks, assessed by the tick and a page: once each."""

import threading
from collections.abc import Callable

import pytest
from django.db import transaction

from agents.models import Agent, Shift
from dispatch import desk, practice, presence
from dispatch.models import Practice
from tests.cast import World
from tests.practising import ASKS, begin, make_applicant, make_script, talk
from tests.races.conftest import together
from tickets.conversation import message_post
from tickets.models import Author, Message, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
TIMES = 8


def test_two_starts_are_one_and_never_beside_an_online_shift(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    make_script(world.refund)
    anna = world.agent("Anna")
    for epoch in range(1, TIMES + 1):
        outcomes = together(
            lambda: begin(anna), lambda: begin(anna), lambda: presence.go_online(agent_id=anna.pk)
        )
        open_now = Shift.objects.get(ended_at__isnull=True)
        begun = [one for one in outcomes[:2] if isinstance(one, Practice)]
        assert isinstance(outcomes[2], Shift) != bool(begun), outcomes
        assert len({one.pk for one in begun}) == int(open_now.practice)
        invariants_hold()
        presence.go_offline(agent_id=anna.pk, epoch=epoch)
        practice.look()


def test_two_ticks_answer_once_and_assess_once(world: World, invariants_hold: Callable[[], None]) -> None:
    make_script(world.refund)
    nina = make_applicant(world)
    for epoch in range(1, TIMES + 1):
        one = begin(nina)
        desk.reply(agent=nina, epoch=epoch, ticket_id=one.ticket_id, body=ASKS)
        together(practice.look, practice.look, practice.look)
        assert [body for _name, body in talk(one)][1:] == [ASKS, "It is K-7731."]
        desk.resolve(agent=nina, epoch=epoch, ticket_id=one.ticket_id)
        settled = together(practice.look, lambda: practice.settle(agent_id=nina.pk))
        assert sum(map(bool, settled)) >= 1
        assert Practice.objects.filter(finished_at__isnull=False).count() == epoch
        invariants_hold()


def test_control_answering_without_the_lock_answers_twice(world: World) -> None:
    """What the ticket's lock before the look prevents."""
    make_script(world.refund)
    one = begin(make_applicant(world))
    desk.reply(agent=one.agent, epoch=1, ticket_id=one.ticket_id, body=ASKS)
    both = threading.Barrier(2)

    def naive() -> None:
        with transaction.atomic():
            assert Message.objects.filter(ticket=one.ticket_id).latest("seq").author == Author.AGENT
            both.wait(10)
            message_post(
                ticket_id=one.ticket_id, author=Author.CUSTOMER, author_name="Peter", body="It is K-7731."
            )

    together(naive, naive)
    assert [body for _name, body in talk(one)].count("It is K-7731.") == 2
    assert Ticket.objects.get(pk=one.ticket_id).last_seq == 6
    assert Agent.objects.get(pk=one.agent_id).practised_at is None
