"""What axe finds on a page: WCAG 2.2 AA and its best practices."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # to tell of all that is well takes most of its time
}


def violations(page: Page, **options: Any) -> list[dict[str, Any]]:
    """Each with the rule's id, what it wants, and the nodes that break it. `options` go to axe.run."""
    found: list[dict[str, Any]] = Axe().run(page, options=OPTIONS | options).response["violations"]
    return found


def no_findings(page: Page) -> None:
    """Fails and says what is wrong, if anything is."""
    found = [
        f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}" for one in violations(page)
    ]
    assert found == [], found
