"""What the models say of the database is there after all migrations.

Django takes an index away by its columns: one that a migration no longer wants for a foreign key took a partial unique one with
it, which had the same column.
"""

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model, UniqueConstraint

OURS = [model for app in ("agents", "tickets", "dispatch") for model in apps.get_app_config(app).get_models()]


@pytest.mark.django_db
@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label_lower)
def test_constraints_and_indexes_are_there(model: type[Model]) -> None:
    meta = model._meta
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, meta.db_table)
        cursor.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL")
        partial = {name for (name,) in cursor.fetchall()}
    for constraint in meta.constraints:
        assert constraint.name in found
        if isinstance(constraint, UniqueConstraint):
            assert found[constraint.name]["unique"]
    for index in meta.indexes:
        assert found[index.name]["index"]
    whole = {name: one for name, one in found.items() if name not in partial}
    columns = [tuple(one["columns"] or ()) for one in whole.values() if one["index"] or one["unique"]]
    for field in meta.concrete_fields:
        if field.is_relation:  # alone or as the beginning of another
            assert any(one[:1] == (field.column,) for one in columns), field.column
        if field.unique:
            assert any(one["unique"] and one["columns"] == [field.column] for one in found.values()), (
                field.column
            )
