"""REST of an agent's payouts and statements, under /api/v1/."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from agents import serializers as shapes
from agents.api import AgentView
from agents.models import Payout
from agents.paging import NewestFirst
from agents.pay.ledger import payouts_of, standing
from agents.pay.statements import Statement, as_csv, as_pdf, month_begin, of_month, of_payout

PDF = {(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY)}
CSV = {(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)}


class StandingView(AgentView):
    @extend_schema(operation_id="earnings_sums", tags=["agents"], responses=shapes.StandingAnswer)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """What is owed and what was paid out, a currency each."""
        return Response({"sums": standing(self.agent.pk)})


class PayoutsView(AgentView, ListAPIView[Payout]):
    serializer_class = shapes.PayoutData
    pagination_class = NewestFirst
    refuses = {"get": (NotFound,)}

    @extend_schema(operation_id="payouts", tags=["agents"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The agent's payouts, newest first."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Payout]:
        if getattr(self, "swagger_fake_view", False):
            return Payout.objects.none()
        return payouts_of(self.agent.pk)


def _file(statement: Statement, content: bytes, form: str, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="standby-{statement.name}.{form}"'
    return response


def _pdf(statement: Statement) -> HttpResponse:
    return _file(statement, as_pdf(statement), "pdf", "application/pdf")


def _csv(statement: Statement) -> HttpResponse:
    return _file(statement, as_csv(statement), "csv", "text/csv; charset=utf-8")


class PayoutStatementView(AgentView):
    def statement(self, payout_id: int) -> Statement:
        payout = payouts_of(self.agent.pk).filter(pk=payout_id).first()
        if payout is None:
            raise NotFound
        return of_payout(payout)


class PayoutPdfView(PayoutStatementView):
    @extend_schema(operation_id="payout_pdf", tags=["agents"], responses=PDF)
    def get(self, request: Request, payout_id: int) -> HttpResponse:  # noqa: ARG002
        """The lines that a payout pays, as PDF in the language of Accept-Language."""
        return _pdf(self.statement(payout_id))


class PayoutCsvView(PayoutStatementView):
    @extend_schema(operation_id="payout_csv", tags=["agents"], responses=CSV)
    def get(self, request: Request, payout_id: int) -> HttpResponse:  # noqa: ARG002
        """The lines that a payout pays, as CSV."""
        return _csv(self.statement(payout_id))


class MonthStatementView(AgentView):
    def statement(self, month: str) -> Statement:
        begin: datetime | None = month_begin(month)
        if begin is None:
            raise NotFound
        return of_month(self.agent, begin)


class MonthPdfView(MonthStatementView):
    @extend_schema(operation_id="earnings_pdf", tags=["agents"], responses=PDF)
    def get(self, request: Request, month: str) -> HttpResponse:  # noqa: ARG002
        """All lines of a month (2026-11), as PDF in the language of Accept-Language."""
        return _pdf(self.statement(month))


class MonthCsvView(MonthStatementView):
    @extend_schema(operation_id="earnings_csv", tags=["agents"], responses=CSV)
    def get(self, request: Request, month: str) -> HttpResponse:  # noqa: ARG002
        """All lines of a month (2026-11), as CSV."""
        return _csv(self.statement(month))


urlpatterns = [
    path("earnings/sums", StandingView.as_view(), name="api-earnings-sums"),
    path("earnings/<slug:month>/statement.pdf", MonthPdfView.as_view(), name="api-earnings-pdf"),
    path("earnings/<slug:month>/statement.csv", MonthCsvView.as_view(), name="api-earnings-csv"),
    path("payouts", PayoutsView.as_view(), name="api-payouts"),
    path("payouts/<int:payout_id>/statement.pdf", PayoutPdfView.as_view(), name="api-payout-pdf"),
    path("payouts/<int:payout_id>/statement.csv", PayoutCsvView.as_view(), name="api-payout-csv"),
]
