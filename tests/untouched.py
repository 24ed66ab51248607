"""What a refusal has to leave as it was: every row of every table of ours."""

import contextlib
from collections.abc import Iterator
from functools import cache
from typing import Any
from weakref import WeakSet

from django.apps import apps
from django.db import connection

APPS = ("tickets", "agents", "dispatch")


def rows() -> dict[str, list[str]]:
    """Table → its rows as PostgreSQL writes them, sorted; tables without a row are missing. One query, planned once, since
    a thousand tests ask twice: one for each table took a tenth of a second."""
    with connection.cursor() as cursor:
        if connection.connection not in _prepared:
            cursor.execute(f"PREPARE untouched AS {_question()}")
            _prepared.add(connection.connection)
        cursor.execute("EXECUTE untouched")
        return dict(cursor.fetchall())


_prepared: WeakSet[Any] = WeakSet()  # the driver's connections that know the question


@cache
def _question() -> str:
    tables = {
        model._meta.db_table
        for app in APPS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    }
    return " UNION ALL ".join(
        f"SELECT '{table}', array_agg(t::text ORDER BY t::text) FROM {table} AS t HAVING count(*) > 0"
        for table in sorted(tables)
    )


@contextlib.contextmanager
def nothing_changed() -> Iterator[None]:
    """Fails when a row was added, changed or removed meanwhile."""
    before = rows()
    yield
    after = rows()
    for table in sorted(before.keys() | after.keys()):
        assert after.get(table) == before.get(table), f"{table} has changed"
