"""Rows in and out with SQL that is written once. For hot paths only; everywhere else the ORM's own way is the right one.

Django writes the SQL of a query anew at each call, which takes 0.3 to 3 ms of Python, several times what PostgreSQL needs for
it (cProfile of a ticket's way, step by step).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import count
from typing import Any, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.expressions import DatabaseDefault
from django.db.models.sql import InsertQuery
from django.db.models.sql.compiler import SQLCompiler

from tickets.planned import planned

Row = TypeVar("Row", bound=models.Model)
Field = models.Field[Any, Any]


@dataclass(
    frozen=True, eq=False
)  # one a shape, so that being the same object is being equal, and hashing costs nothing
class _Plan:
    head: str  # INSERT INTO … (…) VALUES
    tail: str  # RETURNING …
    written: tuple[Field, ...]
    returned: tuple[Field, ...]  # what the database gives: the key, and defaults that were left to it
    names: tuple[str, ...]  # their columns, quoted
    # of written: attribute, types of values that are given to the driver as they are
    slots: tuple[tuple[str, frozenset[type], Field], ...]


def insert(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model in one statement. As bulk_create: no signals, and keys and database defaults are set after.

    All must leave the same columns to the database. Values may be expressions without columns, such as Now() + a timedelta.
    """
    plan = _plan(type(rows[0]), _left(rows[0]))
    ours = connections[DEFAULT_DB_ALIAS]  # `connection` looks it up at each touch, and here are hundreds
    values: list[str] = []
    params: list[Any] = []
    for row in rows:
        places = [_place(row, field, ours, params) for field in plan.written]
        values.append(f"({', '.join(places)})")
    with ours.cursor() as cursor:
        cursor.execute(f"{plan.head} {', '.join(values)} {plan.tail}", params)
        for row, given in zip(rows, cursor.fetchall(), strict=True):
            _saved(row, plan, given)


def insert_linked(rows: Sequence[models.Model]) -> None:
    """Insert new rows of any models in one statement, so all of them or none, even without a transaction. One query.

    A row may refer by foreign key to an unsaved one that stands before it in `rows`; such keys are set after, and else it is
    as with insert(). Raises ValueError, before anything is sent, when a row refers to an unsaved one that does not.

    Each row is a WITH query of its own. PostgreSQL checks foreign keys when the statement is over, and row triggers fire; only
    a BEFORE INSERT trigger that reads the rows before its own would not find them, and we have none. Rows that are written in
    the same way are planned once a connection (tickets/planned.py): planning five takes as long as inserting them.
    """
    ours = connections[DEFAULT_DB_ALIAS]
    numbers = {id(row): number for number, row in enumerate(rows)}
    params: list[Any] = []
    shape: list[tuple[_Plan, tuple[str, ...]]] = []
    links: list[tuple[models.Model, Field, models.Model]] = []
    for number, row in enumerate(rows):
        plan = _plan(type(row), _left(row) | _empty(row))
        places = []
        values = row.__dict__
        for name, plain, field in plan.slots:
            value = values.get(name, field)
            if type(value) in plain:  # nearly all are
                params.append(value)
                places.append("%s")
                continue
            parent = _unsaved(row, field)
            if parent is None:
                places.append(_place(row, field, ours, params))
                continue
            if numbers.get(id(parent), number) >= number:
                raise ValueError(f"{field} refers to an unsaved row that does not stand before it")
            places.append(_key_of(numbers[id(parent)], type(parent)))
            links.append((row, field, parent))
        shape.append((plan, tuple(places)))
    (given,) = planned(_linked_sql(tuple(shape)), params)
    start = 0
    for row, (plan, _places) in zip(rows, shape, strict=True):
        _saved(row, plan, given[start : start + len(plan.returned)])
        start += len(plan.returned)
    for row, field, parent in links:
        setattr(row, field.name, parent)  # by the key alone, the row would forget the object


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


def _place(row: models.Model, field: Field, ours: Any, params: list[Any]) -> str:
    """SQL of one value; its parameters are added to `params`."""
    value, kind = row.__dict__.get(field.attname, field), cast("Any", type(field))
    if type(value) in _as_they_are(kind):
        params.append(value)
        return "%s"
    value = field.pre_save(row, add=True)
    if value is None:
        params.append(None)
        return "%s"
    if not hasattr(value, "resolve_expression"):
        params.append(field.get_db_prep_save(value, ours))
        return "%s"
    # Kept on the expression, which is one for many rows or, as a constant of a module, one for all.
    compiled = value.__dict__.get("_compiled_here")
    if compiled is None:
        compiled = value._compiled_here = _compile(type(row), value)
    params.extend(compiled[1])
    return str(compiled[0])


@cache
def _as_they_are(kind: Any) -> frozenset[type]:
    """Types of values that a field of this class gives to the driver unchanged."""
    for base, plain in (
        (models.CharField, str),
        (models.TextField, str),
        (models.IntegerField, int),
        (models.BooleanField, bool),
    ):
        if issubclass(kind, base) and all(
            getattr(kind, name) is getattr(base, name)
            for name in ("pre_save", "get_db_prep_save", "get_db_prep_value", "get_prep_value")
        ):
            return frozenset((plain, type(None)))
    return frozenset()


def _saved(row: models.Model, plan: _Plan, given: Sequence[Any]) -> None:
    for field, value in zip(plan.returned, given, strict=True):
        setattr(row, field.attname, value)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def _unsaved(row: models.Model, field: Field) -> models.Model | None:
    """The object that the foreign key refers to, when its key is not known yet."""
    if not field.is_relation or getattr(row, field.attname) is not None:
        return None
    parent: models.Model | None = row._state.fields_cache.get(field.name)
    if parent is not None and parent.pk is not None:  # saved after it was assigned
        setattr(row, field.name, parent)
        return None
    return parent


def _key_of(number: int, model: type[models.Model]) -> str:
    pk = model._meta.pk
    return f"(SELECT {connection.ops.quote_name(str(pk.column))} FROM r{number})"  # noqa: S608


@lru_cache(maxsize=64)
def _linked_sql(shape: tuple[tuple[_Plan, tuple[str, ...]], ...]) -> str:
    """The statement for rows that are written in this way, each value as its place says."""
    queries = ", ".join(
        f"r{number} AS ({plan.head} ({', '.join(places)}) {plan.tail})"
        for number, (plan, places) in enumerate(shape)
    )
    columns = ", ".join(
        f"r{number}.{name}" for number, (plan, _places) in enumerate(shape) for name in plan.names
    )
    sources = ", ".join(f"r{number}" for number in range(len(shape)))
    counted = count(1)
    # Parameters as planned() wants them, and a percent sign of an expression as itself.
    return re.sub(
        "%[s%]",
        lambda found: f"${next(counted)}" if found[0] == "%s" else "%",
        f"WITH {queries} SELECT {columns} FROM {sources}",  # noqa: S608  names of our own models
    )


def _left(row: models.Model) -> frozenset[str]:
    """Names of the columns that this row leaves to the database."""
    return frozenset(
        [
            name
            for name, key in _leavable(type(row))
            if isinstance(value := getattr(row, name), DatabaseDefault) or (value is None and key)
        ]
    )


@cache
def _leavable(model: type[models.Model]) -> list[tuple[str, bool]]:
    """Columns that may be left to the database, and whether each is the key."""
    return [
        (field.attname, field.primary_key)
        for field in model._meta.concrete_fields
        if field.primary_key or field.has_db_default()
    ]


def _empty(row: models.Model) -> frozenset[str]:
    """Names of the columns that stay empty in this row. A new ticket has twenty, and each would be sent, read and checked as
    any other value."""
    values, linked = row.__dict__, row._state.fields_cache
    return frozenset(
        [
            name
            for name, relation in _nullable(type(row))
            # A foreign key may be that of a row that is not saved yet.
            if values.get(name, row) is None and linked.get(relation) is None
        ]
    )


@cache
def _nullable(model: type[models.Model]) -> list[tuple[str, str]]:
    """Columns that are empty when nothing is said of them, with the names of their fields."""
    return [
        (field.attname, field.name)
        for field in model._meta.concrete_fields
        if field.null and not field.primary_key and not field.has_db_default()
    ]


@cache
def _plan(model: type[models.Model], left: frozenset[str]) -> _Plan:
    quote = connection.ops.quote_name
    written = tuple(field for field in model._meta.concrete_fields if field.attname not in left)
    # Of what is left, that of which something is known only afterwards.
    returned = tuple(
        field
        for field in model._meta.concrete_fields
        if field.attname in left and (field.primary_key or field.has_db_default())
    )
    returned = returned or (model._meta.pk,)
    columns = ", ".join(quote(str(field.column)) for field in written)
    names = tuple(quote(str(field.column)) for field in returned)
    return _Plan(
        f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES",
        f"RETURNING {', '.join(names)}",
        written,
        returned,
        names,
        tuple((field.attname, _as_it_is(field), field) for field in written),
    )


def _as_it_is(field: Field) -> frozenset[type]:
    """Types of values that this field gives to the driver unchanged; of a foreign key, the number of a saved row."""
    if isinstance(field, models.ForeignKey) and isinstance(field.target_field, models.IntegerField):
        return frozenset((int,))
    if type(field) is models.DateTimeField and not (field.auto_now or field.auto_now_add):
        return frozenset((type(None),))
    return _as_they_are(cast("Any", type(field)))


def _compile(model: type[models.Model], expression: Any) -> tuple[str, Sequence[Any]]:
    query = InsertQuery(model)
    resolved = expression.resolve_expression(query, allow_joins=False, for_save=True)
    sql, params = SQLCompiler(query, connection, None).compile(resolved)
    return sql, params
