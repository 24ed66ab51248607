"""Statements that are planned once a connection, and the same without (behind a pooler)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, transaction

from tickets import planned as module
from tickets.planned import planned

pytestmark = pytest.mark.django_db

SQL = "SELECT $2 || '%', $1::int + 1, $2 FROM generate_series(1, $3::int)"


@pytest.fixture(params=[True, False], ids=["prepared", "plain"])
def either(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.DATABASE_PREPARE = request.param


def prepared() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'planned_%%'")
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.usefixtures("either")
def test_values_go_to_their_places() -> None:
    assert planned(SQL, [41, "a'b%s", 2]) == [("a'b%s%", 42, "a'b%s")] * 2
    assert planned("SELECT 7", []) == [(7,)]


@pytest.mark.usefixtures("either")
def test_statements_before_it_are_on_the_same_journey(
    django_assert_num_queries: Callable[[int], AbstractContextManager[Any]],
) -> None:
    sql = "SELECT current_setting('standby.word'), $1::int"
    with django_assert_num_queries(1):
        found = planned(
            sql,
            [5],
            first=[
                ("SELECT set_config('standby.word', $1, true), 1 % $2::int", ["a", 3]),
                ("SELECT set_config('standby.word', current_setting('standby.word') || $1, true)", ["nd"]),
            ],
        )
    assert found == [("and", 5)]


def test_it_is_prepared_once(settings: Any) -> None:
    settings.DATABASE_PREPARE = True
    sql = "SELECT $1::int - 1"
    before = prepared()
    assert [planned(sql, [number]) for number in (1, 2, 3)] == [[(0,)], [(1,)], [(2,)]]
    assert len(prepared() - before) == 1


def test_nothing_is_prepared_behind_a_pooler(settings: Any) -> None:
    settings.DATABASE_PREPARE = False
    before = prepared()
    planned("SELECT $1::int * 9", [1])
    assert prepared() == before


def test_a_failure_leaves_it_usable(settings: Any) -> None:
    settings.DATABASE_PREPARE = True
    sql = "SELECT 12 / $1::int"
    for _ in range(2):
        with pytest.raises(DataError), transaction.atomic():
            planned(sql, [0])
        assert planned(sql, [4]) == [(3,)]


def test_a_plan_does_not_grow_old(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATABASE_PREPARE = True
    sql = "SELECT $1::int - 7"
    planned(sql, [1])
    first = prepared()
    planned(sql, [1])
    assert prepared() == first
    monkeypatch.setattr(module, "PLAN_SECONDS", 0.0)
    assert planned(sql, [8]) == [(1,)]
    second = prepared()
    assert len(second) == len(first)
    assert len(second - first) == 1


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_locked_fails_one_call_and_not_those_that_follow(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen once: a truncating test and a request in a deadlock, and that connection refused its looks ever after."""
    settings.DATABASE_PREPARE = True
    monkeypatch.setattr(module, "PLAN_SECONDS", 0.0)
    sql = "SELECT count(*) FROM tickets_topic WHERE id = $1::int"
    planned(sql, [-1])
    other: Any = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE tickets_topic IN ACCESS EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")  # a deadlock ends the same way
        for _ in range(2):
            with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
                planned(sql, [-1])
    finally:
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    before = prepared()
    assert planned(sql, [-1]) == [(0,)]
    assert len(prepared()) == len(before)


def test_a_table_that_has_grown_is_no_longer_read_whole(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap: planned while the table was empty, and never analyzed since."""
    settings.DATABASE_PREPARE = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE grows (id int PRIMARY KEY, word text)")
        sql = "SELECT word FROM grows WHERE id = $1::int"
        monkeypatch.setattr(module, "PLAN_SECONDS", 3600.0)
        planned(sql, [1])
        cursor.execute("INSERT INTO grows SELECT n, repeat('x', 200) FROM generate_series(1, 20000) n")
        monkeypatch.setattr(module, "PLAN_SECONDS", 0.0)
        planned(sql, [1])
        monkeypatch.setattr(module, "PLAN_SECONDS", 3600.0)
        cursor.execute(f"EXPLAIN EXECUTE {module._known(sql)} (1)")
        assert "Index Scan" in cursor.fetchall()[0][0]
