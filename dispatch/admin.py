"""Routing, offers and runs in Django admin, and the actions on people that dispatch must carry out."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html_join
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.admin import AgentAdmin as BaseAgentAdmin
from agents.admin import PoolAdmin as BasePoolAdmin
from agents.admin import ShiftAdmin as BaseShiftAdmin
from agents.admin_parts import decider
from agents.models import Agent, Pool, Shift
from agents.pay.statements import decimal
from dispatch import cards, decisions, presence, suspension
from dispatch.models import (
    Alert,
    Escalation,
    Feed,
    FeedEvent,
    Offer,
    Policy,
    PoolStanding,
    Rate,
    Requirement,
    Route,
    RouteStep,
    Run,
    Simulation,
    Standing,
    Transfer,
)
from dispatch.views.lead.access import read_number
from tickets.admin import ReadOnly
from tickets.admin import TicketAdmin as BaseTicketAdmin
from tickets.models import Ticket


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


@admin.register(Rate)
class RateAdmin(admin.ModelAdmin[Rate]):
    list_display = ("topic_name", "amount", "valid_from")
    list_filter = ("topic", "currency")
    list_select_related = ("topic",)
    date_hierarchy = "valid_from"

    @admin.display(description=_("topic"), ordering="topic__position")
    def topic_name(self, rate: Rate) -> str:
        return rate.topic.name if rate.topic else "*"

    @admin.display(description=_("amount"), ordering="amount_cents")
    def amount(self, rate: Rate) -> str:
        return f"{decimal(rate.amount_cents)} {rate.currency}"


@admin.register(Policy)
class PolicyAdmin(admin.ModelAdmin[Policy]):
    """A version is never edited: "Save as new" of a version, or "Add", makes the next one and puts it in force."""

    list_display = ("pool", "version", "current", "note", "created_at")
    list_filter = ("current", "pool")
    list_select_related = ("pool",)
    exclude = ("version", "current")
    save_as = True
    view_on_site = False

    def get_readonly_fields(self, request: HttpRequest, obj: Policy | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("version", "current", "created_at") if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new version starts from the current one of the pool that the address names."""
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        current = Policy.objects.filter(pool_id=initial.get("pool") or 0, current=True).values().first()
        return {
            **{k: v for k, v in (current or {}).items() if k not in ("id", "created_at", "note")},
            **initial,
        }

    def has_delete_permission(self, request: HttpRequest, obj: Policy | None = None) -> bool:  # noqa: ARG002
        return False

    def save_model(self, request: HttpRequest, obj: Policy, form: Any, change: bool) -> None:  # noqa: ARG002
        """Always a new version, also when somebody pressed plain "Save" on an old one."""
        with transaction.atomic():
            Pool.objects.select_for_update().get(pk=obj.pool_id)
            latest = Policy.objects.filter(pool_id=obj.pool_id).order_by("-version").first()
            Policy.objects.filter(pool_id=obj.pool_id, current=True).update(current=False)
            obj.pk, obj.version, obj.current = None, (latest.version if latest else 0) + 1, True
            obj._state.adding = True
            obj.save(force_insert=True)
        if change:
            messages.info(
                request, _("Versions are never edited: this was saved as version %d.") % obj.version
            )


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
    list_filter = ("state", "automatic", "run__pool")
    search_fields = ("=ticket__id", "agent__name")
    list_select_related = ("ticket", "agent")
    date_hierarchy = "made_at"
    readonly_fields = ("why_in_words",)

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
    list_filter = ("pool",)
    list_select_related = ("pool", "policy__pool")
    date_hierarchy = "started_at"
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
        run = get_object_or_404(Run.objects.select_related("pool"), pk=run_id)
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


@admin.register(Alert)
class AlertAdmin(ReadOnly, admin.ModelAdmin[Alert]):
    list_display = ("kind", "subject", "opened_at", "closed_at", "mailed_at", "recovery_mailed_at")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    search_fields = ("subject",)
    date_hierarchy = "opened_at"


@admin.register(Simulation)
class SimulationAdmin(ReadOnly, admin.ModelAdmin[Simulation]):
    list_display = ("id", "asked_by", "asked_at", "state", "played", "plays")
    list_filter = ("state",)
    list_select_related = ("asked_by",)
    exclude = ("result", "plots", "report", "arrivals")


@admin.register(Escalation)
class EscalationAdmin(ReadOnly, admin.ModelAdmin[Escalation]):
    list_display = ("ticket", "agent", "reason", "opened_at", "settled_at", "settled_by")
    list_filter = (("settled_at", admin.EmptyFieldListFilter),)
    list_select_related = ("ticket", "agent", "settled_by")
    search_fields = ("=ticket__id", "reason")
    date_hierarchy = "opened_at"


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
    list_filter = ("type",)
    list_select_related = ("agent",)
    exclude = ("key", "digest")


# --- What this room adds to the admin pages of the lower ones ----------------------------------------------------------

admin.site.unregister((Agent, Shift, Ticket, Pool))


@admin.register(Agent)
class AgentAdmin(BaseAgentAdmin):
    actions = (*BaseAgentAdmin.actions, "suspend")

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
        ended = sum(presence.force_offline(shift_id=shift.pk) for shift in shifts)
        self.message_user(
            request, ngettext("%d shift was ended.", "%d shifts were ended.", ended) % ended, messages.SUCCESS
        )

    def has_force_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("agents.change_shift"))


@admin.register(Ticket)
class TicketAdmin(BaseTicketAdmin):
    inlines: ClassVar = [*BaseTicketAdmin.inlines, OfferInline]


class RouteInline(admin.TabularInline[Route, Pool]):
    model = Route
    fields = ("topic", "offer_seconds", "units", "target_seconds", "max_wait_seconds")
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
    inlines: ClassVar = [*BasePoolAdmin.inlines, RouteInline, PolicyInline]
