"""A lead gives a waiting ticket to somebody while a run is about to offer it, and while somebody accepts it."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission

from agents.models import User
from dispatch import leading, presence, runs
from dispatch.models import LeadAction, Offer
from dispatch.offers import offer_accept, offers_cancel
from dispatch.runs import match_pool
from tests.cast import PASSWORD, World
from tests.races.conftest import together
from tests.races.test_two_pools import meanwhile_once
from tickets.errors import Refusal
from tickets.lifecycle import ticket_close

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def lead(world: World) -> User:
    user = User.objects.create_user("lea@team.example", PASSWORD, name="Lea")
    user.user_permissions.add(Permission.objects.get(codename="intervene"))
    return user


def test_a_run_that_saw_it_before_a_lead_gave_it_to_somebody_offers_it_to_nobody_else(
    world: World, lead: User, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    """Between what the run reads and what it writes the ticket goes to Ben, who is asked alone by the next run, at once."""
    ticket = world.ticket()
    anna, ben = world.agent("Anna"), world.agent("Ben")
    for agent in (anna, ben):
        presence.go_online(agent_id=agent.pk)
    meanwhile_once(
        monkeypatch,
        lambda: leading.reassign(lead=lead, ticket_id=ticket.pk, why="Ben knows her", to_agent_id=ben.pk),
    )
    assert match_pool(world.pool.pk) == 1
    assert Offer.objects.get().agent == ben
    invariants_hold()


def test_control_without_the_look_it_is_offered_to_others(
    world: World, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = world.ticket()
    anna, ben = world.agent("Anna"), world.agent("Ben")
    for agent in (anna, ben):
        presence.go_online(agent_id=agent.pk)
    assert runs.STILL_WAITING in runs.WRITE
    looked = runs.STILL_WAITING.partition("AND (SELECT")[0]
    monkeypatch.setattr(runs, "WRITE", runs.WRITE.replace(runs.STILL_WAITING, looked))
    meanwhile_once(
        monkeypatch,
        lambda: leading.reassign(lead=lead, ticket_id=ticket.pk, why="Ben knows her", to_agent_id=ben.pk),
    )
    assert match_pool(world.pool.pk) == 2
    assert {offer.agent for offer in Offer.objects.all()} == {anna, ben}


def test_two_leads_and_an_accept(world: World, lead: User, invariants_hold: Callable[[], None]) -> None:
    """Whoever comes first: it is with one person or waits for one, nobody's attention is lost, each act is written down."""
    for _ in range(8):
        ticket = world.ticket()
        agents = [world.agents.get(name) or world.agent(name) for name in ("Anna", "Ben")]
        epochs = {agent.pk: presence.go_online(agent_id=agent.pk).epoch for agent in agents}
        assert match_pool(world.pool.pk) >= 1
        offer = Offer.objects.filter(ticket=ticket, state="pending").order_by("pk")[0]
        before = LeadAction.objects.count()
        outcomes = together(
            lambda offer=offer, epochs=epochs: offer_accept(
                offer_id=offer.pk, agent_id=offer.agent_id, epoch=epochs[offer.agent_id]
            ),
            lambda ticket=ticket, agents=agents: leading.reassign(
                lead=lead, ticket_id=ticket.pk, why="Take it", to_agent_id=agents[0].pk
            ),
            lambda ticket=ticket, agents=agents: leading.reassign(
                lead=lead, ticket_id=ticket.pk, why="No, you", to_agent_id=agents[1].pk
            ),
        )
        assert all(not isinstance(one, Exception) or isinstance(one, Refusal) for one in outcomes), outcomes
        acts = [one for one in outcomes[1:] if not isinstance(one, Exception)]
        assert LeadAction.objects.count() - before == len(acts)
        invariants_hold()
        ticket_close(ticket=ticket)
        offers_cancel(ticket_id=ticket.pk)
