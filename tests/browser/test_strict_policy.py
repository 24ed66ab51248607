"""The pages under the very Content-Security-Policy that visitors get: axe, in the other tests, needs it out of its way."""

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.test_rights import SCENE
from tests.conftest import NewPage
from tests.stack import LiveStack
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.servers]

OF_AGENTS = (
    "console/", "console/earnings", "hours/", "calls/", "rights/", "rights/decisions", "rights/reviews", "rights/leave",
    "how-offers-are-made",
)  # fmt: skip
OF_LEADS = ("lead/runs", "lead/reviews", "lead/contests", "lead/escalations")


@pytest.mark.parametrize(("who", "pages"), [("anna", OF_AGENTS), ("lead", OF_LEADS)])
def test_no_page_breaks_the_policy(
    new_page: NewPage, backstage: Backstage, stack: LiveStack, who: str, pages: tuple[str, ...]
) -> None:
    session = backstage.run(SCENE)[who]
    page = new_page()
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": stack.base_url}])
    for path in pages:
        answer = page.goto(f"/{path}")
        assert answer is not None
        assert answer.status == 200, path
        assert "unsafe" not in answer.headers["content-security-policy"]
        expect(page.locator("h1, h2").first).to_be_visible()
    # A complaint fails the test at its end (new_page).


def test_a_broken_policy_is_heard(new_page: NewPage) -> None:
    heard: list[str] = []
    page = new_page(allowed=["policy", "style"])
    page.on("console", lambda message: heard.append(message.text))
    page.goto("/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    # Asked from here, so that what the page has said is heard meanwhile.
    until(
        lambda: page.evaluate("true") and any("policy: style-src" in one for one in heard),
        "the page complains",
    )
