"""Scenes that several tests of dispatch begin with."""

import pytest

from dispatch import presence
from dispatch.models import Run
from dispatch.runs import match_pool
from tests.cast import World


@pytest.fixture
def run(world: World) -> Run:
    """Anna and Bernd were asked about one ticket; Greta lacks the skill, Hans was away."""
    for name, payments in (("Anna", 3), ("Bernd", 2), ("Greta", 0)):
        presence.go_online(agent_id=world.agent(name, payments=payments).pk)
    world.agent("Hans")
    world.ticket()
    assert match_pool(world.pool.pk) == 2
    return Run.objects.get()
