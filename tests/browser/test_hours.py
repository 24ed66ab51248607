"""Booked hours in a browser: by the keyboard on a desk, narrow, dark and German on a phone."""

from typing import Any, Literal

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.looks import fits, looks_right
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

SCENE = """
from datetime import timedelta
from django.utils import timezone
Policy.objects.get_or_create(pool=world.pool, version=1)
NeededHour.objects.all().delete()
now = timezone.now().replace(minute=0, second=0, microsecond=0)
for after, seats in ((24, 2), (25, 1), (26, 1), (7 * 24 + 20, 1)):
    NeededHour.objects.create(pool=world.pool, begins_at=now + timedelta(hours=after), seats=seats)
NeededHour.objects.update(made_at=now - timedelta(days=30))
from dispatch.hours import hour_book
Forecast.objects.all().delete()
for number in range(4):  # there is no history yet: the last hour stands for the next ones
    world.ticket(topic=world.refund if number % 4 else world.card)
NeededHour.objects.create(pool=world.pool, begins_at=now, seats=3, taken=1)
hour_book(agent_id=agent("Bernd")["id"], hour_id=NeededHour.objects.order_by("begins_at")[3].pk)
"""


@pytest.mark.parametrize(("width", "locale", "scheme"), [(1440, "en", "light"), (320, "de", "dark")])
def test_book_and_drop(
    console: Any,
    backstage: Backstage,
    stack: LiveStack,
    width: int,
    locale: Literal["en", "de"],
    scheme: str,
) -> None:
    backstage.run(SCENE)
    words = {
        "en": (
            "Book",
            "Drop",
            "The hour is booked.",
            "Nothing follows",
            "Next booked hour:",
            "All seats",
            "cannot be booked yet",
            "1 of 3 booked",
            "a little",
        ),
        "de": (
            "Buchen",
            "Zurückgeben",
            "Die Stunde ist gebucht.",
            "keine Folgen",
            "Nächste gebuchte",
            "Alle Plätze",
            "noch nicht",
            "1 von 3 gebucht",
            "wenig",
        ),
    }[locale]
    page = console(
        path="/hours/", locale=locale, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    fits(page)
    expect(page.locator(".days details[open]")).to_have_count(1)
    rows = page.locator(".hour")
    expect(rows).to_have_count(5)
    expect(rows.nth(3)).to_contain_text(words[5])
    expect(rows.nth(4)).to_contain_text(words[6])
    found = page.locator(".days details:not([open])", has=page.locator(".hour form")).first
    folded = page.locator(f"#{found.get_attribute('id')}")
    summary = folded.locator("summary")
    button = folded.get_by_text(words[0], exact=True).first
    expect(button).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(words[2])).to_be_visible()
    expect(page.locator(".hour-mine")).to_have_count(2)  # at the top, and in its day, which is unfolded
    expect(page.locator(".days .hour-mine")).to_be_visible()
    looks_right(page)
    page.goto("/console/")
    expect(page.locator(".next-hour")).to_contain_text(words[4])
    looks_right(page)
    expect(page.locator(".demand tbody")).to_have_count(2)
    expect(page.locator(".demand th").first).to_contain_text(words[7])
    expect(page.locator(".demand td").first).to_contain_text(words[8])
    page.goto("/hours/")
    page.locator(".hour-mine").first.get_by_text(words[1], exact=True).click()
    expect(page.get_by_text(words[3]).first).to_be_visible()
    expect(page.locator(".hour-mine")).to_have_count(0)
    assert stack.sql("SELECT count(*) FROM dispatch_booking WHERE ended_at IS NULL") == [(1,)]
