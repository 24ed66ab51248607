"""REST for team leads and auditors under /api/v1/: runs, what they decided and why, and why not."""

from typing import Any

from django.http import Http404
from django.urls import path
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.models import Agent
from agents.permissions import everywhere
from dispatch import decisions
from dispatch.models import Run
from dispatch.views.lead.access import SEES_RUNS
from tickets.errors import TicketNotFound
from tickets.models import Ticket
from tickets.serializers import Fields


class MayViewRuns(BasePermission):
    """Accounts that may see runs in the admin, signed in by token or session."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002  DRF's signature
        return bool(request.user) and everywhere(request.user, SEES_RUNS)


class PairData(Fields):
    ticket = serializers.CharField(allow_null=True, help_text="Public id; null when it was deleted since.")
    agent = serializers.IntegerField()
    turn = serializers.IntegerField(help_text="1: the ticket's first offer; 2 and 3: parallel ones.")
    terms = serializers.DictField(child=serializers.FloatField(), help_text="What the points are made of.")
    why = serializers.ListField(child=serializers.CharField(), help_text="What the agent was told.")


class RunData(Fields):
    id = serializers.IntegerField()
    pool = serializers.CharField()
    policy_version = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    tickets = serializers.IntegerField()
    agents = serializers.IntegerField()
    offers = serializers.IntegerField()
    verdict = serializers.ChoiceField(
        choices=["same", "differs", "unreadable"], help_text="Of solving it again from what it saw."
    )
    detail = serializers.CharField(allow_blank=True)
    pairs = PairData(many=True)


class WhyNotData(Fields):
    run = serializers.IntegerField(
        allow_null=True, help_text="The last run that offered the ticket to anybody."
    )
    why_not = serializers.ListField(child=serializers.CharField(), help_text="In sentences to the agent.")


class RunView(APIView):
    permission_classes = (MayViewRuns,)
    refuses = {"get": (NotFound, PermissionDenied)}

    @extend_schema(operation_id="run", tags=["decisions"], responses=RunData)
    def get(self, request: Request, run_id: int) -> Response:  # noqa: ARG002
        """One run, solved again from what it saw: its pairs and their reasons."""
        run = Run.objects.select_related("pool", "policy").filter(pk=run_id).first()
        if run is None:
            raise Http404
        found = decisions.replay(run)
        pairs = decisions.pairs_of(found, get_language() or "en") if found.solution else []
        return Response(
            {
                "id": run.pk,
                "pool": run.pool.key,
                "policy_version": run.policy.version,
                "started_at": run.started_at.isoformat(),
                "tickets": run.tickets,
                "agents": run.agents,
                "offers": run.offers,
                "verdict": found.verdict,
                "detail": found.detail,
                "pairs": [
                    {
                        "ticket": pair.ticket.public_id if pair.ticket else None,
                        "agent": pair.agent_id,
                        "turn": pair.reason["round"],
                        "terms": pair.reason["terms"],
                        "why": pair.lines,
                    }
                    for pair in pairs
                ],
            }
        )


class WhyNotView(APIView):
    permission_classes = (MayViewRuns,)
    refuses = {"get": (TicketNotFound, PermissionDenied)}

    @extend_schema(operation_id="why_not", tags=["decisions"], responses=WhyNotData)
    def get(self, request: Request, public_id: str, agent_id: int) -> Response:  # noqa: ARG002
        """Why the last run that offered this ticket did not offer it to this agent; or that it did."""
        ticket = Ticket.objects.filter(public_id=public_id).first()
        if ticket is None:
            raise TicketNotFound
        if not Agent.objects.filter(pk=agent_id).exists():
            raise Http404
        run = decisions.last_run_of(ticket.pk)
        lines = decisions.why_not(run, ticket.pk, agent_id, get_language() or "en") if run else []
        return Response({"run": run.pk if run else None, "why_not": lines})


urlpatterns = [
    path("runs/<int:run_id>", RunView.as_view(), name="api-run"),
    path("tickets/<slug:public_id>/why-not/<int:agent_id>", WhyNotView.as_view(), name="api-why-not"),
]
