"""How a page looks once it is there: what axe finds on it, and whether it fits its screen."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Error, Page

from tests.waiting import until

# WCAG 2.2 AA and axe's best practices.
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # to tell of all that is well takes most of its time
}


def violations(page: Page, **options: Any) -> list[dict[str, Any]]:
    """Each with the rule's id, what it wants, and the nodes that break it. `options` go to axe.run."""
    page.wait_for_load_state()  # a click returns as soon as the next page begins
    # Not by the package's own Axe.run: that reads half a megabyte of script at each look, and tells of all that is well.
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(
        "async options => (await axe.run(document, options)).violations", OPTIONS | options
    )
    return found


def no_findings(page: Page) -> None:
    """Fails and says what is wrong, if anything is."""
    found = [
        f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}" for one in violations(page)
    ]
    assert found == [], found


def fits(page: Page) -> None:
    """Nothing sticks out to the side of the screen; of the page that is coming, where one is."""
    page.wait_for_load_state()
    assert page.viewport_size is not None
    width = page.viewport_size["width"]  # and not innerWidth: a phone's grows with what sticks out

    def within() -> bool:
        try:
            return int(page.evaluate("document.documentElement.scrollWidth")) <= width
        except Error:  # between two pages
            return False

    until(within, f"nothing sticks out of {width} pixels", seconds=10)


def looks_right(page: Page) -> None:
    """It fits, and axe finds nothing."""
    fits(page)
    no_findings(page)
