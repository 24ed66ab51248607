"""Agents are called on their devices: about an offer, and when it is busy."""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import current_app
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.exceptions import OperationalError

from agents.models import Agent, AgentStatus, CallWishes, PushDevice, Shift
from agents.push import device_keep
from dispatch import calling, presence
from dispatch.automatic import auto_accept_choose
from dispatch.models import Offer, OfferState, Policy
from dispatch.runs import match_pool
from tests.cast import World
from tests.console import Person
from tests.push import PushedTo, pushed_to
from tickets import kept
from tickets.models import Calendar, OpeningHours, Topic

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(settings: Any) -> Iterator[PushedTo]:
    settings.PUSH_ANYWHERE = True
    with pushed_to() as opened:
        yield opened


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What was asked of the broker: (offer ids) of each message. Calls that it is busy are lost with it."""
    messages: list[list[int]] = []

    def sent(name: str, args: list[Any], **_: Any) -> None:
        assert name in current_app.tasks
        if name == "dispatch.tasks.offers_call":
            messages.append(args[0])

    monkeypatch.setattr(current_app._get_current_object(), "send_task", sent)
    return messages


def agrees(agent: Agent, browser: PushedTo, *, offers: bool = False, busy: bool = False) -> None:
    device_keep(agent_id=agent.pk, **browser.said, offers=offers, busy=busy)


# --- An offer ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "title", "body"),
    [
        ("en", "Offer: Refund, €4.00", "seconds to answer. You are free to say no."),
        (
            "de",
            "Angebot: Erstattung, 4,00\xa0€",
            "Sekunden zum Antworten. Es steht Ihnen frei, Nein zu sagen.",
        ),
    ],
)
def test_of_an_offer_the_device_is_told_in_its_owners_words(
    world: World, browser: PushedTo, asked: list[list[int]], language: str, title: str, body: str
) -> None:
    anna, bernd = Person(world, "Anna").online(), Person(world, "Bernd").online()
    anna.agent.user.language = language
    anna.agent.user.save(update_fields=["language"])
    agrees(anna.agent, browser, offers=True)
    anna.offered(text="My name is Carla Kunze and I want my money")
    offer = Offer.objects.get(agent=anna.agent)
    assert Offer.objects.filter(agent=bernd.agent).exists()
    assert asked == [[offer.pk]]  # Bernd has no device
    assert calling.offers_call(asked[0]) == 1
    [call] = browser.calls
    assert call["title"] == title
    assert call["body"].endswith(body)
    assert 10 <= call["seconds"] <= 20
    assert call["kind"] == "offer"
    assert call["path"] == "/console/"
    assert "Carla" not in str(call)


def test_who_agreed_to_the_other_thing_only_is_not_told(
    world: World, browser: PushedTo, asked: list[list[int]]
) -> None:
    anna = Person(world, "Anna").online()
    agrees(anna.agent, browser, busy=True)
    offer = anna.offered()
    assert asked == []
    assert calling.offers_call([offer.pk]) == 0
    assert browser.calls == []


def test_what_cannot_be_answered_any_more_is_not_told(
    world: World, browser: PushedTo, asked: list[list[int]]
) -> None:
    anna = Person(world, "Anna").online()
    agrees(anna.agent, browser, offers=True)
    offer = anna.offered()
    Offer.objects.update(expires_at=timezone.now() + timedelta(seconds=1))
    assert calling.offers_call([offer.pk]) == 0
    Offer.objects.update(expires_at=timezone.now() + timedelta(seconds=20))
    presence.pause(agent_id=anna.agent.pk, epoch=anna.epoch)
    assert Offer.objects.get().state == OfferState.REVOKED
    assert calling.offers_call([offer.pk, offer.pk + 1]) == 0
    assert browser.calls == []


def test_what_was_accepted_for_them_is_told(world: World, browser: PushedTo, asked: list[list[int]]) -> None:
    anna = Person(world, "Anna").online()
    agrees(anna.agent, browser, offers=True)
    auto_accept_choose(agent_id=anna.agent.pk, on=True)
    anna.offered()
    assert calling.offers_call(asked[0]) == 1
    assert browser.calls[0]["title"] == "A ticket was accepted for you"
    assert browser.calls[0]["body"] == "Refund, €4.00"


def test_without_a_broker_the_offer_is_made_all_the_same(
    world: World, browser: PushedTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(current_app._get_current_object(), "send_task", gone)
    anna = Person(world, "Anna").online()
    agrees(anna.agent, browser, offers=True)
    assert anna.offered().state == OfferState.PENDING


# --- It is busy -------------------------------------------------------------------------------------------------------


@pytest.fixture
def busy(world: World, browser: PushedTo, asked: list[list[int]]) -> World:
    """Three wait for a refund, nobody is online; Anna has agreed to be called."""
    Policy.objects.create(pool=world.pool, version=1)
    agrees(world.agent("Anna"), browser, busy=True)
    for _ in range(3):
        world.ticket()
    return world


def test_who_agreed_is_called_once_in_six_hours(busy: World, browser: PushedTo) -> None:
    assert calling.look() == 1
    assert calling.look() == 0
    assert browser.calls == []  # it is claimed, and made by a task
    assert calling.calls_make() == 1  # whose message was lost
    assert calling.calls_make() == 0
    [call] = browser.calls
    assert call == {
        "kind": "busy",
        "title": "It is busy",
        "body": "Customers are waiting for somebody with your skills. Come if it suits you; if not, nothing follows.",
        "path": "/console/",
        "seconds": 900,
        "quiet": False,
    }
    CallWishes.objects.update(called_at=timezone.now() - timedelta(hours=6, seconds=1))
    assert calling.look() == 1
    CallWishes.objects.update(call_until=timezone.now())
    assert calling.calls_make() == 0  # old news
    assert not calling.busy_call(agent_id=busy.agents["Anna"].pk)
    assert len(browser.calls) == 1


def test_each_call_is_a_message_of_its_own(
    busy: World, browser: PushedTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    PushDevice.objects.create(
        agent=busy.agent("Bernd"), endpoint="https://push.example/", offers=False, busy=True
    )
    sent: list[tuple[str, list[int]]] = []
    app = current_app._get_current_object()
    monkeypatch.setattr(app, "send_task", lambda name, args, **_: sent.append((name, args)))
    assert calling.look() == 2
    ids = sorted(agent.pk for agent in busy.agents.values())
    assert sent == [("dispatch.tasks.busy_call", [agent_id]) for agent_id in ids]
    assert calling.busy_call(agent_id=ids[0])
    assert not calling.busy_call(agent_id=ids[0])
    assert len(browser.calls) == 1


def _online(world: World) -> None:
    presence.go_online(agent_id=world.agents["Anna"].pk)


def _somebody_free(world: World) -> None:
    presence.go_online(agent_id=world.agent("Bernd").pk)


def _suspended(_world: World) -> None:
    Agent.objects.update(status=AgentStatus.SUSPENDED)


def _inactive(world: World) -> None:
    type(world.agents["Anna"].user).objects.update(is_active=False)


def _fewer(_world: World) -> None:
    Policy.objects.update(call_from=4)


def _never(_world: World) -> None:
    Policy.objects.update(call_from=0)


def _other_skills(world: World) -> None:
    world.agents["Anna"].agent_skills.filter(skill=world.payments).update(level=1)


def _other_language(_world: World) -> None:
    Agent.objects.update(languages=["de"])


def _other_pool(world: World) -> None:
    world.agents["Anna"].pools.clear()


def _stopped(_world: World) -> None:
    PushDevice.objects.update(stopped_at=timezone.now())


def _only_offers(_world: World) -> None:
    PushDevice.objects.update(offers=True, busy=False)


def _quiet(world: World) -> None:
    """An hour around now in Auckland, which is at night in Berlin or the other way round."""
    now = datetime.now(ZoneInfo("Pacific/Auckland"))
    Agent.objects.update(time_zone="Pacific/Auckland")
    ends = [(now + timedelta(hours=by)).time() for by in (-1, 1)]
    CallWishes.objects.create(agent=world.agents["Anna"], quiet_from=ends[0], quiet_until=ends[1])


@pytest.mark.parametrize(
    "but",
    [
        _online,
        _somebody_free,
        _suspended,
        _inactive,
        _fewer,
        _never,
        _other_skills,
        _other_language,
        _other_pool,
        _stopped,
        _only_offers,
        _quiet,
    ],
)
def test_nobody_is_called_but(busy: World, browser: PushedTo, but: Callable[[World], None]) -> None:
    but(busy)
    assert calling.look() == 0
    assert calling.calls_make() == 0
    assert browser.calls == []
    assert not CallWishes.objects.filter(called_at__isnull=False).exists()


def test_whoever_is_online_and_full_is_not_free(busy: World, browser: PushedTo) -> None:
    presence.go_online(agent_id=busy.agent("Bernd").pk)
    Shift.objects.update(units_taken=100)
    assert calling.look() == 1


def test_for_one_ticket_that_nobody_is_there_for_people_are_called_and_its_customer_told(
    world: World, browser: PushedTo
) -> None:
    Policy.objects.create(pool=world.pool, version=1)
    agrees(world.agent("Anna"), browser, busy=True)
    ticket = world.ticket()
    assert calling.look() == 0  # no run has looked for anybody yet
    match_pool(world.pool.pk)
    assert calling.look() == 1  # as many as wait
    last = ticket.events.order_by("-seq")[0]
    assert (last.type, last.data, last.public) == ("ticket.called_in", {"people": 1}, True)
    assert calling.look() == 0  # they may be on the way
    assert ticket.events.filter(type="ticket.called_in").count() == 1


def test_outside_the_hours_nobody_is_called_for_one(world: World, browser: PushedTo) -> None:
    Policy.objects.create(pool=world.pool, version=1)
    agrees(world.agent("Anna"), browser, busy=True)
    calendar = Calendar.objects.create(name="Never but once")
    soon = timezone.localtime() + timedelta(days=3)
    OpeningHours.objects.create(calendar=calendar, weekday=soon.weekday(), opens=time(8), closes=time(9))
    Topic.objects.update(calendar=calendar)
    kept.forget()
    ticket = world.ticket()
    match_pool(world.pool.pk)
    assert calling.look() == 0
    assert not ticket.events.filter(type="ticket.called_in").exists()


def test_while_nothing_is_busy_a_look_is_cheap(world: World, browser: PushedTo) -> None:
    Policy.objects.create(pool=world.pool, version=1)
    Person(world, "Bernd").online()
    agrees(world.agent("Anna"), browser, busy=True)
    world.ticket()
    match_pool(world.pool.pk)
    with CaptureQueriesContext(connection) as seen:
        assert calling.look() == 0
    assert len(seen) == 3
