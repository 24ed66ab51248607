"""A suggestion beside a chat, in a real browser: put into the answer by keyboard, changed, and sent by the person only."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.looks import no_findings
from tests.browser.test_console import held, online

pytestmark = [pytest.mark.browser, pytest.mark.servers]

ARTICLE = """
from django.utils import timezone
from tickets.models import Article, ArticleState, Calibration
Article.objects.create(slug="late-refund", language="en", title="When your refund arrives", state=ArticleState.APPROVED,
    wordings="Where is my refund?", body="A refund arrives five days after the parcel.", approved_at=timezone.now())
Calibration.objects.create(language="en", questions=10, curve=[[0.0, 0.9], [1.0, 0.95]], report={})
"""
GONE = """
from tickets.models import Article, Calibration
Article.objects.all().delete()
Calibration.objects.all().delete()
"""


@pytest.fixture(autouse=True)
def article(backstage: Backstage) -> Iterator[None]:
    backstage.run(ARTICLE)
    yield
    backstage.run(GONE)


def test_put_into_the_answer_and_sent_by_the_person(console: Any, backstage: Backstage) -> None:
    page = console(bypass_csp=True)
    online(page)
    public_id = held(page, backstage)
    thread = page.locator(f"#thread-{public_id}")
    use = thread.get_by_role("button", name="Put into my answer")
    expect(use).to_be_visible()  # the first search of a web process loads what it needs
    expect(thread.get_by_text("found by a machine")).to_be_visible()
    no_findings(page)
    body = thread.get_by_label("Your text")
    body.fill("Hello Carla,")
    use.focus()
    page.keyboard.press("Enter")
    expect(body).to_be_focused()
    expect(body).to_have_value("Hello Carla,\n\nA refund arrives five days after the parcel.")
    assert (
        backstage.run(
            "from tickets.models import Message; result = Message.objects.filter(author='agent').count()"
        )
        == 0
    )
    page.keyboard.type(" Yours was here on Monday.")
    page.keyboard.press("Control+Enter")
    expect(thread.locator(".message-agent .bubble")).to_have_text(
        "Hello Carla,\n\nA refund arrives five days after the parcel. Yours was here on Monday."
    )
    used = "from dispatch.models import Suggestion; result = Suggestion.objects.filter(used_at__isnull=False).count()"
    assert backstage.run(used) == 1
