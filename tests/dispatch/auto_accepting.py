"""What the tests of auto-accept share."""

from typing import Any

from agents.models import Agent
from dispatch import presence
from dispatch.automatic import auto_accept_choose
from dispatch.models import FeedEvent
from tests.cast import World


def here(world: World, name: str, *, on: bool = True, **more: Any) -> Agent:
    """Online, with the switch so."""
    agent = world.agent(name, **more)
    auto_accept_choose(agent_id=agent.pk, on=on)
    presence.go_online(agent_id=agent.pk)
    return agent


def feed_of(agent: Agent) -> list[tuple[str, dict[str, Any]]]:
    return list(FeedEvent.objects.filter(agent=agent).order_by("seq").values_list("type", "data"))
