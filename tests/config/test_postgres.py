"""config.postgres: a connection that the server has closed is noticed without a question; a good one is not asked."""

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection, connections

from config.postgres.base import ASK_SECONDS, DatabaseWrapper
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ours() -> Iterator[DatabaseWrapper]:
    """A connection of its own, as one thread of the web has."""
    wrapper = connections.create_connection("default")
    assert isinstance(wrapper, DatabaseWrapper)
    wrapper.settings_dict["NAME"] = connection.settings_dict["NAME"]
    wrapper.ensure_connection()
    yield wrapper
    wrapper.close()


def backend(ours: DatabaseWrapper) -> int:
    with ours.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def next_request(ours: DatabaseWrapper) -> None:
    ours.close_if_unusable_or_obsolete()


def kill(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

        def gone() -> bool:
            cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid])
            return cursor.fetchone() is None

        until(gone, "the session's end")


def test_a_good_connection_is_kept_and_asked_once(
    ours: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(ours, "is_usable", lambda: asked.append(1) or True)
    first = backend(ours)
    for _ in range(5):
        next_request(ours)
        assert backend(ours) == first
    assert len(asked) == 1


def test_it_is_asked_again_after_a_while(ours: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(ours, "is_usable", lambda: asked.append(1) or True)
    for _ in range(2):
        next_request(ours)
        backend(ours)
        ours.asked_at -= ASK_SECONDS + 1
    assert len(asked) == 2


def test_a_closed_connection_is_replaced_before_the_first_query(ours: DatabaseWrapper) -> None:
    next_request(ours)
    first = backend(ours)
    kill(first)
    next_request(ours)
    assert backend(ours) != first


def test_one_that_broke_under_a_query_is_replaced(ours: DatabaseWrapper) -> None:
    next_request(ours)
    first = backend(ours)
    kill(first)
    with pytest.raises(OperationalError):
        backend(ours)
    assert ours.connection.closed
    next_request(ours)
    assert backend(ours) != first


def test_control_without_the_check_the_request_fails(
    ours: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DatabaseWrapper, "close_if_health_check_failed", lambda self: None)
    next_request(ours)
    kill(backend(ours))
    next_request(ours)
    with pytest.raises(OperationalError):
        backend(ours)
