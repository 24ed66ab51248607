"""Questions of agents, which a person answers here; exports, leavings and notices to look at."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as text
from django.utils.translation import gettext_lazy as _

from agents import rights
from agents.admin_parts import Deciding, decider
from agents.admin_readonly import ReadOnly
from agents.models import DataExport, Inquiry, Leaving, Notice


class ReplyForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer"),
        help_text=_("The person reads it, in the mail and on their page."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5, "cols": 70}),
    )


@admin.register(Inquiry)
class InquiryAdmin(Deciding, ReadOnly, admin.ModelAdmin[Inquiry]):
    list_display = ("agent", "kind", "text", "asked_at", "due_at", "answered_at", "answered_by")
    list_filter: ClassVar = [("answered_at", admin.EmptyFieldListFilter), "kind"]
    search_fields = ("agent__name", "text")
    list_select_related = ("agent", "answered_by")
    date_hierarchy = "asked_at"
    actions = ("answer",)

    def has_answer_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("agents.answer_inquiry"))

    @admin.action(description=_("Answer the chosen questions…"), permissions=["answer"])
    def answer(self, request: HttpRequest, queryset: QuerySet[Inquiry]) -> TemplateResponse | None:
        def act(inquiry: Inquiry, said: dict[str, Any]) -> None:
            rights.inquiry_answer(inquiry_id=inquiry.pk, by=decider(request), answer=said["answer"])

        title = text("Answer these questions?")
        return self.ask(request, queryset, act, action="answer", title=title, form_class=ReplyForm)


@admin.register(DataExport)
class DataExportAdmin(ReadOnly, admin.ModelAdmin[DataExport]):
    """That somebody asked for their data; what is in it is theirs."""

    list_display = ("agent", "asked_at", "made_at", "expires_at", "size", "downloaded_at")
    list_select_related = ("agent",)
    exclude = ("content", "token")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataExport]:
        return super().get_queryset(request).defer("content")


@admin.register(Leaving)
class LeavingAdmin(ReadOnly, admin.ModelAdmin[Leaving]):
    list_display = ("agent", "asked_at", "left_at", "erase_at", "forgoes", "erased_at")
    list_filter: ClassVar = [("erased_at", admin.EmptyFieldListFilter)]
    list_select_related = ("agent",)


@admin.register(Notice)
class NoticeAdmin(ReadOnly, admin.ModelAdmin[Notice]):
    list_display = ("agent", "kind", "created_at", "mailed_at")
    list_filter = ("kind",)
    list_select_related = ("agent",)
