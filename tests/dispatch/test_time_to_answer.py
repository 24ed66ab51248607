"""More time to answer: the agent's own setting is added to the seconds of the route, for each of several with their own."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from agents.answering import extra_seconds_choose
from agents.errors import BadExtraSeconds
from agents.models import Agent, User
from dispatch import looks, presence
from dispatch.models import Offer, Policy, Route
from dispatch.runs import match_pool
from tests.cast import PASSWORD, World
from tests.console import Person, text_of
from tests.untouched import nothing_changed

pytestmark = pytest.mark.django_db


def test_each_of_several_has_their_own_deadline(world: World) -> None:
    Policy.objects.create(pool=world.pool, version=1, max_parallel=3)
    Route.objects.update(offer_seconds=20)
    for name, seconds in (("Anna", 0), ("Bernd", 45), ("Clara", 120)):
        agent = world.agent(name)
        extra_seconds_choose(agent_id=agent.pk, seconds=seconds)
        presence.go_online(agent_id=agent.pk)
    world.ticket()
    assert match_pool(world.pool.pk) == 3
    found = {
        offer.agent.name: offer.expires_at - offer.made_at for offer in Offer.objects.select_related("agent")
    }
    assert found == {
        "Anna": timedelta(seconds=20),
        "Bernd": timedelta(seconds=65),
        "Clara": timedelta(seconds=140),
    }
    # The bar on the card begins at the whole time.
    (card,) = looks.look(world.agents["Clara"].pk).cards
    assert card.seconds == 140
    assert 138 < card.seconds_left <= 140


def test_an_open_offer_keeps_its_deadline(world: World) -> None:
    anna = Person(world, "Anna").online()
    before = anna.offered().expires_at
    extra_seconds_choose(agent_id=anna.agent.pk, seconds=60)
    assert Offer.objects.get().expires_at == before


def test_the_agent_chooses_it(world: World) -> None:
    anna = Person(world, "Anna")
    assert (
        'name="extra_seconds" min="0" max="120" step="1" inputmode="numeric" required value="0"'
        in text_of(anna.get("/calls/"))
    )
    page = anna.client.post("/calls/answering", {"extra_seconds": " 30 "}, follow=True)
    assert "Kept. It counts from your next offer on." in text_of(page)  # type: ignore[arg-type]
    assert Agent.objects.get().extra_seconds == 30
    assert 'value="30"' in text_of(anna.get("/calls/"))
    for wrong in ("", "121", "-1", "1.5", "9" * 30, "٣", "x"):
        with nothing_changed():
            answer = anna.client.post("/calls/answering", {"extra_seconds": wrong})
        assert answer.status_code == 400, wrong
        assert 'id="answering-problem">Choose a whole number of seconds from 0 to 120.' in text_of(answer)  # type: ignore[arg-type]
    with nothing_changed():
        assert Client().post("/calls/answering", {"extra_seconds": "30"}).status_code == 302  # to the log-in


def test_what_is_out_of_bounds_is_refused(world: World) -> None:
    anna = world.agent("Anna")
    for seconds in (-1, 121):
        with nothing_changed(), pytest.raises(BadExtraSeconds):
            extra_seconds_choose(agent_id=anna.pk, seconds=seconds)
    with pytest.raises(IntegrityError), transaction.atomic():
        Agent.objects.update(extra_seconds=121)


def test_admins_can_set_it_and_the_rules_tell_of_it(world: World) -> None:
    anna = world.agent("Anna")
    User.objects.create_superuser("root@team.example", PASSWORD)
    client = Client()
    client.login(email="root@team.example", password=PASSWORD)
    page = text_of(client.get(f"/admin/agents/agent/{anna.pk}/change/"))  # type: ignore[arg-type]
    assert '<input type="number" name="extra_seconds" value="0"' in page
    assert "takes up to two minutes more for each offer" in text_of(Client().get("/how-offers-are-made"))  # type: ignore[arg-type]
