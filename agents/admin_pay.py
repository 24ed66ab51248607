"""Pay in Django admin: the ledger with adjustments, payout details (masked), payout runs step by step.

Whatever moves money asks first: a form, then the same once more as a sentence with its figures, then the service.
"""

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.admin_asking import AdjustmentForm, FailForm, RunForm, asked, user_id
from agents.admin_readonly import ReadOnly
from agents.errors import Refusal
from agents.models import Agent, LedgerEntry, Payout, PayoutAccount, PayoutRun, RunState
from agents.pay import runs
from agents.pay.ledger import adjust, standing
from agents.pay.statements import as_csv, as_pdf, decimal, money, of_payout, of_run
from agents.permissions import everywhere


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly, admin.ModelAdmin[LedgerEntry]):
    change_list_template = "admin/agents/ledgerentry/change_list.html"
    list_display = ("agent", "kind", "amount", "reference", "memo", "author", "created_at")
    list_filter = ("kind", ("created_at", admin.DateFieldListFilter))
    search_fields = ("agent__name", "reference", "memo")
    list_select_related = ("agent", "author")

    @admin.display(description=_("amount"), ordering="amount_cents")
    def amount(self, entry: LedgerEntry) -> str:
        return f"{decimal(entry.amount_cents)} {entry.currency}"

    def get_urls(self) -> list[Any]:
        own = path("adjust/", self.admin_site.admin_view(self.adjust), name="agents_ledgerentry_adjust")
        return [own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        may = request.user.has_perm("agents.adjust_ledger")
        return super().changelist_view(request, (extra_context or {}) | {"may_adjust": may})

    def adjust(self, request: HttpRequest) -> HttpResponse:
        """An adjustment: filled in, then read once more, then written."""
        if not everywhere(request.user, "agents.adjust_ledger"):
            raise PermissionDenied
        back = reverse("admin:agents_ledgerentry_changelist")
        form = AdjustmentForm(request.POST or None, initial={"key": uuid.uuid4(), "currency": "EUR"})
        title = gettext("Add an adjustment")
        if not (request.method == "POST" and form.is_valid()):
            return asked(
                request, self.admin_site, title=title, back=back, form=form, button=gettext("Continue")
            )
        data = form.cleaned_data
        agent, cents, currency = data["agent"], data["amount"], data["currency"]
        if "sure" not in request.POST:
            owed = {row["currency"]: row["pending_cents"] for row in standing(agent.pk)}.get(currency, 0)
            says = [
                gettext("%(agent)s gets %(amount)s. Reason: %(reason)s")
                % {"agent": agent, "amount": money(cents, currency), "reason": data["reason"]},
                gettext("Not paid out yet is then %(sum)s. A line of the ledger is never changed or deleted.")
                % {"sum": money(owed + cents, currency)},
            ]
            return asked(request, self.admin_site, title=title, back=back, form=form, says=says)
        adjust(
            agent_id=agent.pk,
            amount_cents=cents,
            currency=currency,
            reason=data["reason"],
            author_id=user_id(request),
            key=str(data["key"]),
        )
        messages.success(request, gettext("The adjustment is in the ledger."))
        return redirect(back)


@admin.register(PayoutAccount)
class PayoutAccountAdmin(ReadOnly, admin.ModelAdmin[PayoutAccount]):
    """Who wants their money where; nobody sees a number in full."""

    list_display = ("agent", "holder", "hint", "changed_at")
    fields = list_display
    search_fields = ("agent__name", "holder")
    list_select_related = ("agent",)


class PayoutInline(ReadOnly, admin.TabularInline[Payout, PayoutRun]):
    model = Payout
    fields = ("number", "agent", "holder", "hint", "amount", "state", "reason")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payout]:
        return super().get_queryset(request).select_related("agent", "run")

    @admin.display(description=_("amount"))
    def amount(self, payout: Payout) -> str:
        return f"{decimal(payout.amount_cents)} {payout.run.currency}"


@admin.register(Payout)
class PayoutAdmin(ReadOnly, admin.ModelAdmin[Payout]):
    change_form_template = "admin/agents/payout/change_form.html"
    list_display = ("number", "agent", "amount", "hint", "state", "run", "settled_at")
    fields = ("number", "run", "agent", "holder", "hint", "amount", "state", "settled_at", "reason")
    list_filter = ("state",)
    search_fields = ("=id", "agent__name", "holder")
    list_select_related = ("agent", "run")

    @admin.display(description=_("amount"), ordering="amount_cents")
    def amount(self, payout: Payout) -> str:
        return f"{decimal(payout.amount_cents)} {payout.run.currency}"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<int:payout_id>/fail/", view(self.fail), name="agents_payout_fail"),
            path("<int:payout_id>/statement.pdf", view(self.statement), name="agents_payout_statement"),
            *super().get_urls(),
        ]

    def fail(self, request: HttpRequest, payout_id: int) -> HttpResponse:
        """The bank has returned it."""
        if not everywhere(request.user, "agents.change_payoutrun"):
            raise PermissionDenied
        payout = get_object_or_404(Payout.objects.select_related("run", "agent"), pk=payout_id)
        back = reverse("admin:agents_payoutrun_change", args=[payout.run_id])
        title = gettext("Mark %(number)s as returned") % {"number": payout.number}
        form = FailForm(request.POST or None)
        if not (request.method == "POST" and form.is_valid()):
            return asked(
                request, self.admin_site, title=title, back=back, form=form, button=gettext("Continue")
            )
        if "sure" not in request.POST:
            says = [
                gettext("%(amount)s are owed to %(agent)s again; they are told by mail.")
                % {"amount": money(payout.amount_cents, payout.run.currency), "agent": payout.agent}
            ]
            return asked(request, self.admin_site, title=title, back=back, form=form, says=says)
        try:
            runs.payout_fail(payout_id=payout_id, reason=form.cleaned_data["reason"])
        except Refusal as refusal:
            messages.error(request, str(refusal.detail))
        else:
            messages.success(request, gettext("The money is in the agent's ledger again."))
        return redirect(back)

    def statement(self, request: HttpRequest, payout_id: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        payout = get_object_or_404(Payout.objects.select_related("run"), pk=payout_id)
        return file_of(as_pdf(of_payout(payout)), "application/pdf", f"{payout.number}.pdf")


def file_of(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="standby-{name}"'
    response["Cache-Control"] = "no-store"
    return response


STEPS = ("approve", "discard", "confirm")
DOWNLOADS = {"export": "file", "by_hand": "by_hand"}  # step → its address


@admin.register(PayoutRun)
class PayoutRunAdmin(ReadOnly, admin.ModelAdmin[PayoutRun]):
    """Made by one, approved by another, exported, and settled line by line."""

    change_list_template = "admin/agents/payoutrun/change_list.html"
    change_form_template = "admin/agents/payoutrun/change_form.html"
    list_display = ("__str__", "state", "payouts_of", "total", "made_by", "approved_by", "exported_at")
    fields = (
        "up_to", "currency", "minimum_cents", "state", "made_by", "made_at", "approved_by", "approved_at", "exported_at",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("made_by", "approved_by")
    inlines: ClassVar = [PayoutInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayoutRun]:
        return (
            super().get_queryset(request).annotate(many=Count("payouts"), cents=Sum("payouts__amount_cents"))
        )

    @admin.display(description=_("payouts"), ordering="many")
    def payouts_of(self, run: Any) -> int:
        return int(run.many)

    @admin.display(description=_("amount"), ordering="cents")
    def total(self, run: Any) -> str:
        return f"{decimal(run.cents or 0)} {run.currency}"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("make/", view(self.make), name="agents_payoutrun_make"),
            path("<int:run_id>/file.xml", view(self.file), {"step": "export"}, name="agents_payoutrun_file"),
            path(
                "<int:run_id>/by-hand.csv",
                view(self.file),
                {"step": "by_hand"},
                name="agents_payoutrun_by_hand",
            ),
            path(
                "<int:run_id>/statement.<str:form>", view(self.statement), name="agents_payoutrun_statement"
            ),
            *(
                path(
                    f"<int:run_id>/{step}/", view(self.step), {"step": step}, name=f"agents_payoutrun_{step}"
                )
                for step in STEPS
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        may = request.user.has_perm("agents.add_payoutrun")
        return super().changelist_view(request, (extra_context or {}) | {"may_make": may})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        steps = self._steps(request, run) if run is not None else []
        links = [
            (reverse(f"admin:agents_payoutrun_{name}", args=[object_id]), label)
            for name, label in steps
            if name in STEPS
        ]
        missing = (
            runs.left_out(run.up_to, run.currency, run.minimum_cents)
            if run is not None and run.state == RunState.DRAFT
            else []
        )
        return super().change_view(
            request,
            object_id,
            form_url,
            (extra_context or {})
            | {
                "links": links,
                "downloads": [
                    (reverse(f"admin:agents_payoutrun_{DOWNLOADS[name]}", args=[object_id]), label)
                    for name, label in steps
                    if name in DOWNLOADS
                ],
                "left_out": Agent.objects.in_bulk([agent_id for agent_id, _c in missing]).values(),
            },
        )

    def _steps(self, request: HttpRequest, run: PayoutRun) -> list[tuple[str, str]]:
        """What this person may do with it now: (name, label)."""
        change, approve = (
            everywhere(request.user, "agents.change_payoutrun"),
            everywhere(request.user, "agents.approve_payoutrun"),
        )
        found = []
        if run.state == RunState.DRAFT:
            if approve and run.made_by_id != request.user.pk:
                found.append(("approve", gettext("Approve")))
            if change or approve:
                found.append(("discard", gettext("Discard")))
        if change and run.state in (RunState.APPROVED, RunState.EXPORTED):
            found.append(
                ("by_hand", gettext("Download the list to pay by hand"))
                if run.by_hand
                else ("export", gettext("Download the file for the bank"))
            )
        if change and run.state == RunState.EXPORTED:
            found.append(("confirm", gettext("The bank has paid all that is open")))
        return found

    def make(self, request: HttpRequest) -> HttpResponse:
        """A draft: day and least amount, then what it would be, then made."""
        if not everywhere(request.user, "agents.add_payoutrun"):
            raise PermissionDenied
        back = reverse("admin:agents_payoutrun_changelist")
        owed = runs.unpaid_sums()
        initial = {
            "up_to": timezone.localdate() - timedelta(days=1),
            "currency": runs.currency_usual(owed),
            "minimum": decimal(settings.PAYOUT_MINIMUM_CENTS),
        }
        form = RunForm(request.POST or None, initial=initial, owed=owed)
        title = gettext("Make a payout run")
        if not (request.method == "POST" and form.is_valid()):
            return asked(request, self.admin_site, title=title, back=back, form=form)
        try:
            run, made = runs.payout_run_make(
                up_to=form.cleaned_data["up_to"],
                made_by_id=user_id(request),
                minimum_cents=form.cleaned_data["minimum"],
                currency=form.cleaned_data["currency"],
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal.detail))
            return asked(request, self.admin_site, title=title, back=back, form=form)
        if made:
            messages.success(request, gettext("The draft is made. Somebody else has to approve it."))
        else:
            messages.warning(request, gettext("There is a run for this day and currency already: this one."))
        return redirect("admin:agents_payoutrun_change", run.pk)

    def step(self, request: HttpRequest, run_id: int, step: str) -> HttpResponse:
        """Asks, then does: approve, discard, confirm."""
        run = get_object_or_404(self.get_queryset(request), pk=run_id)
        back = reverse("admin:agents_payoutrun_change", args=[run_id])
        label = dict(self._steps(request, run)).get(step)
        if label is None:
            raise PermissionDenied
        if request.method != "POST":
            return asked(request, self.admin_site, title=label, back=back, says=[self._says(run, step)])
        try:
            if step == "approve":
                runs.payout_run_approve(run_id=run_id, by_id=user_id(request))
            elif step == "discard":
                runs.payout_run_discard(run_id=run_id)
            else:
                runs.payouts_confirm(run_id=run_id)
        except Refusal as refusal:
            messages.error(request, str(refusal.detail))
        else:
            messages.success(request, gettext("Done: %(step)s.") % {"step": label})
        return redirect(back)

    def _says(self, run: Any, step: str) -> str:
        figures = {"many": run.many, "sum": money(run.cents or 0, run.currency), "maker": run.made_by}
        if step == "approve":
            return (
                gettext("%(many)s payouts, %(sum)s in all, made by %(maker)s, are booked in the ledgers.")
                % figures
            )
        if step == "discard":
            return gettext("%(many)s payouts, %(sum)s in all, wait for the next run.") % figures
        return gettext("All payouts of this run that are open count as paid.")

    def file(self, request: HttpRequest, run_id: int, step: str) -> HttpResponse:
        """The file for the bank, or the list to pay by hand. The first time it is made, by POST; later the same one again."""
        run = get_object_or_404(PayoutRun, pk=run_id)
        if request.method != "POST" or not dict(self._steps(request, run)).keys() & DOWNLOADS.keys():
            raise PermissionDenied
        try:
            if step == "by_hand":
                content = runs.payout_run_list(run_id=run_id)
                return file_of(content, "text/csv; charset=utf-8", f"run-{run_id}-by-hand.csv")
            return file_of(runs.payout_run_export(run_id=run_id), "application/xml", f"run-{run_id}.xml")
        except Refusal as refusal:
            messages.error(request, str(refusal.detail))
            return redirect("admin:agents_payoutrun_change", run_id)

    def statement(self, request: HttpRequest, run_id: int, form: str) -> HttpResponse:
        if not self.has_view_permission(request) or form not in ("pdf", "csv"):
            raise PermissionDenied
        run = get_object_or_404(PayoutRun.objects.select_related("made_by", "approved_by"), pk=run_id)
        if form == "pdf":
            return file_of(as_pdf(of_run(run)), "application/pdf", f"run-{run_id}.pdf")
        return file_of(as_csv(of_run(run)), "text/csv; charset=utf-8", f"run-{run_id}.csv")
