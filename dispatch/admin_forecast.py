"""Stored forecasts in the admin, to read."""

from django.contrib import admin

from dispatch.models import Forecast
from tickets.admin_readonly import ReadOnly


@admin.register(Forecast)
class ForecastAdmin(ReadOnly, admin.ModelAdmin[Forecast]):
    list_display = ("day", "pool", "skill", "model", "error", "baseline_error", "history_days")
    list_filter = ("pool", "skill", "model")
    list_select_related = ("pool", "skill")
    date_hierarchy = "day"
