"""The scene of the admin's tests."""

import pytest

from tests.cast import World
from tests.dispatch.backoffice.scene import Scene, make_scene


@pytest.fixture
def scene(world: World) -> Scene:
    return make_scene(world)
