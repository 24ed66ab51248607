"""REST for team leads and other systems under /api/v1/staff/: tickets and offers, with personal data masked as for agents."""

from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import path
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api_staff import StaffList, StaffView
from agents.models import Pool
from dispatch import routes
from dispatch.models import Offer, OfferState
from tickets import masking, stream
from tickets import serializers as ticket_shapes
from tickets.access import link_path, token_of
from tickets.api import TEXT_REFUSALS
from tickets.errors import TicketNotFound, UnknownTopic
from tickets.intake import key_of, ticket_open
from tickets.models import Channel, EndedAs, Ticket, TicketEvent, TicketState, Topic
from tickets.serializers import Fields
from tickets.wire import MAX_WHOLE, read, read_key, read_query

# --- Shapes -----------------------------------------------------------------------------------------------------------


class StaffCustomerData(Fields):
    id = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True, help_text="The surname is masked.")
    email = serializers.CharField(allow_blank=True, help_text="Masked.")


class StaffTicketRow(Fields):
    """A ticket as it is listed. `id` names it in addresses; `number` is what people say."""

    id = serializers.CharField(source="public_id")
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=TicketState.choices)
    ended_as = serializers.ChoiceField(
        choices=EndedAs.choices, allow_blank=True, help_text="Empty unless it was ended other than by help."
    )
    topic = serializers.CharField(source="topic.key", allow_null=True, default=None)
    language = serializers.CharField()
    channel = serializers.ChoiceField(choices=[one for one in Channel.choices if one[0] != Channel.PRACTICE])
    priority = serializers.IntegerField()
    summary = serializers.SerializerMethodField(help_text="Personal data in it is masked.")
    customer = serializers.SerializerMethodField()
    holder = serializers.IntegerField(allow_null=True, help_text="The agent who has it now.")
    place = serializers.IntegerField(allow_null=True, help_text="Place in the queue.")
    human_requested_at = serializers.DateTimeField(allow_null=True)
    flagged_at = serializers.DateTimeField(
        allow_null=True, help_text="Since when nobody online could take it."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="When the last of its events was recorded.")
    waiting_since = serializers.DateTimeField()
    first_held_at = serializers.DateTimeField(allow_null=True, help_text="When a person first had it.")
    resolved_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    wakes_at = serializers.DateTimeField(allow_null=True)
    last_seq = serializers.IntegerField(help_text="Number of its last event.")

    def get_summary(self, ticket: Ticket) -> str:
        return masking.mask(ticket.summary, masking.surnames(ticket.customer.name)).text

    @extend_schema_field(StaffCustomerData)
    def get_customer(self, ticket: Ticket) -> dict[str, Any]:
        customer = ticket.customer
        return {
            "id": customer.pk,
            "name": masking.mask_name(customer.name).text,
            "email": masking.mask_email(customer.email).text,
        }


class StaffTicketData(StaffTicketRow):
    messages = ticket_shapes.ListedMessageData(many=True)


class TicketsFilter(Fields):
    state = serializers.ChoiceField(choices=TicketState.choices, required=False)
    topic = serializers.SlugRelatedField("key", queryset=Topic.objects, required=False)
    pool = serializers.SlugRelatedField(
        "key",
        queryset=Pool.objects,
        required=False,
        help_text="Whose route of its topic begins in this pool.",
    )
    language = serializers.ChoiceField(choices=settings.LANGUAGES, required=False)
    holder = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_WHOLE, help_text="The agent who has it now."
    )
    customer = serializers.IntegerField(required=False, min_value=1, max_value=MAX_WHOLE)
    created_since = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)
    updated_since = serializers.DateTimeField(
        required=False, help_text="Of which an event was recorded since then."
    )


class StaffOfferData(Fields):
    id = serializers.IntegerField()
    ticket = serializers.CharField(source="ticket.public_id")
    agent = serializers.IntegerField(source="agent_id")
    pool = serializers.CharField(source="run.pool.key")
    state = serializers.ChoiceField(choices=OfferState.choices)
    automatic = serializers.BooleanField(help_text="Accepted for the agent, who had asked for that.")
    made_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class OffersFilter(Fields):
    state = serializers.ChoiceField(choices=OfferState.choices, required=False)
    agent = serializers.IntegerField(required=False, min_value=1, max_value=MAX_WHOLE)
    ticket = serializers.CharField(required=False, max_length=12)
    pool = serializers.SlugRelatedField("key", queryset=Pool.objects, required=False)
    made_since = serializers.DateTimeField(required=False)


# --- Tickets ----------------------------------------------------------------------------------------------------------


def _tickets() -> QuerySet[Ticket]:
    """With holder and the time of the last event: one query however many there are. Practice is none of a customer."""
    holding = Offer.objects.filter(ticket=OuterRef("pk"), state=OfferState.ACCEPTED)
    last = TicketEvent.objects.filter(ticket=OuterRef("pk"), seq=OuterRef("last_seq"))
    return (
        Ticket.objects.filter(Ticket.REAL)
        .select_related("topic", "customer")
        .annotate(
            holder=Subquery(holding.values("agent")[:1]), updated_at=Subquery(last.values("created_at")[:1])
        )
    )


def _begins_in(pool: Pool) -> Q:
    """Tickets whose route begins in this pool."""
    plan = routes.routes()
    elsewhere = [topic_id for topic_id, route in plan.by_topic.items() if route.pool_id != pool.pk]
    here = [topic_id for topic_id, route in plan.by_topic.items() if route.pool_id == pool.pk]
    if plan.default is not None and plan.default.pool_id == pool.pk:
        return Q(topic__isnull=True) | ~Q(topic__in=elsewhere)
    return Q(topic__in=here)


class StaffTicketsView(StaffList):
    scopes = {"get": "tickets:read", "post": "tickets:write"}
    serializer_class = StaffTicketRow
    filters = TicketsFilter
    refuses = {**StaffList.refuses, "post": (*TEXT_REFUSALS, UnknownTopic)}

    @extend_schema(operation_id="staff_tickets", tags=["staff"], parameters=[TicketsFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Tickets of customers, newest first by number.

        A number may have lain ready for some seconds, so an older ticket may stand before a newer one. For what is new
        since you last asked, use `created_since` or `updated_since`.
        """
        return super().get(request, *args, **kwargs)

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Ticket]:
        found = _tickets()
        for name in ("state", "topic", "language", "customer"):
            if name in wanted:
                found = found.filter(**{name: wanted[name]})
        if "pool" in wanted:
            found = found.filter(_begins_in(wanted["pool"]))
        if "holder" in wanted:
            found = found.filter(
                pk__in=Offer.objects.filter(agent=wanted["holder"], state=OfferState.ACCEPTED).values(
                    "ticket"
                )
            )
        if "created_since" in wanted:
            found = found.filter(created_at__gte=wanted["created_since"])
        if "created_before" in wanted:
            found = found.filter(created_at__lt=wanted["created_before"])
        if "updated_since" in wanted:
            since = TicketEvent.objects.filter(created_at__gte=wanted["updated_since"])
            found = found.filter(Exists(since.filter(ticket=OuterRef("pk"))))
        return found

    @extend_schema(
        operation_id="staff_ticket_open",
        tags=["staff"],
        request=ticket_shapes.OpenInput,
        responses={
            201: ticket_shapes.OpenedData,
            200: OpenApiResponse(
                ticket_shapes.OpenedData, description="This Idempotency-Key has opened the ticket before."
            ),
        },
        examples=[
            OpenApiExample(
                "from a shop's own form",
                {
                    "text": "Where is my refund?",
                    "name": "Carla",
                    "email": "carla@customers.example",
                    "topic": "refund",
                    "language": "en",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Open a ticket for a customer. The answer has its private link, which opens the ticket for whoever has it."""
        key, data = read_key(request), read(ticket_shapes.OpenInput, request)
        opened = ticket_open(
            text=data["text"],
            name=data["name"],
            email=data["email"],
            topic_key=data["topic"],
            chosen_language=data["language"],
            channel=Channel.API,
            # Another's same key is another ticket.
            key=key_of("staff", key and f"{self.throttle_who} {key}"),
        )
        ticket = opened.ticket
        return Response(
            {
                "id": ticket.public_id,
                "number": ticket.number,
                "state": ticket.state,
                "token": token_of(ticket),
                "link": settings.BASE_URL + link_path(ticket),
                "language": ticket.language,
                "created_at": ticket.created_at.isoformat(),
            },
            status=201 if opened.created else 200,
        )


class OneTicket(StaffView):
    scopes = {"get": "tickets:read"}
    refuses = {"get": (TicketNotFound,)}

    def ticket_named(self, public_id: str) -> Ticket:
        ticket = _tickets().filter(public_id=public_id).first()
        if ticket is None:
            raise TicketNotFound
        return ticket


class StaffTicketView(OneTicket):
    @extend_schema(operation_id="staff_ticket", tags=["staff"], responses=StaffTicketData)
    def get(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """One ticket with its messages and notes."""
        ticket = self.ticket_named(public_id)
        messages = stream.snapshot(ticket, staff=True)["data"]["messages"]
        return Response({**StaffTicketRow(ticket).data, "messages": messages})


class StaffEventsView(OneTicket):
    @extend_schema(
        operation_id="staff_ticket_events",
        tags=["staff"],
        parameters=[ticket_shapes.EventsInput],
        responses=ticket_shapes.FramesData,
    )
    def get(self, request: Request, public_id: str) -> Response:
        """The ticket's events above a number, as the desk's socket sends them."""
        after = read_query(ticket_shapes.EventsInput, request)["after"]
        ticket = self.ticket_named(public_id)
        frames = stream.frames_after(ticket.pk, ticket.stream, after, staff=True)
        if frames is None:
            frames = [stream.snapshot(ticket, staff=True)]
        return Response(
            {"frames": frames, "seq": max([ticket.last_seq, *(frame["seq"] for frame in frames)])}
        )


# --- Offers -----------------------------------------------------------------------------------------------------------


class StaffOffersView(StaffList):
    scopes = {"get": "offers:read"}
    serializer_class = StaffOfferData
    filters = OffersFilter

    @extend_schema(operation_id="staff_offers", tags=["staff"], parameters=[OffersFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Offers, newest first, but for those of practice."""
        return super().get(request, *args, **kwargs)

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Offer]:
        found = Offer.objects.filter(run__isnull=False).select_related("ticket", "run__pool")
        if "state" in wanted:
            found = found.filter(state=wanted["state"])
        if "agent" in wanted:
            found = found.filter(agent_id=wanted["agent"])
        if "ticket" in wanted:
            found = found.filter(ticket__public_id=wanted["ticket"])
        if "pool" in wanted:
            found = found.filter(run__pool=wanted["pool"])
        if "made_since" in wanted:
            found = found.filter(made_at__gte=wanted["made_since"])
        return found


urlpatterns = [
    path("staff/tickets", StaffTicketsView.as_view(), name="api-staff-tickets"),
    path("staff/tickets/<slug:public_id>", StaffTicketView.as_view(), name="api-staff-ticket"),
    path("staff/tickets/<slug:public_id>/events", StaffEventsView.as_view(), name="api-staff-ticket-events"),
    path("staff/offers", StaffOffersView.as_view(), name="api-staff-offers"),
]
