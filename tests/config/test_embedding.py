"""Frames of other sites: only the customer's pages, only where a site is named, and with cookies that such a frame keeps."""

from typing import Any

import pytest
from django.test import Client

from tests.cast import World
from tests.tickets.pages import at
from tickets.access import token_of

pytestmark = pytest.mark.django_db

IFRAME = {"Sec-Fetch-Dest": "iframe"}


@pytest.fixture(autouse=True)
def sites(settings: Any) -> None:
    settings.WIDGET_SITES = ["https://shop.example"]


def ancestors(response: Any) -> str:
    [found] = [
        part.strip()
        for part in response["Content-Security-Policy"].split(";")
        if part.strip().startswith("frame-ancestors")
    ]
    return str(found)


def test_the_form_in_a_named_sites_frame(client: Client) -> None:
    response = client.get("/", headers=IFRAME)
    assert ancestors(response) == "frame-ancestors 'self' https://shop.example"
    assert "X-Frame-Options" not in response
    for name in ("csrftoken", "embedded"):
        cookie = response.cookies[name].OutputString()
        assert "SameSite=None" in cookie
        assert "Secure" in cookie
        assert cookie.endswith("Partitioned") or "Partitioned;" in cookie
    assert "js/embedded.js" in response.content.decode()


@pytest.mark.parametrize("path", ["/accounts/login/", "/console/", "/admin/login/", "/work-with-us/"])
def test_no_other_page_can_be_framed(client: Client, path: str) -> None:
    response = client.get(path, headers=IFRAME)
    assert ancestors(response) == "frame-ancestors 'none'"
    assert response["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("how", ["no site is named", "not in a frame"])
def test_else_nothing_is_different(client: Client, settings: Any, how: str) -> None:
    if how == "no site is named":
        settings.WIDGET_SITES = []
    response = client.get(
        "/", headers=IFRAME if how == "no site is named" else {"Sec-Fetch-Dest": "document"}
    )
    assert ancestors(response) == "frame-ancestors 'none'"
    assert response["X-Frame-Options"] == "DENY"
    assert response.cookies["csrftoken"]["samesite"] == "Lax"
    assert "js/embedded.js" not in response.content.decode()


def test_the_widget_begins_at_the_open_ticket(client: Client, world: World) -> None:
    assert client.get("/widget/?topic=refund&lang=de", headers=IFRAME)["Location"] == "/?topic=refund"
    assert client.cookies["django_language"].value == "de"
    first, ended, last = world.ticket(), world.ticket(), world.ticket()
    type(ended).objects.filter(pk=ended.pk).update(state="closed")
    for ticket in (first, ended):
        client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    client.cookies[f"t-{last.public_id}"] = token_of(first)  # opens nothing
    assert client.get("/widget/?topic=refund", headers=IFRAME)["Location"] == at(first)


def test_the_script_has_an_address_that_stays(client: Client) -> None:
    response = client.get("/widget.js")
    assert response["Location"].endswith(".js")
    assert "js/widget" in response["Location"]
    assert "max-age=3600" in response["Cache-Control"]
