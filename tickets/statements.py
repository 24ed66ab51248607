"""Rows in and out with SQL that is written once. For hot paths only; everywhere else the ORM's own way is the right one.

Django writes the SQL of a query anew at each call, which takes 0.3 to 3 ms of Python, several times what PostgreSQL needs for
it; and a ticket's way from the form to an agent has some twenty queries (python -m bench offer).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.expressions import DatabaseDefault
from django.db.models.sql import InsertQuery
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=models.Model)
Field = models.Field[Any, Any]


@dataclass(frozen=True)
class _Plan:
    head: str  # INSERT INTO … (…) VALUES
    tail: str  # RETURNING …
    written: tuple[Field, ...]
    returned: tuple[Field, ...]  # what the database gives: the key, and defaults that were left to it


def insert(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model in one statement. As bulk_create: no signals, and keys and database defaults are set after.

    All must leave the same columns to the database. Values may be expressions without columns, such as Now() + a timedelta.
    """
    plan = _plan(type(rows[0]), _left(rows[0]))
    ours = connections[DEFAULT_DB_ALIAS]  # `connection` looks it up at each touch, and here are hundreds
    compiled: dict[int, tuple[str, Sequence[Any]]] = {}
    values: list[str] = []
    params: list[Any] = []
    for row in rows:
        places = []
        for field in plan.written:
            value = field.pre_save(row, add=True)
            if hasattr(value, "resolve_expression"):
                if id(value) not in compiled:
                    compiled[id(value)] = _compiled(type(row), value)
                sql, inner = compiled[id(value)]
                places.append(sql)
                params.extend(inner)
            else:
                places.append("%s")
                params.append(field.get_db_prep_save(value, ours))
        values.append(f"({', '.join(places)})")
    with ours.cursor() as cursor:
        cursor.execute(f"{plan.head} {', '.join(values)} {plan.tail}", params)
        for row, given in zip(rows, cursor.fetchall(), strict=True):
            for field, value in zip(plan.returned, given, strict=True):
                setattr(row, field.attname, value)
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def fetch(model: type[Row], rest: str, params: Sequence[Any]) -> list[Row]:
    """Whole rows of a model, as `rest` says, which stands after FROM <table> and is written by us alone."""
    plan = _columns(model)
    ours = connections[DEFAULT_DB_ALIAS]
    with ours.cursor() as cursor:
        cursor.execute(f"{plan.head} {rest}", params)
        rows = cursor.fetchall()
    if plan.converted:
        rows = [
            tuple(
                convert(value, None, ours) if convert else value
                for convert, value in zip(plan.converted, row, strict=True)
            )
            for row in rows
        ]
    return [model.from_db(DEFAULT_DB_ALIAS, plan.names, row) for row in rows]


@dataclass(frozen=True)
class _Columns:
    head: str  # SELECT … FROM …
    names: list[str]
    converted: tuple[Any, ...]  # a function or None a column; empty when no column needs one


@cache
def _columns(model: type[models.Model]) -> _Columns:
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    fields = model._meta.concrete_fields
    columns = ", ".join(f"{table}.{quote(str(field.column))}" for field in fields)
    converters = tuple(getattr(field, "from_db_value", None) for field in fields)
    return _Columns(
        f"SELECT {columns} FROM {table}",  # noqa: S608  names of our own models
        [field.attname for field in fields],
        converters if any(converters) else (),
    )


def _left(row: models.Model) -> frozenset[str]:
    """Names of the columns that this row leaves to the database."""
    return frozenset(
        field.attname
        for field in row._meta.concrete_fields
        if isinstance(value := getattr(row, field.attname), DatabaseDefault)
        or (value is None and field.primary_key)
    )


@cache
def _plan(model: type[models.Model], left: frozenset[str]) -> _Plan:
    quote = connection.ops.quote_name
    written = tuple(field for field in model._meta.concrete_fields if field.attname not in left)
    returned = tuple(field for field in model._meta.concrete_fields if field.attname in left)
    columns = ", ".join(quote(str(field.column)) for field in written)
    names = ", ".join(quote(str(field.column)) for field in (returned or (model._meta.pk,)))
    return _Plan(
        f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES",
        f"RETURNING {names}",
        written,
        returned,
    )


def _compiled(model: type[models.Model], expression: Any) -> tuple[str, Sequence[Any]]:
    query = InsertQuery(model)
    resolved = expression.resolve_expression(query, allow_joins=False, for_save=True)
    sql, params = SQLCompiler(query, connection, None).compile(resolved)
    return sql, params
