"""Scripted customers in Django admin, who practised with them, and the same among an application's steps."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as text
from django.utils.translation import gettext_lazy as _

from agents.admin_onboarding import ApplicationAdmin as BaseApplicationAdmin
from agents.models import Application
from dispatch.models import Practice, PracticePoint, PracticeScript
from dispatch.views.practice import lines, talk
from tickets.admin_readonly import ReadOnly


class PointInline(admin.StackedInline[PracticePoint, PracticeScript]):
    model = PracticePoint
    extra = 0


@admin.register(PracticeScript)
class PracticeScriptAdmin(admin.ModelAdmin[PracticeScript]):
    list_display = ("name", "key", "topic", "customer", "position", "active")
    list_editable = ("position", "active")
    list_filter = ("active",)
    list_select_related = ("topic",)
    search_fields = ("key", "name_en", "name_de")
    inlines = (PointInline,)


@admin.register(Practice)
class PracticeAdmin(ReadOnly, admin.ModelAdmin[Practice]):
    list_display = ("agent", "script", "started_at", "finished_at", "replied", "resolved", "passed")
    list_filter = ("passed", "script")
    search_fields = ("agent__name", "agent__user__email")
    list_select_related = ("agent", "script")
    date_hierarchy = "started_at"
    fields = ("agent", "script", "started_at", "finished_at", "passed", "met", "conversation")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Practice]:
        return super().get_queryset(request).select_related("ticket")

    @admin.display(description=_("points"))
    def met(self, practice: Practice) -> str:
        return format_html_join(
            "", "<p>{} {}</p>", (("✓" if line["met"] else "✗", line["name"]) for line in lines(practice))
        )

    @admin.display(description=_("conversation"))
    def conversation(self, practice: Practice) -> str:
        return format_html_join(
            "", "<p><strong>{}</strong> {}</p>", ((one.author_name, one.body) for one in talk(practice))
        )


admin.site.unregister((Application,))


@admin.register(Application)
class ApplicationAdmin(BaseApplicationAdmin):
    readonly_fields: ClassVar[tuple[str, ...]] = (*BaseApplicationAdmin.readonly_fields, "practices")

    @admin.display(description=_("practice"))
    def practices(self, application: Any) -> str:
        """Each go, the latest first, as a link to its conversation."""
        found = Practice.objects.filter(agent=application.agent_id, finished_at__isnull=False)
        return (
            format_html_join(
                "",
                "<p>{}</p>",
                ((_go(one),) for one in found.select_related("script")),
            )
            or "–"
        )


def _go(one: Practice) -> str:
    assert one.finished_at is not None
    return format_html(
        '<a href="{}">{}, {}: {}</a>',
        reverse("admin:dispatch_practice_change", args=[one.pk]),
        one.script,
        date_format(one.finished_at, "SHORT_DATETIME_FORMAT"),
        text("passed") if one.passed else text("not passed yet"),
    )
