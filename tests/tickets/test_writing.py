"""Numbers of transactions: their locks, and what a connection has in stock."""

import secrets
from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from tickets import writing
from tickets.models import Ticket
from tickets.planned import planned

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_in_stock() -> Iterator[None]:
    connection.close()
    yield
    connection.close()


def held() -> list[int]:
    """Numbers whose locks somebody has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.objid::bigint FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE d.datname = current_database() AND l.classid = %s AND l.granted",
            [writing.LOCK_CLASS],
        )
        return [number for (number,) in cursor.fetchall()]


def test_the_first_is_fetched_and_a_commit_brings_the_next(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        first = writing.take(Ticket)
    assert held() == [first.writer]
    planned("SELECT 1", [], begin=True)
    writing.commit(first, Ticket)
    with django_assert_num_queries(0):
        second = writing.take(Ticket)
    assert first.key is not None
    assert second.key == first.key + 1
    assert held() == [second.writer] != [first.writer]


def test_a_key_that_has_lain_for_long_is_drawn_anew(
    django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number and lock stay."""
    first = writing.take(Ticket)
    planned("SELECT 1", [], begin=True)
    writing.commit(first, Ticket)
    stored = writing._stock[connection.connection][Ticket]
    with connection.cursor() as cursor:  # tickets of other connections
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('tickets_ticket', 'id')) FROM generate_series(1, 5)"
        )
    then = stored.since + writing.KEY_SECONDS
    monkeypatch.setattr(writing.time, "monotonic", lambda: then)
    assert writing.take(Ticket) is stored
    writing.keep(stored, Ticket)
    monkeypatch.setattr(writing.time, "monotonic", lambda: then + 0.001)
    with django_assert_num_queries(1):
        anew = writing.take(Ticket)
    assert stored.key is not None
    assert anew == (stored.writer, stored.driver, stored.key + 6, then + 0.001)
    assert held() == [anew.writer]


def test_what_nobody_heard_of_is_kept_and_what_failed_is_over(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    number = writing.take()
    writing.keep(number)
    with django_assert_num_queries(0):
        assert writing.take() is number
    writing.over(number)
    assert held() == []
    assert writing.take() is not number


def test_a_number_that_somebody_has_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([7, 7, 8, 7])
    monkeypatch.setattr(secrets, "randbits", lambda _bits: next(drawn))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, 7)", [writing.LOCK_CLASS])
            number = writing.take()
            assert number.writer == 8
            planned("SELECT 1", [], begin=True)
            writing.commit(number)  # which draws 7 once more
            assert held() == [7]
            assert writing._stock[connection.connection] == {}
    finally:
        other.close()


def test_a_lock_that_is_gone_with_its_connection_is_not_kept(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Whoever was told such a number would not wait."""
    number = writing.take()
    connection.close()
    connection.ensure_connection()
    writing.keep(number)
    with django_assert_num_queries(0):
        writing.over(number)
    assert writing.take() is not number
