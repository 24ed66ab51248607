"""REST for everybody under /api/v1/: how the promise of a person is kept."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dispatch import promise
from dispatch.rules.promise import Tally
from tickets.serializers import Fields


class KeptData(Fields):
    asked = serializers.IntegerField(help_text="Times that somebody wanted a person.")
    kept = serializers.IntegerField(help_text="A person came within the promised time.")
    missed = serializers.IntegerField(help_text="The promised time passed without one.")
    left = serializers.IntegerField(help_text="Needed none any more before it had passed.")
    pending = serializers.IntegerField(help_text="Still waiting, within the promised time.")
    share = serializers.FloatField(allow_null=True, help_text="Kept of kept and missed, 0 to 1.")
    median_seconds = serializers.FloatField(allow_null=True)
    p90_seconds = serializers.FloatField(allow_null=True, help_text="Nine of ten had a person within it.")
    longest_seconds = serializers.FloatField(
        allow_null=True,
        help_text="Of all waits: also of those who left before anybody came, and who still wait.",
    )
    longest_lasts = serializers.BooleanField(help_text="The longest wait is not over: so far.")


class KeptDayData(KeptData):
    day = serializers.DateField()


class PromiseData(Fields):
    whole = KeptData(help_text="All of these days.")
    days = KeptDayData(many=True)


class PromiseView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="promise", tags=["customers"], responses=PromiseData)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Time to a person, today and on the days before, in open hours."""
        days = promise.days()
        return Response(
            {
                "whole": _data(promise.total(day.tally for day in days)),
                "days": [{"day": day.day, **_data(day.tally)} for day in days],
            }
        )


def _data(tally: Tally) -> dict[str, Any]:
    return {
        "asked": tally.asked,
        "kept": tally.kept,
        "missed": tally.missed,
        "left": tally.left,
        "pending": tally.pending,
        "share": tally.share,
        "median_seconds": tally.median,
        "p90_seconds": tally.p90,
        "longest_seconds": tally.longest_of_all,
        "longest_lasts": tally.lasts,
    }


urlpatterns = [path("promise", PromiseView.as_view(), name="api-promise")]
