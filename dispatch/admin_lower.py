"""What dispatch adds to the admin pages of the lower rooms: acts that it must carry out, its rows beside theirs."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents import membership
from agents.admin import AgentAdmin as BaseAgentAdmin
from agents.admin import PoolAdmin as BasePoolAdmin
from agents.admin import ShiftAdmin as BaseShiftAdmin
from agents.admin_parts import Deciding, ReasonForm, decider
from agents.models import Agent, Pool, Shift
from dispatch import leading, suspension
from dispatch.backoffice import members
from dispatch.backoffice.pools import own_pools
from dispatch.models import Offer, Policy, Route
from tickets.admin import TicketAdmin as BaseTicketAdmin
from tickets.admin_readonly import ReadOnly
from tickets.models import Ticket

admin.site.unregister((Agent, Shift, Ticket, Pool))


class OfferInline(ReadOnly, admin.TabularInline[Offer, Any]):
    model = Offer
    fields = ("ticket", "agent", "state", "reason", "pay_cents", "made_at", "answered_at", "ended_at")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        return super().get_queryset(request).select_related("ticket", "agent")


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


class ShortReasonForm(ReasonForm):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The person reads it, in the mail and on their page."),
        max_length=leading.WHY,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 70}),
    )


@admin.register(Shift)
class ShiftAdmin(Deciding, BaseShiftAdmin):
    actions = ("force_offline",)
    inlines: ClassVar = [OfferInline]

    @admin.action(description=_("End the chosen shifts now"), permissions=["force"])
    def force_offline(self, request: HttpRequest, shifts: QuerySet[Shift]) -> TemplateResponse | None:
        def act(shift: Shift, said: dict[str, Any]) -> None:
            leading.shift_force_offline(by=decider(request), shift_id=shift.pk, why=said["reason"])

        return self.ask(
            request,
            shifts,
            act,
            action="force_offline",
            title=gettext(
                "End these shifts now? Their offers are revoked, and held tickets go back to the front of the queue."
            ),
            form_class=ShortReasonForm,
            button=gettext("End them, and tell why"),
            told=lambda ended: ngettext("%d shift was ended.", "%d shifts were ended.", ended) % ended,
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
