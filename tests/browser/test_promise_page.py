"""How the promise is kept, on any screen: nothing lies beside it, and no word is broken into letters."""

from collections.abc import Iterator

import pytest

from tests.backstage import Backstage
from tests.browser.looks import fits, no_findings
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

LEAD = """
from django.contrib.auth.models import Permission
lead = User.objects.create_user("lead@team.example", name="Lea")
lead.user_permissions.add(*Permission.objects.filter(codename__in=("view_halfhour", "view_promiseday")))
client = Client()
client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
result = client.cookies["sessionid"].value
"""
# Some days ago, so that nothing counts them anew; and not while the worker counts, who would take them for what it began with.
DAYS = """
from datetime import timedelta
from django.db import connection, transaction
from django.utils import timezone
from dispatch import promise
with transaction.atomic():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [promise._LOCK])
    PromiseDay.objects.all().delete()
    for ago in (5, 6, 7):
        PromiseDay.objects.create(day=timezone.localdate() - timedelta(days=ago), topic=Topic.objects.get(key="refund"),
            asked=1312, kept=1298, missed=14, longest=5025, longest_left=7505, waits={"105": 1250, "110": 50}, estimates=9,
            early=270, off=410)
"""
# Regions whose content is wider than they are, words broken into letters, cells off the screen.
OFF = """() => [
  ...[...document.querySelectorAll(".table-scroll")].filter((one) => one.scrollWidth > one.clientWidth),
  ...[...document.querySelectorAll(".facts dd, .facts dt")].filter((one) => one.clientWidth < 48),
  ...[...document.querySelectorAll("tbody :is(td, th)")].filter((one) => one.getBoundingClientRect().right > innerWidth),
].map((one) => one.outerHTML.slice(0, 200))"""


@pytest.fixture(autouse=True)
def days(backstage: Backstage) -> Iterator[None]:
    backstage.run(DAYS)
    yield
    backstage.run("PromiseDay.objects.all().delete()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(new_page: NewPage, stack: LiveStack, backstage: Backstage, scheme: str) -> None:
    page = new_page(locale="de", color_scheme=scheme, bypass_csp=True)
    page.context.add_cookies([{"name": "sessionid", "value": backstage.run(LEAD), "url": stack.base_url}])
    for path in ("/promise", "/lead/promise"):
        for _look in range(20):  # what is counted is kept for some seconds
            page.goto(path)
            if page.locator(".kept-days tbody tr").count() >= 3:
                break
            page.wait_for_timeout(250)
        for width in (1920, 1280, 1024, 800, 768, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(OFF) == [], (path, width)
            fits(page)
            if width in {1280, 320}:
                no_findings(page)
        cell = page.locator(".kept-days td").last
        assert cell.inner_text().split() == ["2", "h", "5", "min"]
        assert cell.evaluate("one => getComputedStyle(one, '::before').content") == '"Am längsten"'
        assert page.get_by_role("row").last.get_by_role("cell").count() == 5  # still a table to who hears it
