"""Fixtures of the tests of mail."""

from collections.abc import Iterator

import pytest

from tests.postoffice import PostOffice, post_office


@pytest.fixture(scope="session")
def post_office_servers() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


@pytest.fixture
def office(post_office_servers: PostOffice, settings: pytest.FixtureRequest) -> PostOffice:
    """Both servers, with nothing in them, and the settings that point at them."""
    post_office_servers.clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", post_office_servers.smtp_port  # type: ignore[attr-defined]
    settings.MAIL_IN, settings.MAIL_IN_URL = True, post_office_servers.url  # type: ignore[attr-defined]
    return post_office_servers
