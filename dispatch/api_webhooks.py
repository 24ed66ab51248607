"""REST under /api/v1/webhooks: where other systems want to be told, and how that went."""

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api_staff import NoFilter, StaffList, StaffView
from dispatch.errors import (
    BadWebhook,
    DeliveryNotFound,
    NoWebhookKey,
    TooManyWebhooks,
    WebhookNotFound,
    WebhookStopped,
)
from dispatch.models import DeliveryState, StoppedBy, WebhookDelivery, WebhookEndpoint
from dispatch.webhooks import endpoints
from dispatch.webhooks.endpoints import LONGEST, Registered
from dispatch.webhooks.events import TYPES
from tickets.errors import KeyReused
from tickets.serializers import Fields, NoInput
from tickets.wire import Text, YesNo, read, read_key

# --- Shapes -----------------------------------------------------------------------------------------------------------


class EventsField(serializers.ListField):
    child = serializers.ChoiceField(choices=[(name, name) for name in TYPES])


class WebhookData(Fields):
    id = serializers.IntegerField()
    url = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    events = serializers.ListField(child=serializers.CharField())
    enabled = serializers.SerializerMethodField()
    stopped_by = serializers.ChoiceField(
        choices=StoppedBy.choices, allow_blank=True, help_text="Empty: it is told."
    )
    stopped_at = serializers.DateTimeField(allow_null=True)
    made_at = serializers.DateTimeField()
    last_ok_at = serializers.DateTimeField(allow_null=True, help_text="When it last took one, to the minute.")
    old_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the secret before the last change signs too."
    )

    def get_enabled(self, endpoint: WebhookEndpoint) -> bool:
        return not endpoint.stopped_by


class WebhookSecretData(WebhookData):
    secret = serializers.CharField(
        allow_null=True, help_text="whsec_…, shown this once, to verify calls with."
    )


class WebhookNewInput(Fields):
    url = Text(max_length=LONGEST, help_text="https, on the public internet.")
    events = EventsField(min_length=1, max_length=len(TYPES))
    description = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)


class WebhookChangeInput(Fields):
    """What is left out stays."""

    url = Text(required=False, max_length=LONGEST)
    events = EventsField(required=False, min_length=1, max_length=len(TYPES))
    description = serializers.CharField(required=False, allow_blank=True, max_length=120)
    enabled = YesNo(required=False)


class TryData(Fields):
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="Null: no answer, for the reason `error`.")
    milliseconds = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True)
    answer = serializers.CharField(allow_blank=True, help_text="Its beginning.")


class DeliveryData(Fields):
    id = serializers.IntegerField()
    message_id = serializers.CharField(help_text="The header webhook-id.")
    type = serializers.CharField()
    happened_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    tries = serializers.IntegerField()
    due_at = serializers.DateTimeField(help_text="While it is pending: when it is tried next.")
    attempts = TryData(many=True)


class DeliveriesFilter(Fields):
    state = serializers.ChoiceField(choices=DeliveryState.choices, required=False)


# --- Views ------------------------------------------------------------------------------------------------------------


class WebhooksView(StaffList):
    scopes = {"get": "webhooks:manage", "post": "webhooks:manage"}
    serializer_class = WebhookData
    filters = NoFilter
    refuses = {**StaffList.refuses, "post": (BadWebhook, TooManyWebhooks, NoWebhookKey, KeyReused)}

    @extend_schema(operation_id="webhooks", tags=["webhooks"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Webhooks, newest first."""
        return super().get(request, *args, **kwargs)

    def rows(self, wanted: dict[str, Any]) -> QuerySet[WebhookEndpoint]:  # noqa: ARG002
        return WebhookEndpoint.objects.all()

    @extend_schema(
        operation_id="webhook_register",
        tags=["webhooks"],
        request=WebhookNewInput,
        responses={201: WebhookSecretData},
        examples=[
            OpenApiExample(
                "what becomes of tickets",
                {
                    "url": "https://hooks.shop.example/standby",
                    "events": ["ticket.opened", "ticket.resolved", "ticket.rated"],
                    "description": "Shop",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Register a webhook. The answer has the secret that calls are signed with; it is not told again."""
        key, data = read_key(request), read(WebhookNewInput, request)
        return _told(endpoints.endpoint_register(maker=self.throttle_who, key=key, **data), 201)


def _told(made: Registered, status: int = 200) -> Response:
    return Response({**WebhookData(made.endpoint).data, "secret": made.secret or None}, status=status)


class OneWebhook(StaffView):
    scopes = {"get": "webhooks:manage", "post": "webhooks:manage"}


class WebhookView(OneWebhook):
    refuses = {"get": (WebhookNotFound,)}

    @extend_schema(operation_id="webhook", tags=["webhooks"], responses=WebhookData)
    def get(self, request: Request, webhook_id: int) -> Response:  # noqa: ARG002
        """One webhook."""
        endpoint = WebhookEndpoint.objects.filter(pk=webhook_id).first()
        if endpoint is None:
            raise WebhookNotFound
        return Response(WebhookData(endpoint).data)


class WebhookChangeView(OneWebhook):
    refuses = {"post": (WebhookNotFound, BadWebhook)}

    @extend_schema(
        operation_id="webhook_change",
        tags=["webhooks"],
        request=WebhookChangeInput,
        responses={200: WebhookData},
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        """Change a webhook, stop it or start it again. What happens while it is stopped is not told later."""
        read_key(request)
        data = read(WebhookChangeInput, request)
        return Response(WebhookData(endpoints.endpoint_change(endpoint_id=webhook_id, **data)).data)


class WebhookRotateView(OneWebhook):
    refuses = {"post": (WebhookNotFound, NoWebhookKey)}

    @extend_schema(
        operation_id="webhook_rotate", tags=["webhooks"], request=None, responses={200: WebhookSecretData}
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        """Change the secret. For a day calls are signed with both."""
        key = read_key(request)
        read(NoInput, request)
        return _told(endpoints.endpoint_rotate(endpoint_id=webhook_id, maker=self.throttle_who, key=key))


class WebhookRemoveView(OneWebhook):
    @extend_schema(operation_id="webhook_remove", tags=["webhooks"], request=None, responses={204: None})
    def post(self, request: Request, webhook_id: int) -> Response:
        """Remove a webhook with its log. Twice is once."""
        read_key(request)
        read(NoInput, request)
        endpoints.endpoint_remove(endpoint_id=webhook_id)
        return Response(status=204)


class WebhookTestView(OneWebhook):
    refuses = {"post": (WebhookNotFound, WebhookStopped)}

    @extend_schema(
        operation_id="webhook_test", tags=["webhooks"], request=None, responses={202: DeliveryData}
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        """Have “webhook.test” sent; the deliveries tell how it went."""
        key = read_key(request)
        read(NoInput, request)
        made = endpoints.ping(endpoint_id=webhook_id, maker=self.throttle_who, key=key)
        return Response(DeliveryData(made).data, status=202)


class DeliveriesView(StaffList):
    scopes = {"get": "webhooks:manage"}
    serializer_class = DeliveryData
    filters = DeliveriesFilter
    refuses = {"get": (NotFound, WebhookNotFound)}

    @extend_schema(operation_id="webhook_deliveries", tags=["webhooks"], parameters=[DeliveriesFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What was told to a webhook in the last thirty days, newest first, with each try."""
        return super().get(request, *args, **kwargs)

    def rows(self, wanted: dict[str, Any]) -> QuerySet[WebhookDelivery]:
        endpoint = WebhookEndpoint.objects.filter(pk=self.kwargs["webhook_id"]).first()
        if endpoint is None:
            raise WebhookNotFound
        found = endpoint.deliveries.prefetch_related("attempts")
        return found.filter(state=wanted["state"]) if "state" in wanted else found


class DeliveryAgainView(OneWebhook):
    refuses = {"post": (DeliveryNotFound, WebhookStopped)}

    @extend_schema(
        operation_id="webhook_delivery_again",
        tags=["webhooks"],
        request=None,
        responses={202: OpenApiResponse(DeliveryData, description="It is sent soon, with the same id.")},
    )
    def post(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        """Send a delivery once more. One that is still to be sent stays as it is."""
        read_key(request)
        read(NoInput, request)
        made = endpoints.delivery_again(endpoint_id=webhook_id, delivery_id=delivery_id)
        return Response(DeliveryData(made).data, status=202)


urlpatterns = [
    path("webhooks", WebhooksView.as_view(), name="api-webhooks"),
    path("webhooks/<int:webhook_id>", WebhookView.as_view(), name="api-webhook"),
    path("webhooks/<int:webhook_id>/change", WebhookChangeView.as_view(), name="api-webhook-change"),
    path("webhooks/<int:webhook_id>/rotate", WebhookRotateView.as_view(), name="api-webhook-rotate"),
    path("webhooks/<int:webhook_id>/remove", WebhookRemoveView.as_view(), name="api-webhook-remove"),
    path("webhooks/<int:webhook_id>/test", WebhookTestView.as_view(), name="api-webhook-test"),
    path("webhooks/<int:webhook_id>/deliveries", DeliveriesView.as_view(), name="api-webhook-deliveries"),
    path(
        "webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/again",
        DeliveryAgainView.as_view(),
        name="api-webhook-delivery-again",
    ),
]
