"""REST under /api/v1/staff/tokens: API tokens of other systems, for accounts that may make them."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.generics import ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import agents.errors
from agents.errors import ScopeNotYours, TokenNotFound
from agents.models import ApiToken, User
from agents.paging import NewestFirst
from agents.permissions import everywhere
from agents.tokens import SCOPES, token_make, token_revoke
from tickets.errors import KeyReused
from tickets.serializers import Fields, NoInput
from tickets.wire import read, read_key


class TokenNewInput(Fields):
    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=[(scope, scope) for scope in SCOPES]),
        min_length=1,
        max_length=20,
    )
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Null: it has no end."
    )


class ApiTokenData(Fields):
    id = serializers.IntegerField()
    name = serializers.CharField()
    begin = serializers.CharField(help_text="How the token begins.")
    scopes = serializers.ListField(child=serializers.CharField())
    made_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    revoked_at = serializers.DateTimeField(allow_null=True)


class ApiTokenMadeData(ApiTokenData):
    token = serializers.CharField(
        allow_null=True, help_text="Shown this once; null when this Idempotency-Key has made it before."
    )


class MayMakeTokens(BasePermission):
    """Accounts with the permission. No token makes tokens."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002  DRF's signature
        return bool(request.user) and everywhere(request.user, "agents.add_apitoken")


class TokensView(ListAPIView[ApiToken]):
    permission_classes = (MayMakeTokens,)
    serializer_class = ApiTokenData
    pagination_class = NewestFirst
    queryset = ApiToken.objects.all()
    refuses = {"get": (NotFound, PermissionDenied), "post": (PermissionDenied, ScopeNotYours, KeyReused)}

    @extend_schema(operation_id="staff_tokens", tags=["staff"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """API tokens of other systems, newest first. For accounts alone."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="staff_token_make",
        tags=["staff"],
        request=TokenNewInput,
        responses={
            201: ApiTokenMadeData,
            200: OpenApiResponse(
                ApiTokenMadeData, description="This Idempotency-Key has made the token before."
            ),
        },
        examples=[
            OpenApiExample(
                "for a warehouse of data",
                {"name": "Warehouse", "scopes": ["tickets:read", "offers:read"], "expires_at": None},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make an API token for another system. It is shown this once; only scopes that you may use yourself."""
        key, data = read_key(request), read(TokenNewInput, request)
        assert isinstance(request.user, User)
        try:
            made = token_make(by=request.user, key=key, **data)
        except agents.errors.KeyReused:  # in the API's words
            raise KeyReused from None
        return Response(
            {**ApiTokenData(made.token).data, "token": made.secret or None},
            status=201 if made.secret else 200,
        )


class TokenRevokeView(APIView):
    permission_classes = (MayMakeTokens,)
    refuses = {"post": (PermissionDenied, TokenNotFound)}

    @extend_schema(
        operation_id="staff_token_revoke", tags=["staff"], request=None, responses={200: ApiTokenData}
    )
    def post(self, request: Request, token_id: int) -> Response:
        """Withdraw an API token, for good. Twice is once."""
        read_key(request)
        read(NoInput, request)
        return Response(ApiTokenData(token_revoke(token_id=token_id)).data)


urlpatterns = [
    path("staff/tokens", TokensView.as_view(), name="api-staff-tokens"),
    path("staff/tokens/<int:token_id>/revoke", TokenRevokeView.as_view(), name="api-staff-token-revoke"),
]
