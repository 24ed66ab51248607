"""REST under /api/v1/desk: putting a ticket aside and taking it up again; ending it as spam or abuse."""

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dispatch import misuse, snooze
from dispatch import serializers as shapes
from dispatch.api import OLD_SHIFT
from dispatch.api_desk import OneHeldView
from dispatch.errors import BadWakingTime, CustomerHasWritten, NotHolder, OnlyPractice
from tickets.errors import BadText, KeyReused, MessageTooLong, TicketClosed, TicketNotFound
from tickets.models import EndedAs, Ticket, TicketState
from tickets.wire import read, read_key


class Sleeping(OneHeldView):
    """Answers with the ticket as it is after the command."""

    def answer(self, ticket: Ticket) -> Response:
        ticket.refresh_from_db(fields=["state", "wakes_at"])
        return Response({"state": ticket.state, "wakes_at": ticket.wakes_at})


class DeskSnoozeView(Sleeping):
    refuses = {
        "post": (
            TicketNotFound, NotHolder, BadWakingTime, CustomerHasWritten, OnlyPractice, TicketClosed, *OLD_SHIFT, KeyReused,
        )
    }  # fmt: skip

    @extend_schema(
        operation_id="desk_snooze",
        tags=["desk"],
        request=shapes.SnoozeInput,
        responses={200: shapes.SnoozedAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Put the ticket aside until a time, or until the customer writes; again, with another time. It stays with this agent
        and takes no units."""
        key, data = read_key(request), read(shapes.SnoozeInput, request)
        ticket = self.held_once(public_id).ticket
        snooze.snooze(agent=self.agent, ticket_id=ticket.pk, key=key, **data)
        return self.answer(ticket)


class DeskWakeView(Sleeping):
    refuses = {"post": (TicketNotFound, NotHolder, *OLD_SHIFT, KeyReused)}

    @extend_schema(
        operation_id="desk_wake",
        tags=["desk"],
        request=shapes.EpochInput,
        responses={200: shapes.SnoozedAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Take the ticket up again before its time. One that is awake already is answered likewise."""
        key, data = read_key(request), read(shapes.EpochInput, request)
        ticket = self.held_once(public_id).ticket
        snooze.wake(agent=self.agent, ticket_id=ticket.pk, key=key, **data)
        return self.answer(ticket)


class DeskEndView(OneHeldView):
    refuses = {
        "post": (
            TicketNotFound, NotHolder, OnlyPractice, TicketClosed, *OLD_SHIFT, MessageTooLong, BadText, KeyReused,
        )
    }  # fmt: skip

    @extend_schema(
        operation_id="desk_end",
        tags=["desk"],
        request=shapes.EndInput,
        responses={200: shapes.StateAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """End the ticket as spam or abuse: its customer can neither rate nor open it again. Team leads see each, and can take
        it back."""
        key, data = read_key(request), read(shapes.EndInput, request)
        misuse.end_as(
            agent=self.agent,
            epoch=data["epoch"],
            ticket_id=self.held_once(public_id).ticket_id,
            kind=EndedAs(data["kind"]),
            note=data["note"],
            key=key,
        )
        return Response({"state": TicketState.CLOSED})


urlpatterns = [
    path("desk/<slug:public_id>/snooze", DeskSnoozeView.as_view(), name="api-desk-snooze"),
    path("desk/<slug:public_id>/wake", DeskWakeView.as_view(), name="api-desk-wake"),
    path("desk/<slug:public_id>/end", DeskEndView.as_view(), name="api-desk-end"),
]
