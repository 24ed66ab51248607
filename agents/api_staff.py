"""REST for team leads and other systems under /api/v1/staff/: agents, shifts, pools, skills.

Views here and in dispatch/api_staff.py take an API token with the scope that they name, or an account with its permission.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.accounts import AgentTokenAuthentication, ScopedTokenAuthentication
from agents.errors import ScopeMissing
from agents.models import Agent, AgentSkill, AgentStatus, ApiToken, Pool, Shift, ShiftState, Skill
from agents.paging import NewestFirst
from agents.permissions import everywhere
from agents.tokens import SCOPES

Fields = serializers.Serializer[Any]
MAX_WHOLE = 2**31 - 1


# --- Who may ----------------------------------------------------------------------------------------------------------


class InScope(BasePermission):
    """An API token with the scope that the view names for this method, or an account with its permission."""

    def has_permission(self, request: Request, view: Any) -> bool:
        method = "get" if request.method == "HEAD" else str(request.method).lower()
        scope = view.scopes.get(method)
        if scope is None:  # there is no such method, which is said later
            return bool(request.user.is_authenticated)
        if isinstance(request.auth, ApiToken):
            if scope not in request.auth.scopes:
                raise ScopeMissing
            return True
        return bool(request.user) and everywhere(request.user, SCOPES[scope].permission)


class StaffView(APIView):
    """`scopes`: method → the scope that it wants."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (
        ScopedTokenAuthentication,
        AgentTokenAuthentication,
        SessionAuthentication,
    )
    permission_classes: Sequence[type[BasePermission]] = (InScope,)
    scopes: Mapping[str, str]
    throttle_scope = "staff"

    @property
    def throttle_who(self) -> str:
        """Whose requests are counted together."""
        auth = self.request.auth
        return f"token:{auth.pk}" if isinstance(auth, ApiToken) else f"account:{self.request.user.pk}"


class StaffList(StaffView, ListAPIView[Any]):
    """A list in pages. `filters`: serializer of its query string; `rows`: what its filters leave."""

    pagination_class = NewestFirst
    filters: type[Fields]
    refuses: Mapping[str, tuple[type[Exception], ...]] = {"get": (NotFound,)}

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return Agent.objects.none()
        form = self.filters(data=self.request.query_params)
        form.is_valid(raise_exception=True)
        return self.rows(dict(form.validated_data))

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Any]:
        raise NotImplementedError


# --- Shapes -----------------------------------------------------------------------------------------------------------


class NoFilter(Fields):
    """A list without filters."""


class HasData(Fields):
    key = serializers.CharField(source="skill.key")
    level = serializers.IntegerField()
    certified_until = serializers.DateField(allow_null=True)


class StaffAgentData(Fields):
    id = serializers.IntegerField()
    name = serializers.CharField(help_text="As customers see it.")
    status = serializers.ChoiceField(choices=AgentStatus.choices)
    languages = serializers.ListField(child=serializers.CharField())
    units = serializers.IntegerField(help_text="Capacity, in units of attention.")
    pools = serializers.SerializerMethodField()
    skills = HasData(many=True, source="agent_skills")
    shift = serializers.SerializerMethodField(help_text="State of the shift that is open, or null.")

    def get_pools(self, agent: Agent) -> list[str]:
        return [pool.key for pool in agent.pools.all()]  # read with the page

    def get_shift(self, agent: Any) -> str | None:
        return agent.open_shifts[0].state if agent.open_shifts else None


class AgentsFilter(Fields):
    status = serializers.ChoiceField(choices=AgentStatus.choices, required=False)
    pool = serializers.SlugRelatedField("key", queryset=Pool.objects, required=False)
    skill = serializers.SlugRelatedField("key", queryset=Skill.objects, required=False)
    shift = serializers.ChoiceField(
        choices=[one for one in ShiftState.choices if one[0] != ShiftState.ENDED],
        required=False,
        help_text="Whose open shift is in this state.",
    )


class StaffShiftData(Fields):
    id = serializers.IntegerField()
    agent = serializers.IntegerField(source="agent_id")
    epoch = serializers.IntegerField()
    state = serializers.ChoiceField(choices=ShiftState.choices)
    units = serializers.IntegerField()
    units_taken = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.CharField(allow_blank=True)


class ShiftsFilter(Fields):
    agent = serializers.IntegerField(required=False, min_value=1, max_value=MAX_WHOLE)
    state = serializers.ChoiceField(choices=ShiftState.choices, required=False)
    started_since = serializers.DateTimeField(required=False)


class StaffNamedData(Fields):
    id = serializers.IntegerField()
    key = serializers.CharField()
    name = serializers.CharField(help_text="In the language of Accept-Language.")


# --- People -----------------------------------------------------------------------------------------------------------


class StaffAgentsView(StaffList):
    scopes = {"get": "agents:read"}
    serializer_class = StaffAgentData
    filters = AgentsFilter

    @extend_schema(operation_id="staff_agents", tags=["staff"], parameters=[AgentsFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Agents with their skills, pools and open shift, newest first. No address is told."""
        return super().get(request, *args, **kwargs)

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Agent]:
        found = Agent.objects.prefetch_related(
            "pools",
            Prefetch("agent_skills", AgentSkill.objects.select_related("skill").order_by("skill__key")),
            Prefetch(
                "shifts",
                Shift.objects.filter(ended_at__isnull=True, practice=False),
                to_attr="open_shifts",
            ),
        )
        if "status" in wanted:
            found = found.filter(status=wanted["status"])
        if "pool" in wanted:
            found = found.filter(pk__in=wanted["pool"].members.values("pk"))
        if "skill" in wanted:
            found = found.filter(pk__in=wanted["skill"].agent_skills.values("agent"))
        if "shift" in wanted:
            at_work = Shift.objects.filter(state=wanted["shift"], practice=False)
            found = found.filter(pk__in=at_work.values("agent"))
        return found


class StaffShiftsView(StaffList):
    scopes = {"get": "agents:read"}
    serializer_class = StaffShiftData
    filters = ShiftsFilter

    @extend_schema(operation_id="staff_shifts", tags=["staff"], parameters=[ShiftsFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Shifts, newest first, but for those of practice."""
        return super().get(request, *args, **kwargs)

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Shift]:
        found = Shift.objects.filter(practice=False)
        if "agent" in wanted:
            found = found.filter(agent_id=wanted["agent"])
        if "state" in wanted:
            found = found.filter(state=wanted["state"])
        if "started_since" in wanted:
            found = found.filter(started_at__gte=wanted["started_since"])
        return found


class StaffPoolsView(StaffList):
    scopes = {"get": "agents:read"}
    serializer_class = StaffNamedData
    filters = NoFilter

    @extend_schema(operation_id="staff_pools", tags=["staff"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Pools."""
        return super().get(request, *args, **kwargs)

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Pool]:  # noqa: ARG002
        return Pool.objects.all()


class StaffSkillsView(StaffList):
    scopes = {"get": "agents:read"}
    serializer_class = StaffNamedData
    filters = NoFilter

    @extend_schema(operation_id="staff_skills", tags=["staff"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Skills."""
        return super().get(request, *args, **kwargs)

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Skill]:  # noqa: ARG002
        return Skill.objects.all()


urlpatterns = [
    path("staff/agents", StaffAgentsView.as_view(), name="api-staff-agents"),
    path("staff/shifts", StaffShiftsView.as_view(), name="api-staff-shifts"),
    path("staff/pools", StaffPoolsView.as_view(), name="api-staff-pools"),
    path("staff/skills", StaffSkillsView.as_view(), name="api-staff-skills"),
]
