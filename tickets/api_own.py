"""REST for customers under /api/v1/: what is theirs, their address, their word on us and their data."""

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from tickets import blocking, lifecycle
from tickets import serializers as shapes
from tickets.addresses import address_read, ticket_address
from tickets.api import TicketCommandView, TicketView, address_count
from tickets.erasing import ticket_erase
from tickets.errors import (
    AddressKnown,
    AlreadyRated,
    BadAddress,
    BadText,
    Blocked,
    KeyReused,
    MessageTooLong,
    TicketClosed,
    TicketNotResolved,
)
from tickets.wire import read, read_key


class AddressView(TicketCommandView):
    refuses = {"post": (BadAddress, Blocked, Throttled, AddressKnown, TicketClosed, KeyReused)}

    @extend_schema(
        operation_id="ticket_address",
        tags=["customers"],
        request=shapes.AddressInput,
        responses={200: shapes.TicketData},
    )
    def post(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """Leave an e-mail address, where none was left before. Limits and blocks are those of opening a ticket with it."""
        key, data = read_key(request), read(shapes.AddressInput, request)
        email = address_read(data["email"])
        blocking.check(email=email, address="")
        address_count(request, email)
        ticket_address(ticket=self.ticket, email=email, key=key)
        return self.done()


class EraseView(TicketView):
    @extend_schema(operation_id="ticket_erase", tags=["customers"], request=None, responses={204: None})
    def post(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """Delete what was said. The ticket ends, and its private link opens nothing any more."""
        read(shapes.NoInput, request)
        ticket_erase(ticket=self.ticket)
        return Response(status=204)


class RatingView(TicketCommandView):
    refuses = {"post": (TicketNotResolved, AlreadyRated, MessageTooLong, BadText, KeyReused)}

    @extend_schema(
        operation_id="ticket_rate",
        tags=["customers"],
        request=shapes.RatingInput,
        responses={200: shapes.TicketData},
    )
    def post(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """Rate the last resolution, once."""
        key, data = read_key(request), read(shapes.RatingInput, request)
        lifecycle.ticket_rate(ticket=self.ticket, key=key, **data)
        return self.done()


urlpatterns = [
    path("tickets/<slug:public_id>/rating", RatingView.as_view(), name="api-ticket-rating"),
    path("tickets/<slug:public_id>/address", AddressView.as_view(), name="api-ticket-address"),
    path("tickets/<slug:public_id>/erase", EraseView.as_view(), name="api-ticket-erase"),
]
