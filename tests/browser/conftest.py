"""Fixtures of the browser tests: Anna, an agent, and her console."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.backstage import Backstage
from tests.conftest import NewPage
from tests.stack import LiveStack


@pytest.fixture
def anna(backstage: Backstage) -> dict[str, Any]:
    return dict(backstage.run("result = agent('Anna')"))


@pytest.fixture
def route(backstage: Backstage, stack: LiveStack) -> Callable[[str], None]:
    """A function that sets columns of all routes."""

    def change(columns: str) -> None:
        stack.sql(f"UPDATE dispatch_route SET {columns}")
        backstage.run("let_all_hear()")

    return change


@pytest.fixture
def console(new_page: NewPage, stack: LiveStack, anna: dict[str, Any]) -> Iterator[Any]:
    """A function that opens Anna's console, logged in."""

    def open_console(*, session: str = anna["session"], path: str = "/console/", **more: Any) -> Page:
        page = new_page(**more)
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": stack.base_url}])
        page.goto(path)
        return page

    return open_console  # type: ignore[return-value]
