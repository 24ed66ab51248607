"""Each way to a person: without JavaScript, by the widget in a foreign page, on a phone, by mail only.

Mail over real SMTP and IMAP servers, threads and all, is in tests/tickets/test_mail_only.py; here is what the agent sees of it.
"""

import functools
import http.server
import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.backstage import Backstage
from tests.browser.test_console import online
from tests.browser.test_customer import ACCEPT, RESOLVE, anna
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

# A shop whose own policy is strict: it names us, and nothing inline.
POLICY = "default-src 'none'; style-src 'self'; script-src {ours}; frame-src {ours}"
SHOP = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/shop.css"><link rel="icon" href="data:,"></head>
<body><h1>A shop</h1><script src="{ours}/widget.js" async></script></body></html>"""
CSS = "standby-widget { --standby-accent: rgb(122, 31, 92); --standby-on-accent: #ffffff; --standby-radius: 3px; }"


@pytest.fixture
def shop(stack: LiveStack) -> Iterator[int]:
    """Port of another site's server."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            css = self.path.endswith(".css")
            language = "de" if self.path == "/de" else "en"
            body = (CSS if css else SHOP.format(ours=stack.base_url, language=language)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/css" if css else "text/html")
            self.send_header(
                "Content-Security-Policy", POLICY.format(ours=stack.base_url) + "; img-src data:"
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture(autouse=True)
def people(backstage: Backstage) -> None:
    backstage.run("world.agent('Anna')")


def ticket_of(backstage: Backstage) -> str:
    return str(backstage.run("result = Ticket.objects.latest('created_at').public_id"))


def test_without_javascript(new_page: NewPage, backstage: Backstage) -> None:
    page = new_page(size="phone", java_script_enabled=False)
    page.goto("/")
    page.get_by_label("How can we help?").fill("Where is my refund?")
    page.get_by_role("button", name="Send to a person").click()
    expect(page.get_by_role("heading", name="Ticket S-")).to_be_visible()
    page.get_by_role("button", name="Talk to a person").click()
    expect(page.get_by_text("Person requested")).to_be_visible()
    anna(backstage, ticket_of(backstage), ACCEPT)
    page.get_by_role("link", name="Look for new messages").click()
    expect(page.get_by_text("Guten Tag Carla, ich sehe nach.")).to_be_visible()
    page.get_by_label("Your message").fill("Thank you, I wait")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Thank you, I wait")).to_be_visible()
    anna(backstage, ticket_of(backstage), RESOLVE)
    page.get_by_role("link", name="Look for new messages").click()
    page.get_by_role("radio", name="Yes").check()
    page.get_by_role("radio", name="5 of").check()
    page.get_by_role("button", name="Send rating").click()
    expect(page.get_by_text("Thank you for your rating.")).to_be_visible()


def in_widget(page: Page) -> FrameLocator:
    return page.frame_locator("standby-widget iframe")


def test_by_the_widget_in_a_foreign_page(new_page: NewPage, backstage: Backstage, shop: int) -> None:
    page = new_page()
    page.goto(f"http://localhost:{shop}/")
    button = page.get_by_role("button", name="Ask a person")
    expect(button).to_have_css("background-color", "rgb(122, 31, 92)")
    button.focus()
    page.keyboard.press("Enter")
    inside = in_widget(page)
    inside.get_by_label("How can we help?").fill("Where is my refund?")
    send = inside.get_by_role("button", name="Send to a person")
    expect(send).to_have_css("background-color", "rgb(122, 31, 92)")
    expect(send).to_have_css("border-radius", "3px")
    send.press("Enter")
    expect(inside.get_by_role("button", name="Talk to a person")).to_be_visible()
    assert backstage.run("result = Ticket.objects.get().channel") == "widget"

    inside.get_by_role("button", name="Talk to a person").click()
    expect(inside.get_by_text("Person requested")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("standby-widget .panel")).to_be_hidden()
    expect(button).to_be_focused()
    anna(backstage, ticket_of(backstage), ACCEPT)
    expect(page.locator("standby-widget .count")).to_have_text("1")
    button.click()
    expect(inside.locator(".bubble", has_text="Guten Tag Carla, ich sehe nach.")).to_be_visible()
    expect(page.locator("standby-widget .count")).to_be_hidden()

    page.reload()  # and the conversation is there again, by the frame's own cookie
    button.click()
    expect(inside.locator(".bubble", has_text="Guten Tag Carla, ich sehe nach.")).to_be_visible()
    assert page.evaluate("document.cookie") == ""


def test_on_a_phone_it_fills_the_screen_and_speaks_the_sites_language(new_page: NewPage, shop: int) -> None:
    page = new_page(size="phone", color_scheme="dark")
    page.goto(f"http://localhost:{shop}/de")
    page.get_by_role("button", name="Einen Menschen fragen").click()
    inside = in_widget(page)
    expect(inside.get_by_label("Wie können wir Ihnen helfen?")).to_be_visible()
    box = page.locator("standby-widget .panel").bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, page.viewport_size["width"] if page.viewport_size else 0)
    assert page.evaluate("document.documentElement.scrollWidth") == box["width"]
    page.get_by_role("button", name="Schließen").click()
    expect(page.locator("standby-widget .panel")).to_be_hidden()


MAIL = """
from tickets.inbox.taking import mail_take
from tickets.postmarks import reply_address

def written(to, subject, text, number):
    lines = ["From: Carla Conti <carla@customers.example>", f"To: {to}", f"Subject: {subject}",
             f"Message-ID: <{number}@customers.example>", "Content-Type: text/plain; charset=utf-8", "", text, ""]
    mail_take("\\r\\n".join(lines).encode())
    result = Ticket.objects.get()
    return result
"""


def test_by_mail_only(new_page: NewPage, backstage: Backstage, stack: LiveStack) -> None:
    backstage.run(MAIL)
    page = new_page(bypass_csp=True)
    session = backstage.run("result = agent('Ben')")["session"]
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": stack.base_url}])
    page.goto("/console/")
    online(page)
    public_id = backstage.run(
        "result = written('help@later.example', 'My refund', 'Where is my refund for the shoes?', 1).public_id"
    )
    page.get_by_role("button", name=re.compile("Accept")).click()
    thread = page.locator(f"#thread-{public_id}")
    expect(thread.locator(".bubble", has_text="Where is my refund for the shoes?")).to_be_visible()
    thread.get_by_label("Your text").fill("It is on its way.")
    page.keyboard.press("Control+Enter")
    expect(thread.locator(".message-agent .bubble")).to_have_text("It is on its way.")
    backstage.run(
        "written(reply_address(Ticket.objects.get()), 'Re: My refund', 'Thank you, when is it here?', 2)"
    )
    expect(thread.locator(".bubble", has_text="Thank you, when is it here?")).to_be_visible()
    assert backstage.run("result = (Ticket.objects.get().channel, Ticket.objects.get().customer.email)") == [
        "mail",
        "carla@customers.example",
    ]


def test_a_site_that_is_not_named_shows_nothing(new_page: NewPage, shop: int) -> None:
    page = new_page(allowed=[r"frame-ancestors|Framing|refused|ERR_BLOCKED"])
    page.goto(f"http://not-named.localhost:{shop}/")
    page.get_by_role("button", name="Ask a person").click()
    page.wait_for_timeout(0)
    with page.expect_event(
        "console", lambda message: "frame-ancestors" in message.text or "raming" in message.text
    ):
        page.reload()
        page.get_by_role("button", name="Ask a person").click()
    assert in_widget(page).get_by_label("How can we help?").count() == 0
