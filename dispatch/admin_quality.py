"""Reviews, contests and reveals in Django admin: to look at. They are made on the agents' and team leads' pages."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from agents.admin_readonly import ReadOnly
from dispatch.models import Contest, Reveal, Review
from dispatch.templatetags.reveals import masked
from tickets.models import Ticket


@admin.register(Review)
class ReviewAdmin(ReadOnly, admin.ModelAdmin[Review]):
    list_display = ("id", "agent", "offer", "drawn_at", "written_at", "reviewer", "by_peer", "score")
    list_filter: ClassVar = [("written_at", admin.EmptyFieldListFilter), "by_peer"]
    list_select_related = ("agent", "offer", "reviewer")
    search_fields = ("agent__name", "=offer__ticket__id", "text")
    date_hierarchy = "drawn_at"


@admin.register(Contest)
class ContestAdmin(ReadOnly, admin.ModelAdmin[Contest]):
    list_display = ("id", "agent", "rating", "review", "written_at", "due_at", "outcome", "answered_by")
    list_filter: ClassVar = [("answered_at", admin.EmptyFieldListFilter), "outcome"]
    list_select_related = ("agent", "rating", "review", "answered_by")
    search_fields = ("agent__name", "text")
    date_hierarchy = "written_at"


@admin.register(Reveal)
class RevealAdmin(ReadOnly, admin.ModelAdmin[Reveal]):
    list_display = ("ticket", "by", "place", "kinds", "reason", "shown_at")
    list_filter: ClassVar = ["reason"]
    list_select_related = ("ticket__customer", "by")
    search_fields = ("=ticket__id", "by__email", "by__name")
    date_hierarchy = "shown_at"
    exclude = ("words",)
    readonly_fields = ("said",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reveal]:
        return super().get_queryset(request).filter(ticket__in=Ticket.objects.filter(Ticket.REAL))

    @admin.display(description=_("in words"))
    def said(self, reveal: Reveal) -> str:
        return masked(reveal.words, reveal.ticket)
