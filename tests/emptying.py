"""Emptying the test database after a test that commits.

Django truncates every table and makes types and permissions anew, a third of a second for each such test. Here only what has
rows is emptied, and types and permissions stay.
"""

from functools import cache
from typing import Any

from django.db import connection
from django.test import TransactionTestCase

djangos_own = TransactionTestCase._fixture_teardown

KEPT = {"django_migrations", "django_content_type", "auth_permission"}


def empty(test: Any) -> None:
    """In place of TransactionTestCase._fixture_teardown."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser')")
        if cursor.fetchone() != ("on",):  # a server that was given: triggers are not ours to switch off
            djangos_own(test)
            return
        cursor.execute(_question(tuple(connection.introspection.table_names(cursor))))
        filled = [name for (name,) in cursor.fetchall()]
        if filled:
            # Without triggers, of which some let nobody delete, and foreign keys are such too.
            deletes = "; ".join(f"DELETE FROM {connection.ops.quote_name(name)}" for name in filled)
            cursor.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {deletes}; COMMIT")


@cache
def _question(tables: tuple[str, ...]) -> str:
    """Names of the tables that have rows."""
    return " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {connection.ops.quote_name(name)})"
        for name in tables
        if name not in KEPT
    )
