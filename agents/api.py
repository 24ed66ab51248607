"""REST for agents under /api/v1/: token, me, earnings. Shifts and offers are dispatch's (dispatch/api.py)."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import authenticate
from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents import serializers as shapes
from agents.errors import NotAnAgent, SecondFactor
from agents.models import Agent, LedgerEntry
from agents.paging import NewestFirst


class AgentView(APIView):
    """A view for agents, signed in by token or session (then with CSRF token); the account's rights matter nothing here."""

    agent: Agent

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        assert request.user.is_authenticated  # the default permission
        try:
            self.agent = request.user.agent  # with a token it has been read with the account
        except Agent.DoesNotExist:
            raise NotAnAgent from None


class TokenView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_scope = "token"
    keyless = True  # asking again gives the same token anyway
    refuses = {"post": (AuthenticationFailed, NotAnAgent, SecondFactor)}

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002  DRF's signature
        return "Token"

    @extend_schema(
        operation_id="token",
        tags=["agents"],
        request=shapes.TokenInput,
        responses={200: shapes.TokenData},
    )
    def post(self, request: Request) -> Response:
        """The agent's API token, for programs; browsers sign in at the log-in page. 401 for wrong credentials."""
        form = shapes.TokenInput(data=request.data)
        form.is_valid(raise_exception=True)
        user = authenticate(
            request._request, username=form.validated_data["email"], password=form.validated_data["password"]
        )
        if user is None:
            raise AuthenticationFailed
        if not Agent.objects.filter(user_id=user.pk).exists():
            raise NotAnAgent
        if is_mfa_enabled(user):
            # A password alone must not open what the owner has put a second lock on.
            raise SecondFactor
        token, _made = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})


class MeView(AgentView):
    @extend_schema(operation_id="me", tags=["agents"], responses=shapes.MeData)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Who is signed in."""
        agent = self.agent
        return Response(
            {
                "id": agent.pk,
                "name": agent.name,
                "email": agent.user.email,
                "languages": agent.languages,
                "skills": [
                    {
                        "key": has.skill.key,
                        "name": has.skill.name,
                        "level": has.level,
                        "certified_until": has.certified_until,
                    }
                    for has in agent.agent_skills.select_related("skill").order_by("skill__key")
                ],
                "pools": list(agent.pools.order_by("key").values_list("key", flat=True)),
                "auto_accept": agent.auto_accept,
                "stream": f"agent:{agent.pk}",
            }
        )


class EarningsView(AgentView, ListAPIView[LedgerEntry]):
    serializer_class = shapes.EarningData
    pagination_class = NewestFirst
    refuses = {"get": (NotFound,)}

    @extend_schema(operation_id="earnings", tags=["agents"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The lines of the agent's ledger, newest first."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[LedgerEntry]:
        if getattr(self, "swagger_fake_view", False):
            return LedgerEntry.objects.none()
        return LedgerEntry.objects.filter(agent=self.agent)


urlpatterns = [
    path("token", TokenView.as_view(), name="api-token"),
    path("me", MeView.as_view(), name="api-me"),
    path("earnings", EarningsView.as_view(), name="api-earnings"),
]
