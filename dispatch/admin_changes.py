"""The history of the whole configuration in Django admin, to look at; that of one object is on its page."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db import connection
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from agents.admin_readonly import ReadOnly
from dispatch.backoffice import changes
from dispatch.models import Change


class TableFilter(admin.SimpleListFilter):
    title = _("of what")
    parameter_name = "table"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002
        return [(table, capfirst(changes.verbose(table))) for table in tracked()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        return queryset.filter(table=self.value()) if self.value() else queryset


def tracked() -> Sequence[str]:
    """Tables whose changes are written down."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'change_noted' ORDER BY 1"
        )
        return [table for (table,) in cursor.fetchall()]


@admin.register(Change)
class ChangeAdmin(ReadOnly, admin.ModelAdmin[Change]):
    list_display = ("at", "by", "kind", "what", "columns")
    list_display_links = ("at",)
    list_filter = (TableFilter, "kind", ("at", admin.DateFieldListFilter))
    list_select_related = ("by",)
    search_fields = ("=by__email", "=row")
    fields = ("at", "by", "kind", "what", "in_words")
    readonly_fields = fields

    @admin.display(description=_("what"))
    def what(self, change: Change) -> str:
        name = f"{capfirst(changes.verbose(change.table))} #{change.row}"
        model = changes.models_by_table().get(change.table)
        if model is None:
            return name
        try:
            address = reverse(
                f"admin:{model._meta.app_label}_{model._meta.model_name}_history", args=[change.row]
            )
        except NoReverseMatch:  # a part of something else
            return name
        return format_html('<a href="{}">{}</a>', address, name)

    @admin.display(description=_("columns"))
    def columns(self, change: Change) -> str:
        return ", ".join(sorted({**change.old, **change.new}))

    @admin.display(description=_("from what to what"))
    def in_words(self, change: Change) -> str:
        (one,) = changes.told([change])
        return format_html_join(
            "", "<p>{}: {} → {}</p>", ((line.name, line.old or "–", line.new or "–") for line in one.lines)
        )
