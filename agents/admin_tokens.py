"""API tokens of other systems in Django admin: made, shown once, withdrawn. Nothing about one is changed."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import format_lazy
from django.utils.translation import gettext as text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agents.admin_parts import LabelledDateTime, decider, secret_page
from agents.errors import ScopeNotYours
from agents.models import ApiToken
from agents.tokens import SCOPES, token_make, token_revoke


class ApiTokenForm(forms.ModelForm[ApiToken]):
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=[
            (scope, format_lazy("{scope}: {says}", scope=scope, says=one.says))
            for scope, one in SCOPES.items()
        ],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only what the other system needs. You can give what you may do yourself."),
    )

    class Meta:
        model = ApiToken
        fields = ("name", "scopes", "expires_at")


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    form = ApiTokenForm
    formfield_overrides: ClassVar = {DateTimeField: {"widget": LabelledDateTime}}
    list_display = ("name", "begin", "scopes", "made_by", "made_at", "expires_at", "used_at", "revoked_at")
    list_filter: ClassVar = [("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ("made_by",)
    search_fields = ("name", "begin")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("agents.change_apitoken"))

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:  # noqa: ARG002
        made = ("begin", "made_by", "made_at", "used_at", "revoked_at")
        return ("name", "scopes", "expires_at", *(made if obj else ()))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The stock page asks; what it would save is made by the service, and shown."""
        if request.method == "POST" and self.has_add_permission(request):
            form = self.get_form(request)(request.POST)
            if form.is_valid():
                try:
                    made = token_make(by=decider(request), **form.cleaned_data)
                except ScopeNotYours as refusal:
                    messages.error(request, str(refusal.detail))
                    return redirect("admin:agents_apitoken_add")
                self.log_addition(request, made.token, [{"added": {}}])
                title = text("The token of “%(name)s”") % {"name": made.token.name}
                return secret_page(self, request, title=title, secret=made.secret)
        return super().add_view(request, form_url, extra_context)

    @admin.action(description=_("Withdraw the chosen tokens, for good"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        chosen = list(queryset.filter(revoked_at__isnull=True))
        for token in chosen:
            token_revoke(token_id=token.pk)
            self.log_change(request, token, [{"changed": {"fields": ["revoked_at"]}}])
        messages.success(
            request,
            ngettext("%d token was withdrawn.", "%d tokens were withdrawn.", len(chosen)) % len(chosen),
        )
