"""Routing, offers and runs in Django admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.utils.html import format_html_join
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from agents.pay.statements import decimal
from dispatch import (
    admin_alerts,
    admin_changes,
    admin_forecast,
    admin_groups,
    admin_hours,
    admin_practice,
    admin_promise,
    admin_pulse,
    admin_quality,
    admin_terms,
    admin_webhooks,
    cards,
    decisions,
)
from dispatch.admin_lower import OfferInline
from dispatch.models import (
    Escalation,
    Feed,
    FeedEvent,
    Misuse,
    Offer,
    PoolStanding,
    Requirement,
    Route,
    RouteStep,
    Run,
    Simulation,
    Standing,
    Transfer,
)
from dispatch.templatetags.reveals import masked
from dispatch.views.lead.access import read_number
from tickets.admin_finding import EventTypeFilter
from tickets.admin_readonly import ReadOnly

assert admin_alerts  # importing it registers its pages
assert admin_changes
assert admin_practice
assert admin_promise
assert admin_forecast
assert admin_groups
assert admin_pulse
assert admin_quality  # importing it registers its pages
assert admin_hours  # importing it registers its page
assert admin_terms  # importing it registers its pages
assert admin_webhooks


class RequirementInline(admin.TabularInline[Requirement, Route]):
    model = Requirement
    autocomplete_fields = ("skill",)
    extra = 0


class StepInline(admin.TabularInline[RouteStep, Route]):
    model = RouteStep
    extra = 0


@admin.register(Route)
class RouteAdmin(admin.ModelAdmin[Route]):
    list_display = (
        "__str__", "pool", "offer_seconds", "units", "target_seconds", "max_wait_seconds", "wrap_up_seconds"
    )  # fmt: skip
    list_filter = ("pool",)
    list_select_related = ("topic", "pool")
    inlines: ClassVar = [RequirementInline, StepInline]


@admin.register(Offer)
class OfferAdmin(ReadOnly, admin.ModelAdmin[Offer]):
    list_display = (
        "id",
        "ticket",
        "agent",
        "state",
        "automatic",
        "reason",
        "pay",
        "made_at",
        "expires_at",
        "answered_at",
    )
    list_filter = ("state", "automatic", "run__pool", ("made_at", admin.DateFieldListFilter))
    search_fields = ("=ticket__id", "agent__name")
    list_select_related = ("ticket", "agent")
    readonly_fields = ("why_in_words",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        return super().get_queryset(request).filter(run__isnull=False)

    @admin.display(description=_("pay"), ordering="pay_cents")
    def pay(self, offer: Offer) -> str:
        return f"{decimal(offer.pay_cents + offer.surge_cents)} {offer.currency}"

    @admin.display(description=_("why this agent"))
    def why_in_words(self, offer: Offer) -> str:
        lines = cards.why_lines(offer, get_language() or "en")
        return format_html_join("", "<p>{}</p>", ((line,) for line in lines))


@admin.register(Run)
class RunAdmin(ReadOnly, admin.ModelAdmin[Run]):
    list_display = ("id", "pool", "policy", "started_at", "tickets", "agents", "offers", "solve_micros")
    list_filter = ("pool", ("started_at", admin.DateFieldListFilter))
    list_select_related = ("pool", "policy__pool")
    exclude = ("snapshot",)
    readonly_fields = ("snapshot_bytes",)
    inlines: ClassVar = [OfferInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return super().get_queryset(request).defer("snapshot")

    @admin.display(description=_("snapshot, bytes"))
    def snapshot_bytes(self, run: Run) -> int:
        return len(run.snapshot)

    def get_urls(self) -> list[Any]:
        again = path(
            "<int:run_id>/again/", self.admin_site.admin_view(self.again), name="dispatch_run_replay"
        )
        return [again, *super().get_urls()]

    def again(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Solve the run again: its pairs with their reasons, and why not somebody else."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(self.get_queryset(request).select_related("pool"), pk=run_id)
        ticket_id, agent_id = (read_number(request.GET.get(name, "")) for name in ("ticket", "agent"))
        context = (
            self.admin_site.each_context(request)
            | {"title": _("Run %(run)s, solved again") % {"run": run}}
            | decisions.opened(run, ticket_id, agent_id, get_language() or "en")
        )
        return render(request, "admin/dispatch/run/replay.html", context)


@admin.register(Standing)
class StandingAdmin(ReadOnly, admin.ModelAdmin[Standing]):
    list_display = ("agent", "accept_rate", "answered", "share", "refreshed_at")
    list_select_related = ("agent",)


@admin.register(PoolStanding)
class PoolStandingAdmin(ReadOnly, admin.ModelAdmin[PoolStanding]):
    list_display = ("pool", "ended", "rescinded", "share", "parallel", "refreshed_at")
    list_select_related = ("pool",)

    @admin.display(description=_("share"))
    def share(self, standing: PoolStanding) -> str:
        return f"{100 * standing.rescinded / standing.ended:.0f} %" if standing.ended else "–"


@admin.register(Simulation)
class SimulationAdmin(ReadOnly, admin.ModelAdmin[Simulation]):
    list_display = ("id", "asked_by", "asked_at", "state", "played", "plays")
    list_filter = ("state",)
    list_select_related = ("asked_by",)
    exclude = ("result", "plots", "report", "arrivals")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Simulation]:
        return super().get_queryset(request).defer(*self.exclude)


@admin.register(Escalation)
class EscalationAdmin(ReadOnly, admin.ModelAdmin[Escalation]):
    list_display = ("ticket", "agent", "why", "opened_at", "settled_at", "settled_by")
    list_filter = (("settled_at", admin.EmptyFieldListFilter),)
    list_select_related = ("ticket__customer", "agent", "settled_by")
    search_fields = ("=ticket__id",)
    date_hierarchy = "opened_at"
    exclude = ("reason", "answer")
    readonly_fields = ("why", "answered")

    @admin.display(description=_("reason"))
    def why(self, escalation: Escalation) -> str:
        return masked(escalation.reason, escalation.ticket)

    @admin.display(description=_("answer"))
    def answered(self, escalation: Escalation) -> str:
        return masked(escalation.answer, escalation.ticket)


@admin.register(Misuse)
class MisuseAdmin(ReadOnly, admin.ModelAdmin[Misuse]):
    list_display = ("ticket", "kind", "said", "made_at", "settled_at", "settled_by", "confirmed")
    list_filter = ("kind", "confirmed")
    list_select_related = ("ticket__customer", "settled_by")
    search_fields = ("=ticket__id", "=address")
    date_hierarchy = "made_at"
    exclude = ("note", "address", "answer")
    readonly_fields = ("said", "whose", "answered")

    @admin.display(description=_("note"))
    def said(self, found: Misuse) -> str:
        return masked(found.note, found.ticket)

    @admin.display(description=_("customer's address"))
    def whose(self, found: Misuse) -> str:
        return masked(found.address, found.ticket)

    @admin.display(description=_("answer"))
    def answered(self, found: Misuse) -> str:
        return masked(found.answer, found.ticket)


@admin.register(Transfer)
class TransferAdmin(ReadOnly, admin.ModelAdmin[Transfer]):
    list_display = ("ticket", "pool", "agent", "made_at")
    list_filter = ("pool",)
    list_select_related = ("ticket", "pool", "agent")
    search_fields = ("=ticket__id",)


@admin.register(Feed)
class FeedAdmin(ReadOnly, admin.ModelAdmin[Feed]):
    list_display = ("agent", "last_seq")
    list_select_related = ("agent",)


@admin.register(FeedEvent)
class FeedEventAdmin(ReadOnly, admin.ModelAdmin[FeedEvent]):
    list_display = ("agent", "seq", "type", "data", "created_at")
    list_filter = (EventTypeFilter,)
    list_select_related = ("agent",)
    ordering = ("-id",)
    exclude = ("key", "digest")
