"""The same mail taken in by several workers at once: one message. Mails of one sender at once: as many as the limit says."""

from collections.abc import Callable
from threading import Barrier
from unittest.mock import patch

import pytest
from django.core import mail as outbox

from tests.cast import World
from tests.dispatch.scenes import earlier
from tests.races.conftest import together
from tests.tickets.mail_styles import plain
from tests.tickets.test_away import AGO, Scene
from tests.tickets.test_mail_taking import answer, bodies
from tickets import away
from tickets.inbox import taking
from tickets.inbox.taking import mail_take
from tickets.models import AwayMail, MailIn, Message, Outcome, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_fetched_by_four_workers_it_opens_one_ticket_and_answers_once(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    outcomes = together(*[lambda: mail_take(plain("Hello"))] * 4)
    assert {one.ticket.pk for one in outcomes if one.ticket} == {Ticket.objects.get().pk}
    ticket = world.ticket()
    together(*[lambda: mail_take(answer(ticket, "And?"))] * 4)
    assert bodies(ticket) == ["Where is my refund?", "And?"]
    assert MailIn.objects.count() == 2
    invariants_hold()


def test_control_without_its_key_four_are_four(world: World) -> None:
    ticket = world.ticket()
    meeting = Barrier(4)  # all have looked whether it was taken in before, and none has yet

    def no_key(_row: MailIn) -> None:
        meeting.wait(10)

    with patch.object(taking, "_key", no_key):
        together(*[lambda: mail_take(answer(ticket, "And?"))] * 4)
    assert Message.objects.filter(body="And?").count() == 4


def test_ten_at_once_at_a_limit_of_three(world: World, settings: pytest.FixtureRequest) -> None:
    settings.MAIL_IN_PER_HOUR = 3  # type: ignore[attr-defined]
    letters = [plain(f"Number {n}").replace(b"<one@", f"<{n}@".encode()) for n in range(10)]
    outcomes = together(*[lambda letter=letter: mail_take(letter) for letter in letters])
    assert sorted(one.outcome for one in outcomes) == [Outcome.HELD] * 7 + [Outcome.OPENED] * 3
    assert Ticket.objects.count() == 3


def test_of_two_workers_one_mails_who_is_away(world: World, invariants_hold: Callable[[], None]) -> None:
    scene = Scene(world)
    scene.write("One")
    earlier(Ticket, "unread_since", AGO)
    together(*[away.look] * 4)
    assert AwayMail.objects.count() == len(outbox.outbox) == 1
    assert scene.events() == ["ticket.mailed"]
    invariants_hold()
