"""REST under /api/v1/desk: other open tickets of a ticket's customer, and merging one."""

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dispatch import merging
from dispatch import serializers as shapes
from dispatch.api import OLD_SHIFT
from dispatch.api_desk import OneHeldView
from dispatch.errors import NotHolder, NotToMerge, OnlyPractice
from dispatch.models import OfferState
from tickets import masking
from tickets.errors import KeyReused, TicketClosed, TicketNotFound
from tickets.wire import read, read_key


class DeskDuplicatesView(OneHeldView):
    refuses = {"get": (TicketNotFound, NotHolder)}

    @extend_schema(operation_id="desk_duplicates", tags=["desk"], responses=shapes.DuplicateData(many=True))
    def get(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """Other open tickets of the same customer that can be merged into this one, newest first."""
        offer = self.held_once(public_id)
        if offer.state != OfferState.ACCEPTED:
            raise NotHolder
        found = merging.others_of([offer.ticket], self.agent.pk)[offer.ticket_id]
        return Response(
            [
                {
                    "id": one.public_id,
                    "number": one.number,
                    "topic": one.topic.key if one.topic else None,
                    "state": one.state,
                    "created_at": one.created_at.isoformat(),
                    "summary": masking.mask(one.summary, masking.surnames(one.customer.name)).text,
                }
                for one in found
            ]
        )


class DeskMergeView(OneHeldView):
    refuses = {
        "post": (TicketNotFound, NotHolder, NotToMerge, OnlyPractice, TicketClosed, *OLD_SHIFT, KeyReused)
    }

    @extend_schema(
        operation_id="desk_merge",
        tags=["desk"],
        request=shapes.MergeInput,
        responses={200: shapes.MergedAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Close another ticket of the same customer, which goes on as this one. It must wait, or be with this agent too; what
        the agent did there is paid as work that was passed on. A ticket of somebody else is not found."""
        key, data = read_key(request), read(shapes.MergeInput, request)
        offer = self.held_once(public_id)
        merging.merge(
            agent=self.agent, epoch=data["epoch"], ticket_id=offer.ticket_id, other=data["ticket"], key=key
        )
        return Response({"merged": data["ticket"], "into": public_id})


urlpatterns = [
    path("desk/<slug:public_id>/duplicates", DeskDuplicatesView.as_view(), name="api-desk-duplicates"),
    path("desk/<slug:public_id>/merge", DeskMergeView.as_view(), name="api-desk-merge"),
]
