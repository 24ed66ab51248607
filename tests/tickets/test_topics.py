"""Topics are kept for some seconds: what admins change is seen after them, a new topic at once."""

import pytest

from tests.cast import World
from tickets import kept, topics
from tickets.errors import UnknownTopic
from tickets.intake import ticket_open
from tickets.models import Channel, Ticket, Topic

pytestmark = pytest.mark.django_db


class Clock:
    """time.monotonic() that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(kept, "time", stopped)
    return stopped


def test_a_topic_that_is_switched_off_is_refused_after_some_seconds(world: World, clock: Clock) -> None:
    assert [topic.key for topic in topics.active()] == ["refund", "card"]
    Topic.objects.filter(key="card").update(active=False)
    clock.now += kept.KEPT_SECONDS - 0.01
    ticket_open(text="Hello", topic_key="card", channel=Channel.FORM)
    clock.now += 0.01
    with pytest.raises(UnknownTopic):
        ticket_open(text="Hello", topic_key="card", channel=Channel.FORM)
    assert [topic.key for topic in topics.active()] == ["refund"]
    assert Ticket.objects.count() == 1


def test_a_new_topic_is_taken_at_once(world: World, clock: Clock) -> None:
    assert topics.find("fraud") is None
    made = Topic.objects.create(key="fraud", name_en="Fraud", name_de="Betrug", position=0)
    assert ticket_open(text="Hello", topic_key="fraud", channel=Channel.FORM).ticket.topic == made
    assert [topic.key for topic in topics.active()] == ["fraud", "refund", "card"]


def test_what_is_kept_costs_no_query(
    world: World, clock: Clock, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    topics.active()
    with django_assert_num_queries(0):
        assert topics.find("refund") == world.refund
        assert topics.active() == [world.refund, world.card]
    with django_assert_num_queries(1):
        assert topics.find("nonsense") is None
