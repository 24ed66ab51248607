"""Fixtures of all tests. Servers are started in tests/ground.py, before the settings load."""

import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from agents import shifts
from config.stack import PROJECT
from dispatch import members, tasks
from dispatch.models import Policy
from tests import ground
from tests.backstage import Backstage
from tests.cast import World, make_world
from tests.chromium import find
from tests.emptying import empty
from tests.invariants import broken
from tests.stack import LiveStack, live_stack, migrated_template
from tickets import kept
from tickets import redis as tickets_redis

# No test is timed: a busy machine is no failure. A hundred examples would be hypothesis's own choice. The same ones in each
# run, so that nobody is told by luck of what somebody else wrote; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis_settings.register_profile("standby", deadline=None, max_examples=60, derandomize=True)
hypothesis_settings.register_profile("explore", deadline=None, max_examples=500)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "standby"))

TransactionTestCase._fixture_teardown = empty  # type: ignore[method-assign]

SIZES: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1440, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
    },
}
# What a page is waited for at most. Long, because it is no target: three workers share the machine's cores.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
# FAR=300 puts each page so many milliseconds away from its server: a test that takes for granted what it ought to wait for
# fails then. Chromium's own throttle of the processor is not used, since it spins.
FAR = int(os.environ.get("FAR", "0"))
LOCALES = {"en": "en-GB", "de": "de-DE"}

NewPage = Callable[..., Page]


class ToldAtOnce:
    """Failures are printed when they happen: of a run that is ended from outside, nobody would see what went wrong before."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            told = [f"{title}:\n{text}" for title, text in report.sections]
            terminal.write_line(
                "\n".join([f"\nFAILED {report.nodeid} ({report.when})", report.longreprtext, *told])
            )


def pytest_configure(config: pytest.Config) -> None:
    if not ground.worker_number():  # else xdist's controller does
        config.pluginmanager.register(ToldAtOnce(config))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with real processes first: their files take longest, and at the end one worker would wait for the other's."""
    items.sort(key=lambda item: item.get_closest_marker("servers") is None)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The test database is a copy of the one that the stacks are copies of: migrations run once a run of the tests."""
    connection.settings_dict["TEST"]["TEMPLATE"] = migrated_template()


@pytest.fixture(scope="session")
def stack() -> Iterator[LiveStack]:
    """Web, worker and beat as processes on a fresh, migrated, empty database; one for each xdist worker that asks."""
    with live_stack("session") as started:
        _running.append(started)
        yield started
        started.send(signal.SIGCONT)  # who stands still hears nothing else
        _running.clear()


_running: list[LiveStack] = []  # this process's stack


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if _asks_stack(item):
        for one in _running:
            one.send(signal.SIGCONT)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """The stack stands still while other tests run: a tick a second of each takes a sixth of a core from them."""
    if not (nextitem and _asks_stack(nextitem)):
        for one in _running:
            one.send(signal.SIGSTOP)


def _asks_stack(item: pytest.Item) -> bool:
    return "stack" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def backstage_process(stack: LiveStack) -> Iterator[Backstage]:
    opened = Backstage(stack)
    yield opened
    opened.close()


@pytest.fixture
def backstage(backstage_process: Backstage) -> Backstage:
    """Setting scenes on the stack's database (tests/backstage.py): the small world, with nobody in it yet."""
    backstage_process.clear()
    return backstage_process


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, driven by Playwright.

    A module's and not the session's: as long as Playwright runs, this thread has a running event loop, in which no other
    asyncio test could run and in which Django refuses its database.
    """
    with launched(find()) as browser:
        yield browser


@contextmanager
def launched(program: Path) -> Iterator[Browser]:
    """This Chromium, until the end of the block."""
    with sync_playwright() as playwright:
        flags = [
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
        ]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium's sandbox does not work for root
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser, stack: LiveStack, request: pytest.FixtureRequest) -> Iterator[NewPage]:
    """A function that opens a page of a new visitor: own cookies, addresses relative to the stack.

        page = new_page(size="phone", locale="de", allowed=[r"status of 409"])

    At the end the test fails for every error on a page's console, every uncaught exception and every violation of the
    Content-Security-Policy whose text matches none of `allowed` (regular expressions). When the test failed, a picture of
    each page is left in test-results/.
    """
    pages: list[Page] = []
    complaints: list[str] = []

    def open_page(
        *,
        size: Literal["desk", "phone"] = "desk",
        locale: Literal["en", "de"] = "en",
        color_scheme: Literal["light", "dark"] = "light",
        allowed: Sequence[str] = (),
        **more: Any,
    ) -> Page:
        def complain(text: str) -> None:
            if not any(re.search(pattern, text) for pattern in allowed):
                complaints.append(text)

        def heard(message: ConsoleMessage) -> None:
            if message.type == "error":
                complain(f"console: {message.text} ({message.location.get('url', '')})")

        context = chromium.new_context(
            base_url=stack.base_url,
            locale=LOCALES[locale],
            color_scheme=color_scheme,
            reduced_motion="reduce",
            # A worker would serve pages beside what a test routes; its own test lets it in.
            **({"service_workers": "block", "timezone_id": "Europe/Berlin"} | SIZES[size] | more),
        )
        context.set_default_timeout(PATIENCE_MS)
        if FAR:
            _far(context)
        _surely(context)
        page = context.new_page()
        # A violation is an error on the console too, but not when the policy is one that only reports.
        page.add_init_script(
            "addEventListener('securitypolicyviolation', event => "
            "console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`))"
        )
        page.on("console", heard)
        page.on("pageerror", lambda error: complain(f"exception: {error}"))
        pages.append(page)
        return page

    yield open_page

    failed = getattr(request.node, "outcome_of_call", "passed") == "failed" or bool(complaints)
    for number, page in enumerate(pages):
        if failed and not page.is_closed():
            _picture(page, f"{request.node.name}-{number}")
        page.context.close()
    assert not complaints, "the pages complained:\n" + "\n".join(complaints)


def _far(context: BrowserContext) -> None:
    """Put all pages of this visitor far away. Playwright's own way of going offline would bring them back."""
    lines = []

    def slow(page: Page) -> None:
        lines.append(context.new_cdp_session(page))
        lines[-1].send("Network.enable")
        set_line(offline=False)

    def set_line(offline: bool) -> None:
        for line in lines:
            line.send(
                "Network.emulateNetworkConditions",
                {"offline": offline, "latency": FAR, "downloadThroughput": -1, "uploadThroughput": -1},
            )

    def set_offline(offline: bool) -> None:
        go_offline(offline)
        set_line(offline)

    go_offline = context.set_offline
    context.set_offline = set_offline  # type: ignore[method-assign]
    context.on("page", slow)


def _surely(context: BrowserContext) -> None:
    """Have `set_offline` say it once more to a page that has not heard it: seen once in thousands, for half a minute."""
    say = context.set_offline

    def set_offline(offline: bool) -> None:
        say(offline)
        for page in context.pages:
            for _ in range(20):
                if page.evaluate("navigator.onLine") != offline:
                    break
                page.wait_for_timeout(50)
                say(not offline)
                say(offline)

    context.set_offline = set_offline  # type: ignore[method-assign]


def _picture(page: Page, name: str) -> None:
    folder = Path(PROJECT / "test-results")
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name)}.png", full_page=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any) -> Any:
    """Tell fixtures how the test went; of one that failed, report what the processes of its stack wrote meanwhile."""
    report = yield
    stacks = [one for one in getattr(item, "funcargs", {}).values() if isinstance(one, LiveStack)]
    if report.when == "setup":
        item.marks = [one.marks() for one in stacks]
    if report.when == "call":
        item.outcome_of_call = report.outcome
    if report.failed:
        for one, marks in zip(stacks, getattr(item, "marks", []), strict=False):
            report.sections.append(("what its processes wrote", one.logs_since(marks)))
            report.sections.append(("where things stand", _standing(one)))
    return report


def _standing(stack: LiveStack) -> str:
    try:
        return stack.standing()
    except Exception as error:  # noqa: BLE001  what is reported is that something failed already
        return repr(error)


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """No topic and no route of the test before is in mind: its rows are gone. Nor the language of its last visitor."""
    kept.forget()
    translation.deactivate()
    tickets_redis._ill_until = 0.0  # of a test in which Redis was away


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    """The run's Redis, empty; no worker listens to it."""
    client = redis.Redis.from_url(django_settings.REDIS_URL)
    client.flushdb()
    yield client
    client.flushdb()


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """A small world (tests/cast.py) in which runs happen when the test says so, not when a signal asks."""
    members.profiles_forget()
    monkeypatch.setattr(tasks, "run_ask", lambda pool_ids: None)
    monkeypatch.setattr(tasks, "run_ask_ahead", lambda pool_ids, writer, ticket: nullcontext())
    # Nobody beats here, and a test may take its time.
    monkeypatch.setattr(shifts, "LEASE", timedelta(minutes=10))
    # Which tickets go to newcomers first follows from their numbers, which no test knows: one in twenty would be another's.
    monkeypatch.setattr(Policy._meta.get_field("exploration_percent"), "_get_default", lambda: 0)
    return make_world()


@pytest.fixture
def invariants_hold() -> Callable[[], None]:
    """A function that fails when the test's database breaks an invariant (tests/invariants.py)."""

    def check() -> None:
        def query(sql: str) -> list[Any]:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())

        assert broken(query) == {}

    return check
