"""What stands before every page of the admin: own pools, and lists that do not count to the end (put there by site.py)."""

from functools import cache
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin, ShowFacets
from django.contrib.admin.views.main import IGNORED_PARAMS, PAGE_VAR
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.template.response import TemplateResponse

from dispatch.backoffice.counting import BoundedPaginator
from dispatch.backoffice.pools import CHANGES, CHOICES, REACH, changeable, own_pools, reached
from dispatch.backoffice.saving import Saving

# What an address may ask of a row's own number.
OF_NUMBERS = {"exact", "in", "isnull", "gt", "gte", "lt", "lte"}
ASKED = 100  # rows that a question names; the others are a number


class ReachedFilter(admin.RelatedFieldListFilter):
    """Offers those only that the account may see, and takes no other from an address."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        own = own_pools(request)
        self.confined = own is not None
        if own is None:
            return super().field_choices(field, request, model_admin)
        rows = reached(own, field.remote_field.model._default_manager.all())
        return [
            (row.pk, str(row))
            for row in rows.order_by(*self.field_admin_ordering(field, request, model_admin))
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        seen = {str(pk) for pk, _name in self.lookup_choices}
        if self.confined and self.lookup_val and not set(self.lookup_val) <= seen:
            return queryset.none()
        return super().queryset(request, queryset)


admin.FieldListFilter.register(lambda field: bool(field.remote_field), ReachedFilter, take_priority=True)


class _Confined(BaseModelAdmin[Any]):
    """Rows, choices and rights within the own pools."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return reached(own_pools(request), super().get_queryset(request))

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> Any:
        found = super().get_field_queryset(db, db_field, request)
        own = own_pools(request)
        if own is None:
            return found
        rows = reached(own, db_field.remote_field.model._default_manager.all() if found is None else found)
        narrower = CHOICES.get((self.model, db_field.name))
        return rows.filter(narrower(own)) if narrower else rows

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any], request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        narrower = (self.model, db_field.name) in CHOICES and own_pools(request) is not None
        if narrower and isinstance(field, ModelChoiceField):
            field.required, field.empty_label = True, None
        return field

    def _here(self, request: HttpRequest) -> bool:
        return own_pools(request) is None or self.model in REACH

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._here(request) and super().has_view_permission(request, obj)


class Guarded(_Confined, admin.ModelAdmin[Any]):
    """Before the class that a model was registered with."""

    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each is a count of everything
    paginator = BoundedPaginator

    def get_paginator(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> BoundedPaginator:
        if (
            not queryset.ordered
        ):  # autocompletion of a list that counts: with GROUP BY a model's own order is dropped
            queryset = queryset.order_by(*(self.get_ordering(request) or self.opts.ordering or ("pk",)))
        found = cast("BoundedPaginator", super().get_paginator(request, queryset, *args, **kwargs))
        asked = {name for name, value in request.GET.items() if value} - {*IGNORED_PARAMS, PAGE_VAR}
        found.whole = not asked and own_pools(request) is None
        return found

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """An action that names no right (`permissions`) is for those who may change. One with a text `asks` asks first."""
        found: dict[str, Any] = super().get_actions(request)
        may = self.has_change_permission(request)
        return {
            name: (_asking(func, name) if hasattr(func, "asks") else func, name, words)
            for name, (func, name, words) in found.items()
            if may or hasattr(func, "allowed_permissions")
        }

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [_confined(inline) for inline in super().get_inlines(request, obj)]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._here(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (
            self._here(request)
            and super().has_change_permission(request, obj)
            and (obj is None or self._changeable(request, obj))
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (
            self._here(request)
            and super().has_delete_permission(request, obj)
            and (obj is None or self._changeable(request, obj))
        )

    def _changeable(self, request: HttpRequest, obj: Model) -> bool:
        """Asked many times a page, looked up once."""
        own = own_pools(request)
        if own is None or obj.pk is None:
            return True
        known: dict[Any, bool] = request.__dict__.setdefault("_changeable", {})
        if (self.model, obj.pk) not in known:
            known[self.model, obj.pk] = changeable(own, obj)
        return known[self.model, obj.pk]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        if own_pools(request) is not None and self.model in CHANGES:
            found.list_editable = ()  # it would ask for the right to change any row, not this one
        if found.paginator.whole:
            found.full_result_count = (
                found.result_count
            )  # nothing was searched for, so there is no "show all"
        return found

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """An address filters by the filters offered, by number and along relations. Django would take any column: how many rows
        have a text that begins so, or is like that, would tell what is masked, letter by letter.

        Those confined to pools filter along a relation by the filters offered only: other ways would tell of other pools.
        """
        head, *more = lookup.split(LOOKUP_SEP)
        offered = self._offered(request)
        field = self._field(head)
        if field is None or not field.is_relation:
            numbered = field is not None and field.primary_key and set(more) <= OF_NUMBERS
            if not numbered and head not in offered:
                return False
        if own_pools(request) is not None and (field is None or field.is_relation):
            path = LOOKUP_SEP.join([head, *(part for part in more if part not in ("exact", "isnull", "id"))])
            if not more or more[-1] not in ("exact", "isnull") or path not in offered:
                return False
        return super().lookup_allowed(lookup, value, request)

    def _offered(self, request: HttpRequest) -> set[Any]:
        found: set[Any] = {self.date_hierarchy}
        for one in self.get_list_filter(request):
            name: Any = one[0] if isinstance(one, tuple | list) else one
            found.add(getattr(name, "parameter_name", name))
        return found

    def _field(self, name: str) -> Any:
        """None for what is no column: an annotation, or a filter's own name."""
        try:
            return self.opts.pk if name == "pk" else self.opts.get_field(name)
        except FieldDoesNotExist:
            return None


class _ConfinedInline(_Confined, InlineModelAdmin[Any, Any]):
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._here(request) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._here(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._here(request) and super().has_delete_permission(request, obj)


def _asking(act: Any, name: str) -> Any:
    def ask(model_admin: Any, request: HttpRequest, rows: QuerySet[Any]) -> Any:
        if "sure" in request.POST:
            return act(model_admin, request, rows)
        context = model_admin.admin_site.each_context(request) | {
            "title": act.asks,
            "rows": rows[:ASKED],
            "further": max(0, rows.count() - ASKED),
            "action": name,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "select_across": request.POST.get("select_across", "0"),
            "button": act.short_description,
            "opts": model_admin.opts,
        }
        return TemplateResponse(request, "admin/dispatch/sure.html", context)

    return ask


@cache
def guarded(admin_class: type[Any]) -> type[Any]:
    """The class between the guard and how rows are saved."""
    if issubclass(admin_class, Guarded):
        return admin_class
    behind = () if admin_class is admin.ModelAdmin else (admin_class,)
    return type(admin_class.__name__, (Guarded, *behind, Saving), {"__module__": admin_class.__module__})


@cache
def _confined(inline: type[Any]) -> type[Any]:
    return type(inline.__name__, (_ConfinedInline, inline), {"__module__": inline.__module__})
