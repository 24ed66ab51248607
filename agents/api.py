"""REST for agents under /api/v1/: token, me, earnings. Shifts and offers are dispatch's (dispatch/api.py)."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import authenticate
from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, NotFound
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents import serializers as shapes
from agents.accounts import AgentTokenAuthentication
from agents.errors import NotAnAgent, SecondFactor, SignInOver
from agents.limits import Guess
from agents.models import AccountToken, Agent, LedgerEntry, User
from agents.paging import NewestFirst
from agents.tokens import account_token_end, account_token_make


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
    permission_classes = (AllowAny,)
    throttle_scope = "token"
    throttle_methods = ("POST",)
    guess: Guess | None = None
    keyless = True  # no answer is kept that holds a token; one too many does no harm
    refuses = {"post": (AuthenticationFailed, NotAnAgent, SecondFactor), "delete": (AuthenticationFailed,)}

    def get_throttles(self) -> list[Any]:
        return super().get_throttles() if self.request.method in self.throttle_methods else []

    def check_throttles(self, request: Request) -> None:
        """Also the wrong passwords for an address, wherever they come from."""
        super().check_throttles(request)
        form = shapes.TokenInput(data=request.data) if request.method == "POST" else None
        if form is not None and form.is_valid():
            self.guess = Guess(request, form.validated_data["email"])

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self.guess is not None and response.status_code != AuthenticationFailed.status_code:
            self.guess.take_back()
        return super().finalize_response(request, response, *args, **kwargs)

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [AgentTokenAuthentication()] if self.request and self.request.method == "DELETE" else []

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002  DRF's signature
        return "Token"

    @extend_schema(
        operation_id="token",
        tags=["agents"],
        request=shapes.TokenInput,
        responses={200: shapes.TokenData},
    )
    def post(self, request: Request) -> Response:
        """A new API token of the agent, for one program; browsers sign in at the log-in page. 401 for wrong credentials.

        It is shown this once. An account has up to 20; beyond, the one that was not used for longest ends.
        """
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
        assert isinstance(user, User)
        try:
            return Response({"token": account_token_make(user=user)})
        except SignInOver:
            raise AuthenticationFailed from None

    @extend_schema(operation_id="token_end", tags=["agents"], request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """End the token that this request is signed in by. Sockets that are open with it are closed at their next beat."""
        if not isinstance(request.auth, AccountToken):
            raise NotAuthenticated
        account_token_end(token_id=request.auth.pk)
        return Response(status=204)


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
