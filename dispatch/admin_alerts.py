"""Alerts, their rules, and what team leads did, in Django admin."""

from django.contrib import admin
from django.http import HttpRequest

from dispatch.models import Alert, AlertRule, LeadAction
from tickets.admin_readonly import ReadOnly


@admin.register(Alert)
class AlertAdmin(ReadOnly, admin.ModelAdmin[Alert]):
    list_display = (
        "kind",
        "subject",
        "opened_at",
        "closed_at",
        "mailed_at",
        "told_at",
        "called_at",
        "acknowledged_by",
        "recovery_mailed_at",
    )
    readonly_fields = (*list_display[2:], "acknowledged_at")  # which no form would show
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("acknowledged_by",)
    search_fields = ("subject",)
    date_hierarchy = "opened_at"


@admin.register(AlertRule)
class AlertRuleAdmin(admin.ModelAdmin[AlertRule]):
    list_display = ("kind", "active", "threshold", "repeat_minutes")

    def get_readonly_fields(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: AlertRule | None = None,
    ) -> tuple[str, ...]:
        return ("kind",) if obj else ()


@admin.register(LeadAction)
class LeadActionAdmin(ReadOnly, admin.ModelAdmin[LeadAction]):
    list_display = ("at", "by", "kind", "ticket", "agent")
    list_filter = ("kind",)
    list_select_related = ("by", "agent", "ticket__customer")
    search_fields = ("=ticket__id", "by__name", "agent__name")
    date_hierarchy = "at"
    readonly_fields = ("at",)
    exclude = ("why", "key", "digest")  # the first may name a customer: the leads' page shows it masked
