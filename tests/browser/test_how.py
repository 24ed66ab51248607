"""The rules in words, as their readers see them: narrow, dark, German."""

from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right
from tests.conftest import NewPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "locale"), [(320, "de"), (1440, "en")])
def test_axe_finds_nothing_and_nothing_sticks_out(
    new_page: NewPage,
    backstage: Backstage,
    width: int,
    locale: Literal["de", "en"],
    color_scheme: Literal["light", "dark"],
) -> None:
    backstage.run(
        "from dispatch.models import Policy; Policy.objects.get_or_create(pool=world.pool, version=1)"
    )
    page = new_page(locale=locale, color_scheme=color_scheme, viewport={"width": width, "height": 800})
    page.goto("/how-offers-are-made")
    expect(page.locator(".weights")).to_have_count(2)
    looks_right(page)
