"""Routing, offers and runs in Django admin, and the actions on people that dispatch must carry out."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html_join
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents import membership
from agents.admin import AgentAdmin as BaseAgentAdmin
from agents.admin import PoolAdmin as BasePoolAdmin
from agents.admin import ShiftAdmin as BaseShiftAdmin
from agents.admin_parts import decider
from agents.models import Agent, Pool, Shift
from agents.pay.statements import decimal
from dispatch import (
    admin_alerts,
    admin_changes,
    admin_forecast,
    admin_hours,
    admin_practice,
    admin_promise,
    admin_pulse,
    admin_quality,
    admin_terms,
    admin_webhooks,
    cards,
    decisions,
    presence,
    suspension,
)
from dispatch.backoffice import members
from dispatch.backoffice.pools import own_pools
from dispatch.models import (
    Escalation,
    Feed,
    FeedEvent,
    Misuse,
    Offer,
    Policy,
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
from tickets.admin import TicketAdmin as BaseTicketAdmin
from tickets.admin_finding import EventTypeFilter
from tickets.admin_readonly import ReadOnly
from tickets.models import Ticket

assert admin_alerts  # importing it registers its pages
assert admin_changes
assert admin_practice
assert admin_promise
assert admin_forecast
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


class OfferInline(ReadOnly, admin.TabularInline[Offer, Any]):
    model = Offer
    fields = ("ticket", "agent", "state", "reason", "pay_cents", "made_at", "answered_at", "ended_at")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        return super().get_queryset(request).select_related("ticket", "agent")


@admin.register(Run)
class RunAdmin(ReadOnly, admin.ModelAdmin[Run]):
    list_display = ("id", "pool", "policy", "started_at", "tickets", "agents", "offers", "solve_micros")
    list_filter = ("pool", ("started_at", admin.DateFieldListFilter))
    list_select_related = ("pool", "policy__pool")
    exclude = ("snapshot",)
    readonly_fields = ("snapshot_bytes",)
    inlines: ClassVar = [OfferInline]

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


# --- What this room adds to the admin pages of the lower ones ----------------------------------------------------------

admin.site.unregister((Agent, Shift, Ticket, Pool))


@admin.register(Agent)
class AgentAdmin(BaseAgentAdmin):
    change_list_template = "admin/agents/agent/change_list.html"
    actions = (
        *BaseAgentAdmin.actions,
        "suspend",
        "add_to_pool",
        "move_to_pool",
        "take_out_of_pool",
        "export",
    )

    def get_urls(self) -> list[Any]:
        def bring(request: HttpRequest) -> HttpResponse:
            return members.bring(self.admin_site, request)

        return [
            path("import/", self.admin_site.admin_view(bring), name="agents_agent_import"),
            *super().get_urls(),
        ]

    def get_exclude(self, request: HttpRequest, obj: Agent | None = None) -> Any:
        """Who sees their own pools only would save the others away: they add, move and take out instead."""
        found = super().get_exclude(request, obj)
        return found if own_pools(request) is None else [*(found or ()), "pools"]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("agents.export_agent"))

    @admin.action(description=_("Export the chosen agents (CSV)"), permissions=["export"])
    def export(self, request: HttpRequest, agents: QuerySet[Agent]) -> HttpResponse:
        return members.export(request, agents)

    @admin.action(description=_("Add the chosen agents to a pool…"), permissions=["change"])
    def add_to_pool(self, request: HttpRequest, agents: QuerySet[Agent]) -> TemplateResponse | None:
        return members.choose(
            self,
            request,
            agents,
            action="add_to_pool",
            title=gettext("Add to a pool"),
            form_class=members.PoolForm,
            act=lambda said, ids: membership.members_add(pool_id=said["pool"].pk, agent_ids=ids),
        )

    @admin.action(description=_("Move the chosen agents to another pool…"), permissions=["change"])
    def move_to_pool(self, request: HttpRequest, agents: QuerySet[Agent]) -> TemplateResponse | None:
        return members.choose(
            self,
            request,
            agents,
            action="move_to_pool",
            title=gettext("Move to another pool"),
            form_class=members.MoveForm,
            act=lambda said, ids: membership.members_move(
                from_pool_id=said["pool"].pk, to_pool_id=said["to"].pk, agent_ids=ids
            ),
        )

    @admin.action(description=_("Take the chosen agents out of a pool…"), permissions=["change"])
    def take_out_of_pool(self, request: HttpRequest, agents: QuerySet[Agent]) -> TemplateResponse | None:
        return members.choose(
            self,
            request,
            agents,
            action="take_out_of_pool",
            title=gettext("Take out of a pool"),
            form_class=members.PoolForm,
            act=lambda said, ids: membership.members_take_out(pool_id=said["pool"].pk, agent_ids=ids),
        )

    @admin.action(description=_("Suspend the chosen agents…"), permissions=["decide"])
    def suspend(self, request: HttpRequest, agents: QuerySet[Agent]) -> TemplateResponse | None:
        def act(agent: Agent, said: dict[str, Any]) -> None:
            suspension.suspend(agent_id=agent.pk, by=decider(request), reason=said["reason"])

        title = gettext("Suspend these agents? Their shifts end at once, held tickets go back to waiting.")
        return self.ask(request, agents, act, action="suspend", title=title)


@admin.register(Shift)
class ShiftAdmin(BaseShiftAdmin):
    actions = ("force_offline",)
    inlines: ClassVar = [OfferInline]

    @admin.action(description=_("End the chosen shifts now"), permissions=["force"])
    def force_offline(self, request: HttpRequest, shifts: QuerySet[Shift]) -> None:
        ended = 0
        for shift in shifts:
            if presence.force_offline(shift_id=shift.pk):
                ended += 1
            else:
                messages.warning(request, gettext("%(shift)s had ended already.") % {"shift": shift})
        self.message_user(
            request, ngettext("%d shift was ended.", "%d shifts were ended.", ended) % ended, messages.SUCCESS
        )

    force_offline.asks = _(  # type: ignore[attr-defined]  # read by dispatch/backoffice/guard.py
        "End these shifts now? Their offers are revoked, and held tickets go back to the front of the queue."
    )

    def has_force_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("agents.change_shift"))


@admin.register(Ticket)
class TicketAdmin(BaseTicketAdmin):
    inlines: ClassVar = [*BaseTicketAdmin.inlines, OfferInline]


class RouteInline(ReadOnly, admin.TabularInline[Route, Pool]):
    """To look at: a route is edited on its own page, with its steps."""

    model = Route
    fields = ("topic", "offer_seconds", "units", "target_seconds", "max_wait_seconds")
    readonly_fields = fields
    extra = 0
    show_change_link = True


class PolicyInline(ReadOnly, admin.TabularInline[Policy, Pool]):
    model = Policy
    fields = ("version", "current", "note", "created_at")
    readonly_fields = fields
    extra = 0
    show_change_link = True


@admin.register(Pool)
class PoolAdmin(BasePoolAdmin):
    change_form_template = "admin/agents/pool/change_form.html"

    def get_urls(self) -> list[Any]:
        def add(request: HttpRequest, pool_id: int) -> HttpResponse:
            return members.add(self, request, pool_id)

        return [
            path(
                "<int:pool_id>/add-members/", self.admin_site.admin_view(add), name="agents_pool_add_members"
            ),
            *super().get_urls(),
        ]

    inlines: ClassVar = [*BasePoolAdmin.inlines, RouteInline, PolicyInline]
