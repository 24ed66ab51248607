"""Webhooks in Django admin: registered, stopped, started, tested, given new secrets; and how deliveries went."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as text
from django.utils.translation import gettext_lazy as _

from agents.admin_parts import secret_page
from dispatch.errors import BadWebhook
from dispatch.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from dispatch.webhooks import endpoints
from dispatch.webhooks.events import TYPES
from tickets.admin_readonly import ReadOnly
from tickets.errors import Refusal


class WebhookForm(forms.ModelForm[WebhookEndpoint]):
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=[(name, name) for name in TYPES], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "description", "events")
        help_texts: ClassVar = {"url": _("https, on the public internet.")}

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            endpoints.url_check(url)
        except BadWebhook as refusal:
            raise forms.ValidationError(str(refusal.detail)) from None
        return url


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(admin.ModelAdmin[WebhookEndpoint]):
    form = WebhookForm
    list_display = ("__str__", "url", "events", "stopped_by", "stopped_at", "last_ok_at", "made_at")
    list_filter = ("stopped_by",)
    readonly_fields = ("stopped_by", "stopped_at", "last_ok_at", "made_at", "old_secret_until")
    actions = ("start", "stop", "test", "rotate")

    def get_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:  # noqa: ARG002
        return ("url", "description", "events", *(self.readonly_fields if obj else ()))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The stock page asks; what it would save is made by the service, and its secret shown."""
        if request.method == "POST" and self.has_add_permission(request):
            form = self.get_form(request)(request.POST)
            if form.is_valid():
                try:
                    made = endpoints.endpoint_register(**form.cleaned_data)
                except Refusal as refusal:
                    messages.error(request, str(refusal.detail))
                    return redirect("admin:dispatch_webhookendpoint_add")
                self.log_addition(request, made.endpoint, [{"added": {}}])
                title = text("The secret of “%(name)s”") % {"name": made.endpoint}
                return secret_page(self, request, title=title, secret=made.secret)
        return super().add_view(request, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:  # noqa: ARG002
        endpoints.endpoint_change(endpoint_id=obj.pk, **form.cleaned_data)

    @admin.action(description=_("Start the chosen webhooks"), permissions=["change"])
    def start(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        self._each(request, queryset, lambda pk: endpoints.endpoint_change(endpoint_id=pk, enabled=True))

    @admin.action(description=_("Stop the chosen webhooks"), permissions=["change"])
    def stop(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        self._each(request, queryset, lambda pk: endpoints.endpoint_change(endpoint_id=pk, enabled=False))

    @admin.action(description=_("Send a test to the chosen webhooks"), permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        self._each(request, queryset, lambda pk: endpoints.ping(endpoint_id=pk))

    @admin.action(description=_("Change the secret of the chosen webhook"), permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> HttpResponse | None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            messages.error(request, text("Choose one, so that its new secret can be shown."))
            return None
        made = endpoints.endpoint_rotate(endpoint_id=chosen[0].pk)
        self.log_change(request, made.endpoint, [{"changed": {"fields": ["secret"]}}])
        title = text("The new secret of “%(name)s”") % {"name": made.endpoint}
        return secret_page(self, request, title=title, secret=made.secret)

    def _each(
        self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint], act: Callable[[int], object]
    ) -> None:
        for endpoint in queryset:
            try:
                act(endpoint.pk)
                self.log_change(request, endpoint, [{"changed": {}}])
                messages.success(request, text("Done: %(name)s") % {"name": endpoint})
            except Refusal as refusal:
                messages.warning(request, f"{endpoint}: {refusal.detail}")


class TryInline(ReadOnly, admin.TabularInline[WebhookTry, WebhookDelivery]):
    model = WebhookTry
    extra = 0
    fields = ("number", "at", "status", "milliseconds", "error", "answer")
    readonly_fields = fields


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, admin.ModelAdmin[WebhookDelivery]):
    list_display = ("message_id", "type", "endpoint", "state", "tries", "happened_at", "due_at")
    readonly_fields = ("happened_at",)
    list_filter = ("state", "endpoint", "type")
    list_select_related = ("endpoint",)
    search_fields = ("message_id",)
    show_full_result_count = False
    inlines: ClassVar = [TryInline]
    actions = ("again",)

    def has_again_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("dispatch.change_webhookendpoint"))

    @admin.action(description=_("Send the chosen deliveries once more"), permissions=["again"])
    def again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        for delivery in queryset.select_related("endpoint"):
            try:
                endpoints.delivery_again(endpoint_id=delivery.endpoint_id, delivery_id=delivery.pk)
                messages.success(request, text("Done: %(name)s") % {"name": delivery})
            except Refusal as refusal:
                messages.warning(request, f"{delivery}: {refusal.detail}")
