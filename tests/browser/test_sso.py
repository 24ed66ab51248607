"""Single sign-on in a real Chromium: the button, the provider's page on another origin, and back, signed in."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.looks import looks_right
from tests.conftest import NewPage
from tests.provider import CLIENT, SECRET, Provider, provider
from tests.stack import LiveStack, live_stack

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.fixture(scope="module")
def company() -> Iterator[Provider]:
    with provider() as opened:
        opened.asks = True
        yield opened


@pytest.fixture(scope="module")
def stack(company: Provider) -> Iterator[LiveStack]:
    """Only a web process: nobody else is asked."""
    settings = {
        "SSO_ISSUER": company.issuer,
        "SSO_CLIENT_ID": CLIENT,
        "SSO_CLIENT_SECRET": SECRET,
        "SSO_NAME": "Later & Co",
        "SSO_ROLES": "leads=Team leads",
    }
    with live_stack("sso", settings=settings, with_worker=False, with_beat=False) as started:
        started.sql(
            "WITH made AS (INSERT INTO auth_group (name) VALUES ('Team leads') RETURNING id) "
            "INSERT INTO auth_group_permissions (group_id, permission_id) "
            "SELECT made.id, one.id FROM made, auth_permission one WHERE one.codename = 'view_halfhour'"
        )
        yield started


def test_a_lead_signs_on_by_the_companys_page(new_page: NewPage, stack: LiveStack, company: Provider) -> None:
    """The button's redirects leave for another origin, which `form-action` must allow: new_page fails where it does not."""
    company.person = {
        "sub": "p-1",
        "email": "lea@staff.example",
        "email_verified": True,
        "name": "Lea",
        "groups": ["leads"],
    }
    page = new_page(locale="de", color_scheme="dark", viewport={"width": 320, "height": 700})
    page.goto("/accounts/login/?next=/lead/")
    button = page.get_by_role("button", name="Mit Later & Co anmelden")
    looks_right(page)
    button.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_title("Provider")
    assert page.url.startswith(company.issuer + "/authorize?")
    page.get_by_role("link", name="Go on as Lea").click()
    expect(page).to_have_url(f"{stack.base_url}/lead/")
    expect(page.get_by_role("heading", name="Wallboard")).to_be_visible()
    assert stack.sql(
        "SELECT one.email, role.name FROM agents_user one JOIN agents_user_groups of ON of.user_id = one.id "
        "JOIN auth_group role ON role.id = of.group_id"
    ) == [("lea@staff.example", "Team leads")]
    assert company.refused == []
