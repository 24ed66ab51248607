"""Triage in Django admin: versions of the model with their figures, labels, and a training that is asked for."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tickets import masking
from tickets.admin_readonly import ReadOnly
from tickets.models import TriageLabel, TriageModel
from tickets.tasks import triage_train_ask


def percent(share: float | None) -> str:
    """0.643 → 64.3 % or 64,3 %; a dash for what could not be counted."""
    return "–" if share is None else f"{number_format(share * 100, 1)} %"


@admin.register(TriageModel)
class TriageModelAdmin(ReadOnly, admin.ModelAdmin[TriageModel]):
    list_display = (
        "version",
        "live",
        "why",
        "texts",
        "labels",
        "accuracy_percent",
        "coverage_percent",
        "wanted_percent",
        "created_at",
    )
    fields = (
        "version", "live", "why", "texts", "labels", "wanted_percent", "threshold", "accuracy_percent", "coverage_percent",
        "sha256", "created_at", "by_topic",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("train_anew",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[TriageModel]:
        return super().get_queryset(request).defer("content", "held_out")  # megabytes each

    def has_train_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tickets.change_triagemodel")

    @admin.action(description=_("Train anew from all labels"), permissions=["train"])
    def train_anew(self, request: HttpRequest, queryset: models.QuerySet[TriageModel]) -> None:  # noqa: ARG002
        """Whatever is chosen: a training is of everything."""
        triage_train_ask()
        messages.success(request, _("A training is asked for. Its version is here in a minute or two."))

    @admin.display(description=_("accuracy"), ordering="accuracy")
    def accuracy_percent(self, row: TriageModel) -> str:
        return percent(row.accuracy)

    @admin.display(description=_("sure of"), ordering="coverage")
    def coverage_percent(self, row: TriageModel) -> str:
        return percent(row.coverage)

    @admin.display(description=_("wanted precision"), ordering="precision")
    def wanted_percent(self, row: TriageModel) -> str:
        return percent(row.precision)

    @admin.display(description=_("by topic, on texts it had not seen"))
    def by_topic(self, row: TriageModel) -> SafeString:
        """The report's figures, worst found first."""
        figures = sorted(row.report.get("per_label", {}).items(), key=lambda item: item[1]["recall"] or 0.0)
        lines = format_html_join(
            "",
            '<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>',
            (
                (
                    key,
                    one["texts"],
                    *(percent(one[name]) for name in ("recall", "precision", "coverage", "sure_right")),
                )
                for key, one in figures
            ),
        )
        heads = format_html_join(
            "",
            '<th scope="col">{}</th>',
            (
                (head,)
                for head in (
                    _("topic"),
                    _("texts"),
                    _("found"),
                    _("right"),
                    _("sure of"),
                    _("right when sure"),
                )
            ),
        )
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", heads, lines)

    @admin.display(description=_("why"))
    def why(self, row: TriageModel) -> str:
        """Why it went live, or did not."""
        told: dict[str, Any] = row.verdict
        match told["why"]:
            case "file":
                return str(_("trained from a file by a person"))
            case "first":
                return str(_("the first one"))
            case "unreadable":
                return str(_("version %(than)s could not be read")) % told
        words = (
            _("worse than version %(than)s: %(new_right)s right, %(old_right)s before, of %(texts)s")
            if told["why"] == "worse"
            else _("not worse than version %(than)s: %(new_right)s right, %(old_right)s before, of %(texts)s")
        )
        return str(words) % told


@admin.register(TriageLabel)
class TriageLabelAdmin(ReadOnly, admin.ModelAdmin[TriageLabel]):
    list_display = ("label", "source", "ticket", "said", "created_at")
    list_filter = ("source",)
    list_select_related = ("ticket__customer",)
    search_fields = ("label", "text", "=ticket__id")

    @admin.display(description=_("text"))
    def said(self, row: TriageLabel) -> str:
        if row.ticket is None:
            return row.text
        return masking.mask(row.ticket.summary, masking.surnames(row.ticket.customer.name)).text
