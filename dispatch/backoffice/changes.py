"""The history of an object of the configuration: who changed what, from what to what, and when."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Field, ForeignKey, Model, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import localize
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from agents.models import Pool
from dispatch.backoffice.pools import Membership, Own, own_pools, reached
from dispatch.models import Change

SHOWN = 200  # changes a page; older ones by ?before=


@dataclass(frozen=True)
class Line:
    """One column of a change, in words."""

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Told:
    """A change as it is shown. `part` says of what, when it is not the object itself."""

    change: Change
    part: str
    lines: list[Line]


def models_by_table() -> dict[str, type[Model]]:
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}


def told(changes: Iterable[Change], own: Own | None = None, whole: str = "") -> list[Told]:
    """In words. One query for each model that is pointed to. `own`: rows that are out of reach have no name."""
    rows = list(changes)
    models = models_by_table()
    names = _names(rows, models, own)
    found = []
    for change in rows:
        model = models.get(change.table)
        columns = {field.column: field for field in model._meta.concrete_fields} if model else {}
        lines = []
        for name in {**change.old, **change.new}:
            field = columns.get(name)
            label = capfirst(str(field.verbose_name)) if field else name
            old, new = (
                _worded(field, one[name], names) if name in one else "" for one in (change.old, change.new)
            )
            lines.append(Line(label, old, new))
        part = "" if f"{change.table}:{change.row}" == whole else _part(model, change)
        found.append(Told(change, part, lines))
    return found


def _part(model: type[Model] | None, change: Change) -> str:
    return f"{model._meta.verbose_name if model else change.table} #{change.row}"


Names = dict[type[Model], dict[Any, str]]


def _names(rows: list[Change], models: dict[str, type[Model]], own: Own | None) -> Names:
    """The present names of what the changes point to."""
    wanted: dict[type[Model], set[Any]] = defaultdict(set)
    for change in rows:
        model = models.get(change.table)
        for field in model._meta.concrete_fields if model else ():
            if isinstance(field, ForeignKey):
                values = {one.get(field.column) for one in (change.old, change.new)} - {None}
                wanted[_related(field)] |= values
    names: Names = {}
    for model, keys in wanted.items():
        found = reached(own, model._base_manager.filter(pk__in=keys))
        names[model] = {row.pk: str(row) for row in found}
    return names


def _related(field: Any) -> type[Model]:
    return field.remote_field.model  # type: ignore[no-any-return]


def _worded(field: "Field[Any, Any] | None", value: Any, names: Names) -> str:  # noqa: PLR0911  one a kind of value
    if value is None or value == "":
        return "–"
    if isinstance(field, ForeignKey):
        return names[_related(field)].get(value) or f"#{value}"
    if field is not None and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    kind = field.get_internal_type() if field else ""
    if kind == "DateTimeField" and (moment := parse_datetime(str(value))):
        return str(localize(localtime(moment)))
    if kind == "DateField" and (day := parse_date(str(value))):
        return str(localize(day))
    return str(localize(value) if isinstance(value, float) else value)


def about(model: type[Model], row: int, own: Own | None = None) -> Any:
    """Changes of a row and of its parts, the latest first. `own`: none of what is another pool's."""
    found = Change.objects.filter(about__contains=[f"{model._meta.db_table}:{row}"]).select_related("by")
    if own is None:
        return found
    pool = Pool._meta.db_table
    mine = Q(about__overlap=[f"{pool}:{pk}" for pk in own])
    steps = ~Q(table="dispatch_routestep") | _pool_in("old", own) | _pool_in("new", own)
    return found.filter(~Q(table__in=[Membership._meta.db_table, f"{pool}_admins"]) | mine).filter(steps)


def _pool_in(column: str, own: Own) -> Q:
    return Q(**{f"{column}__pool_id__in": sorted(own)})


def history(
    site: AdminSite, request: HttpRequest, app_label: str, model_name: str, object_id: str
) -> HttpResponse:
    """The page. Of something deleted too, for those who see all pools."""
    try:
        model = apps.get_model(app_label, model_name)
        model_admin: Any = site._registry[model]
    except (LookupError, KeyError):
        raise Http404 from None
    own = own_pools(request)
    key = unquote(object_id)
    row = model_admin.get_object(request, key)
    if not model_admin.has_view_or_change_permission(request, row) or (row is None and own is not None):
        raise PermissionDenied
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        raise Http404
    changes = about(model, int(key), own)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        changes = changes.filter(pk__lt=int(before))
    page = list(changes[: SHOWN + 1])
    if row is None and not page:
        raise Http404
    context = site.each_context(request) | {
        "title": _("History: %(object)s") % {"object": row or f"{model._meta.verbose_name} #{key}"},
        "opts": model._meta,
        "back": reverse(f"admin:{app_label}_{model_name}_change", args=[quote(key)]) if row else "",
        "told": told(page[:SHOWN], own, f"{model._meta.db_table}:{key}"),
        "older": page[SHOWN - 1].pk if len(page) > SHOWN else None,
    }
    return render(request, "admin/dispatch/history.html", context)


def verbose(table: str) -> str:
    """What the rows of a table are called."""
    model = models_by_table().get(table)
    return str(model._meta.verbose_name) if model else table
