"""The promise of a person in Django admin: to look at. Days are counted, answers promised by the system."""

from typing import ClassVar

from django.contrib import admin

from agents.admin_readonly import ReadOnly
from dispatch.models import PromisedAnswer, PromiseDay


@admin.register(PromiseDay)
class PromiseDayAdmin(ReadOnly, admin.ModelAdmin[PromiseDay]):
    list_display = ("day", "topic", "asked", "kept", "missed", "left", "pending", "longest", "made_at")
    list_filter = ("topic",)
    list_select_related = ("topic",)
    date_hierarchy = "day"


@admin.register(PromisedAnswer)
class PromisedAnswerAdmin(ReadOnly, admin.ModelAdmin[PromisedAnswer]):
    list_display = ("ticket", "made_at", "due_at", "kept_at", "ended_at")
    list_filter: ClassVar = [
        ("ended_at", admin.EmptyFieldListFilter),
        ("kept_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ("ticket",)
    search_fields = ("=ticket__id",)
    date_hierarchy = "made_at"
