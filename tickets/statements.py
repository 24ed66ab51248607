"""Rows in and out with SQL that is written once. For hot paths only; everywhere else the ORM's own way is the right one.

Django writes the SQL of a query anew at each call, which takes 0.3 to 3 ms of Python, several times what PostgreSQL needs for
it (cProfile of a ticket's way, step by step).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import count
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState
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


def blank(model: type[Row], **values: Any) -> Row:
    """A new row, as model(**values) makes it: by names of concrete fields, or of their columns. No signals are sent.

    Django asks each field for its default at each call, and a ticket has sixty: as many calls of Python as all its rows
    then take to be written. Raises TypeError for a name that is none of them.
    """
    kept = _blank(model)
    row = model.__new__(model)
    row.__dict__.update(kept.plain)
    row._state = ModelState()
    for name, make in kept.made:
        if name not in values:
            row.__dict__[name] = make()
    for name, value in values.items():
        field = kept.fields.get(name)
        if field is None:
            raise TypeError(f"{model.__name__} has no field {name}")
        if field.is_relation and name == field.name:
            _link(row, field, value)
        else:
            row.__dict__[field.attname] = value
    return row


def _link(row: models.Model, field: Field, parent: models.Model | None) -> None:
    """As assigning it does."""
    row.__dict__[field.attname] = None if parent is None else parent.pk
    row._state.fields_cache[field.name] = parent


@dataclass(frozen=True)
class _Blank:
    plain: dict[str, Any]  # of all columns
    made: tuple[tuple[str, Any], ...]  # columns whose default is made anew for each row
    fields: dict[str, Field]  # by their names, and their columns'


@cache
def _blank(model: type[models.Model]) -> _Blank:
    fields = model._meta.concrete_fields
    plain = {name: value for name, value in model().__dict__.items() if name != "_state"}
    made = tuple((one.attname, one.default) for one in fields if one.has_default() and callable(one.default))
    return _Blank(plain, made, {name: one for one in fields for name in (one.attname, one.name)})


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


def insert_linked(rows: Sequence[models.Model], *, begin: bool = False) -> None:
    """Insert new rows of any models in one statement, so all of them or none, even without a transaction. One query.

    A row may refer by foreign key to an unsaved one that stands before it in `rows`; such keys are set after, and else it is
    as with insert(). `begin` is that of planned(). Raises ValueError, before anything is sent, when a row refers
    to an unsaved one that does not.

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
        values = row.__dict__
        linked = tuple([name for name, one in row._state.fields_cache.items() if one is not None])
        # All of the same types are written in the same way.
        way = _way(type(row), tuple(values), tuple(map(type, values.values())), linked)
        places: list[str] = []
        for step in way.steps:
            if isinstance(step, _AsTheyAre):  # nearly all are
                params += step.values(values)
                places += step.places
                continue
            parent = _unsaved(row, step)
            if parent is None:
                places.append(_place(row, step, ours, params))
                continue
            if numbers.get(id(parent), number) >= number:
                raise ValueError(f"{step} refers to an unsaved row that does not stand before it")
            places.append(_key_of(numbers[id(parent)], type(parent)))
            links.append((row, step, parent))
        shape.append((way.plan, tuple(places)))
    (given,) = planned(_linked_sql(tuple(shape)), params, begin=begin)
    start = 0
    for row, (plan, _places) in zip(rows, shape, strict=True):
        _saved(row, plan, given[start : start + len(plan.returned)])
        start += len(plan.returned)
    for row, field, parent in links:
        _link(row, field, parent)  # by the key alone, the row would forget the object


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
        row.__dict__[field.attname] = value
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
    return _left_by(type(row), tuple([type(getattr(row, name)) for name, _ in _leavable(type(row))]))


@cache
def _left_by(model: type[models.Model], kinds: tuple[type, ...]) -> frozenset[str]:
    return frozenset(
        name
        for (name, key), kind in zip(_leavable(model), kinds, strict=True)
        if issubclass(kind, DatabaseDefault) or (kind is NoneType and key)
    )


@cache
def _leavable(model: type[models.Model]) -> list[tuple[str, bool]]:
    """Columns that may be left to the database, and whether each is the key."""
    return [
        (field.attname, field.primary_key)
        for field in model._meta.concrete_fields
        if field.primary_key or field.has_db_default()
    ]


class _AsTheyAre(NamedTuple):
    """Columns that stand beside each other, whose values the driver gets as they are."""

    values: Callable[[dict[str, Any]], tuple[Any, ...]]
    places: tuple[str, ...]


class _Way(NamedTuple):
    """How a row is written whose attributes have certain types."""

    plan: _Plan
    steps: tuple[_AsTheyAre | Field, ...]  # a field: look at its value


@lru_cache(maxsize=256)
def _way(
    model: type[models.Model], names: tuple[str, ...], kinds: tuple[type, ...], linked: tuple[str, ...]
) -> _Way:
    """`linked`: the fields whose objects are known. What stays empty is left out: a new ticket has twenty such columns, and
    each would be sent, read and checked as any other value."""
    by_name = dict(zip(names, kinds, strict=True))
    left = _left_by(model, tuple(by_name.get(name, Field) for name, _ in _leavable(model)))
    empty = {
        field.attname
        for field in model._meta.concrete_fields
        if field.null and not field.primary_key and not field.has_db_default()
        # A foreign key may be that of a row that is not saved yet.
        if by_name.get(field.attname) is NoneType and field.name not in linked
    }
    plan = _plan(model, left | empty)
    steps: list[_AsTheyAre | Field] = []
    together: list[str] = []
    for field in plan.written:
        if by_name.get(field.attname) in _as_it_is(field):
            together.append(field.attname)
            continue
        if together:
            steps.append(_as_they_stand(together))
            together = []
        steps.append(field)
    if together:
        steps.append(_as_they_stand(together))
    return _Way(plan, tuple(steps))


def _as_they_stand(names: Sequence[str]) -> _AsTheyAre:
    if len(names) == 1:
        [name] = names
        return _AsTheyAre(lambda values: (values[name],), ("%s",))
    return _AsTheyAre(itemgetter(*names), ("%s",) * len(names))


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
