"""The agents' pages as an app, in a real Chromium: worker, page without a network, switches, a call that comes in.

Chromium's own push service is a foreign host, which no test asks: `PushManager.subscribe` gives a subscription of this test's
own push service instead, whose keys the test has. Everything before and behind it is real, but for the touch of a
notification, which only a hand can make.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.chromium import find
from tests.conftest import launched
from tests.push import PushedTo, pushed_to
from tests.stack import LiveStack
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.servers]

# What the browser's maker would answer. The permission and the registration are the browser's own.
SUBSCRIPTION = """
(() => {
  const made = SAID;
  const like = { endpoint: made.endpoint,
                 toJSON: () => ({ endpoint: made.endpoint, keys: { p256dh: made.p256dh, auth: made.auth } }),
                 unsubscribe: async () => { localStorage.removeItem("subscribed"); return true; } };
  PushManager.prototype.subscribe = async function (options) {
    if (!options.userVisibleOnly || !options.applicationServerKey) throw new Error("refused");
    if (Notification.permission !== "granted") throw new Error("refused");
    localStorage.setItem("subscribed", "yes");
    return like;
  };
  PushManager.prototype.getSubscription = async () => (localStorage.getItem("subscribed") ? like : null);
})();
"""

# Tells when a page has looked at what is shown: what it closes then was there before.
LOOKS = """
(() => {
  const of = ServiceWorkerRegistration.prototype.getNotifications;
  ServiceWorkerRegistration.prototype.getNotifications = async function (...filter) {
    const found = await of.apply(this, filter);
    window.looked = true;
    return found;
  };
})();
"""

# Tells what the worker has shown. Who asks for what is shown while Chromium is just about to show it makes it forget that.
TELLS = """
(() => {
  const show = registration.showNotification.bind(registration);
  self.told = [];
  registration.showNotification = async (title, more) => {
    await show(title, more);
    told.push(title);
  };
})();
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched(find(whole=True)) as opened:  # the headless shell knows no notifications
        yield opened


@pytest.fixture
def browser() -> Iterator[PushedTo]:
    with pushed_to() as opened:
        # Not reached by the stack, whose guard is up: the backstage sends.
        yield opened


def open_app(console: Any, browser: PushedTo, **more: Any) -> Page:
    page = console(path="/accounts/2fa/", service_workers="allow", permissions=["notifications"], **more)
    said = browser.said | {"endpoint": "https://push.services.example/one"}
    page.add_init_script(SUBSCRIPTION.replace("SAID", json.dumps(said)))
    page.goto("/console/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    return page


def test_installable_and_clear_without_a_network(
    console: Any, browser: PushedTo, anna: dict[str, Any]
) -> None:
    page = open_app(
        console,
        browser,
        locale="de",
        color_scheme="dark",
        viewport={"width": 320, "height": 640},
        allowed=["net::ERR_INTERNET_DISCONNECTED", "ERR_FAILED"],
    )
    cdp = page.context.new_cdp_session(page)
    assert cdp.send("Page.getAppManifest")["errors"] == []
    assert cdp.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorId": "in-incognito", "errorArguments": []}],
    )
    page.reload()  # now it is the worker's
    assert page.evaluate("navigator.serviceWorker.controller.scriptURL").endswith("/sw.js")
    page.goto("/console/earnings/")
    kept = page.evaluate(
        "caches.keys().then(async names => (await Promise.all(names.map(async name => "
        "(await (await caches.open(name)).keys()).map(one => new URL(one.url).pathname)))).flat().sort())"
    )
    assert kept == sorted(
        [
            "/static/css/standby.css",
            "/static/js/offline.js",
            "/static/icon.svg",
            "/static/img/icon-192.png",
            "/static/img/badge-96.png",
            "/offline/en",
            "/offline/de",
            "/offline/language",
        ]
    )
    page.context.set_offline(True)
    page.goto("/console/")
    expect(page.get_by_role("heading", name="Sie sind offline")).to_be_visible()
    expect(
        page.get_by_text("Auf diesem Gerät bleiben weder Nachrichten noch Daten von Kunden")
    ).to_be_visible()
    looks_right(page)
    page.context.set_offline(False)
    expect(page.locator("#console")).to_be_visible()  # by itself


def switch(page: Page, name: str) -> Any:
    return page.get_by_role("switch", name=name)


def test_two_consents_each_by_its_own_click(
    console: Any, browser: PushedTo, backstage: Backstage, stack: LiveStack
) -> None:
    page = open_app(console, browser, allowed=["status of 400"])
    page.get_by_text("Signals and shortcuts").click()
    offers, busy = switch(page, "Tell me about offers"), switch(page, "Call me when it is busy")
    expect(offers).to_have_attribute("aria-checked", "false")
    assert stack.sql("SELECT count(*) FROM agents_pushdevice") == [(0,)]
    offers.focus()
    page.keyboard.press("Space")
    expect(offers).to_have_attribute("aria-checked", "true")
    expect(busy).to_have_attribute("aria-checked", "false")
    expect(page.get_by_text("On. It says pay and topic")).to_be_visible()
    busy.click()
    expect(busy).to_have_attribute("aria-checked", "true")
    page.reload()
    page.get_by_text("Signals and shortcuts").click()
    expect(busy).to_have_attribute("aria-checked", "true")
    no_findings(page)
    page.get_by_role("link", name="Devices and quiet hours").click()
    expect(page.locator(".devices li")).to_contain_text("Chrome, Linux")
    no_findings(page)
    switch(page, "Tell me about offers").click()
    expect(switch(page, "Tell me about offers")).to_have_attribute("aria-checked", "false")
    assert stack.sql("SELECT offers, busy FROM agents_pushdevice") == [(False, True)]
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nothing comes to that device any more.")).to_be_visible()
    expect(switch(page, "Call me when it is busy")).to_have_attribute("aria-checked", "false")
    page.get_by_label("From").fill("22:00")
    page.get_by_role("region", name="Quiet hours").get_by_role("button", name="Keep").click()
    # refused: an end is missing, and what was said stands there still
    expect(page.get_by_role("alert")).to_contain_text("Quiet hours want a beginning")
    expect(page.get_by_label("From")).to_have_value("22:00")


def test_a_call_is_shown_to_who_looks_elsewhere(
    console: Any, browser: PushedTo, anna: dict[str, Any]
) -> None:
    page = open_app(console, browser)

    def shown() -> list[str]:
        found: list[str] = page.evaluate(
            "navigator.serviceWorker.ready.then(one => one.getNotifications()).then(all => all.map(one => one.title))"
        )
        return found

    def come(path: str) -> None:
        """Go to a page of the agents' and wait until it has closed what they were called for, a moment after it has loaded."""
        page.goto(path)
        # Asked again and again from here: the pages' policy lets `wait_for_function` ask once only.
        until(lambda: page.evaluate("window.looked"), "the page looks at what is shown")
        until(lambda: shown() == [], "the page closes what is shown")

    page.add_init_script(LOOKS)
    page.bring_to_front()
    page.goto("/")  # not the agents': it closes nothing
    page.evaluate("navigator.serviceWorker.ready.then(one => one.showNotification('Of earlier'))")
    come("/console/")
    cdp = page.context.new_cdp_session(page)
    versions: list[dict[str, Any]] = []
    cdp.on("ServiceWorker.workerRegistrationUpdated", lambda event: versions.extend(event["registrations"]))
    cdp.send("ServiceWorker.enable")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    [registration] = {one["registrationId"] for one in versions}
    origin = page.evaluate("location.origin")
    [worker] = page.context.service_workers
    worker.evaluate(TELLS)

    def push(kind: str, title: str) -> None:
        call = {"kind": kind, "title": title, "body": "20 s", "path": "/console/", "seconds": 20}
        cdp.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": origin, "registrationId": registration, "data": json.dumps(call)},
        )

    push("offer", "Offer: Refund, €4.00")
    push("busy", "It is busy")  # later than the first, so that one has been decided on
    until(lambda: worker.evaluate("told") == ["It is busy"], "the push is shown")
    assert shown() == ["It is busy"]  # the console is in sight: the card is enough
    come("/calls/")
    push("offer", "Offer: Refund, €4.00")
    until(lambda: worker.evaluate("told") == ["It is busy", "Offer: Refund, €4.00"], "the offer is shown")
    assert shown() == ["Offer: Refund, €4.00"]


def test_a_lead_says_yes_to_alerts_and_takes_it_back(
    console: Any, browser: PushedTo, backstage: Backstage, stack: LiveStack
) -> None:
    page = console(
        session=backstage.run("result = staff('Otto')"),
        path="/accounts/2fa/",
        service_workers="allow",
        permissions=["notifications"],
        locale="de",
        color_scheme="dark",
        viewport={"width": 320, "height": 720},
    )
    said = browser.said | {"endpoint": "https://push.services.example/one"}
    page.add_init_script(SUBSCRIPTION.replace("SAID", json.dumps(said)))
    page.goto("/lead/devices")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    here = switch(page, "Auf diesem Gerät über Alarme benachrichtigen")
    expect(here).to_have_attribute("aria-checked", "false")
    here.press("Space")
    expect(here).to_have_attribute("aria-checked", "true")
    assert stack.sql("SELECT agent_id, user_id IS NOT NULL FROM agents_pushdevice") == [(None, True)]
    page.reload()
    expect(here).to_have_attribute("aria-checked", "true")
    expect(page.locator(".devices li")).to_contain_text("Chrome, Linux")
    looks_right(page)
    page.get_by_role("button", name="Entfernen").click()
    expect(page.get_by_text("Auf dieses Gerät kommen keine Alarme mehr.")).to_be_visible()
    expect(here).to_have_attribute("aria-checked", "false")
    assert stack.sql("SELECT count(*) FROM agents_pushdevice") == [(0,)]
