"""The API's documentation in a browser, under the same Content-Security-Policy as every page."""

import pytest
from playwright.sync_api import expect

from tests.conftest import NewPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def test_the_documentation_opens(new_page: NewPage) -> None:
    page = new_page()  # fails at the end for any violation of the policy, and any error on the console
    answer = page.goto("/api/docs/")
    assert answer is not None
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    operation = page.locator("#operations-offers-offer_accept")
    expect(operation).to_be_visible()
    operation.locator(".opblock-summary-control").click()
    expect(operation.get_by_text("Of several agents exactly one can")).to_be_visible()
    expect(operation.get_by_text("Idempotency-Key").first).to_be_visible()
    expect(operation.get_by_text("offer_expired").first).to_be_visible()
    page.locator(".btn.authorize").click()
    expect(page.locator(".auth-container h4", has_text="ticketToken")).to_be_visible()
