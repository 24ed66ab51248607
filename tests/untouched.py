"""What a refusal has to leave as it was: every row of every table of ours."""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.apps import apps

APPS = ("tickets", "agents", "dispatch", "authtoken")


def rows() -> dict[str, list[tuple[Any, ...]]]:
    """Table → its rows, in order."""
    return {
        model._meta.db_table: [tuple(row) for row in model._base_manager.order_by("pk").values_list()]
        for app in APPS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    }


@contextlib.contextmanager
def nothing_changed() -> Iterator[None]:
    """Fails when a row was added, changed or removed meanwhile."""
    before = rows()
    yield
    after = rows()
    for table, was in before.items():
        assert after[table] == was, f"{table} has changed"
