"""REST for agents at work under /api/v1/: shift, offers; and the files of a ticket, for its customer or holder."""

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.accounts import AgentTokenAuthentication
from agents.api import AgentView
from agents.errors import AgentFull, NotAdmitted, NotOnline, Practising, ShiftEnded
from agents.models import Agent, Shift
from dispatch import cards, keys, looks, presence
from dispatch import serializers as shapes
from dispatch.automatic import auto_accept_choose
from dispatch.errors import (
    BadKeys,
    OfferExpired,
    OfferGone,
    OfferNotFound,
)
from dispatch.looks import ShiftRow
from dispatch.models import Offer, OfferState
from dispatch.offers import offer_accept, offer_decline
from tickets.api import (
    AttachmentView,
    TicketAuthentication,
)
from tickets.errors import BadText, KeyReused, MessageTooLong
from tickets.masking import mask_file
from tickets.models import Attachment, Author, Message, Ticket
from tickets.serializers import NoInput
from tickets.wire import read, read_key

OLD_SHIFT = (ShiftEnded, NotOnline)


def language_of(request: Request, agent: Agent) -> str:
    """The language to answer in: what the client asks for, else the account's."""
    return get_language() or "en" if "Accept-Language" in request.headers else agent.user.language


# --- Shift ------------------------------------------------------------------------------------------------------------


class ShiftAnswering(AgentView):
    """Answers with the shift as it is after the command."""

    def now(self) -> Response:
        return self.answer(looks.look(self.agent.pk).shift)

    def answer(self, shift: Shift | ShiftRow | None) -> Response:
        data = cards.shift_data(shift)
        if shift is not None and data is not None:
            data |= {"units": shift.units, "units_taken": shift.units_taken}
        return Response({"shift": data})


class ShiftView(ShiftAnswering):
    @extend_schema(operation_id="shift", tags=["shift"], responses=shapes.ShiftAnswer)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """The shift that is open, or null."""
        return self.now()


class OnlineView(ShiftAnswering):
    refuses = {"post": (NotAdmitted, Practising, ShiftEnded, KeyReused)}

    @extend_schema(
        operation_id="shift_online", tags=["shift"], request=None, responses={200: shapes.ShiftAnswer}
    )
    def post(self, request: Request) -> Response:
        """Go online, or return from a pause. Doing it twice, or in a second tab, gives the same shift."""
        key = read_key(request)
        read(NoInput, request)
        presence.go_online(agent_id=self.agent.pk, key=key)
        return self.now()


class PauseView(ShiftAnswering):
    refuses = {"post": (*OLD_SHIFT, Practising, MessageTooLong, BadText, KeyReused)}

    @extend_schema(
        operation_id="shift_pause",
        tags=["shift"],
        request=shapes.ReasonInput,
        responses={200: shapes.ShiftAnswer},
    )
    def post(self, request: Request) -> Response:
        """Nothing new for a while; open offers are taken back, held tickets stay."""
        key, data = read_key(request), read(shapes.ReasonInput, request)
        presence.pause(agent_id=self.agent.pk, key=key, **data)
        return self.now()


class FinishView(ShiftAnswering):
    refuses = {"post": (*OLD_SHIFT, Practising, KeyReused)}

    @extend_schema(
        operation_id="shift_finish",
        tags=["shift"],
        request=shapes.EpochInput,
        responses={200: shapes.ShiftAnswer},
    )
    def post(self, request: Request) -> Response:
        """Nothing new any more; held tickets are brought to their end."""
        key, data = read_key(request), read(shapes.EpochInput, request)
        presence.finish(agent_id=self.agent.pk, key=key, **data)
        return self.now()


class OfflineView(ShiftAnswering):
    refuses = {"post": (*OLD_SHIFT, KeyReused)}

    @extend_schema(
        operation_id="shift_offline",
        tags=["shift"],
        request=shapes.EpochInput,
        responses={200: shapes.ShiftAnswer},
    )
    def post(self, request: Request) -> Response:
        """End the shift. Held tickets go back to the queue with their age."""
        key, data = read_key(request), read(shapes.EpochInput, request)
        presence.go_offline(agent_id=self.agent.pk, key=key, **data)
        return self.now()


class BeatView(ShiftAnswering):
    refuses = {"post": OLD_SHIFT}

    @extend_schema(
        operation_id="shift_beat",
        tags=["shift"],
        request=shapes.EpochInput,
        responses={200: shapes.ShiftAnswer},
    )
    def post(self, request: Request) -> Response:
        """The client is still there. Every 5 s; after 15 s without, offers are taken back. Sockets have their own beat."""
        read_key(request)
        shift = presence.beat(agent_id=self.agent.pk, **read(shapes.EpochInput, request))
        return (
            self.answer(shift) if shift.lost_at is None else self.now()
        )  # who was lost is found by the beat


class AutoAcceptView(AgentView):
    refuses = {"post": (KeyReused,)}

    @extend_schema(
        operation_id="auto_accept",
        tags=["shift"],
        request=shapes.AutoAcceptInput,
        responses={200: shapes.AutoAcceptAnswer},
    )
    def post(self, request: Request) -> Response:
        """Have fitting tickets accepted for this agent at once, or be asked again. Kept over shifts; `me` tells it."""
        key, data = read_key(request), read(shapes.AutoAcceptInput, request)
        on = auto_accept_choose(agent_id=self.agent.pk, on=data["auto_accept"], key=key)
        return Response({"auto_accept": on})


class KeysView(AgentView):
    refuses = {"post": (BadKeys,)}

    @extend_schema(operation_id="keys", tags=["shift"], responses=shapes.KeysShape)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Which key of the console does what; "" is none."""
        return Response({"keys": keys.of(self.agent)})

    @extend_schema(
        operation_id="keys_choose",
        tags=["shift"],
        request=shapes.KeysShape,
        responses={200: shapes.KeysShape},
    )
    def post(self, request: Request) -> Response:
        """Set keys; actions that are left out stay. Kept with the account."""
        data = read(shapes.KeysShape, request)
        return Response({"keys": keys.choose(agent=self.agent, keys=data["keys"])})


# --- Offers -----------------------------------------------------------------------------------------------------------


class OffersView(AgentView):
    @extend_schema(operation_id="offers", tags=["offers"], responses=shapes.CardsAnswer)
    def get(self, request: Request) -> Response:
        """Offers that wait for this agent's answer."""
        language = language_of(request, self.agent)
        look = looks.look(self.agent.pk)
        return Response({"offers": [cards.card(row, look.plan, language) for row in look.cards]})


class OfferView(AgentView):
    refuses = {"get": (OfferNotFound,)}

    @extend_schema(operation_id="offer", tags=["offers"], responses=shapes.OfferData)
    def get(self, request: Request, offer_id: int) -> Response:
        """One offer of this agent, whatever became of it."""
        state = Offer.objects.filter(pk=offer_id, agent=self.agent).values_list("state", flat=True).first()
        if state is None:
            raise OfferNotFound
        card = cards.offer_cards([offer_id], language_of(request, self.agent))[offer_id]
        return Response({**card, "state": state})


class AcceptView(AgentView):
    refuses = {"post": (OfferNotFound, OfferGone, OfferExpired, AgentFull, *OLD_SHIFT, KeyReused)}

    @extend_schema(
        operation_id="offer_accept",
        tags=["offers"],
        request=shapes.EpochInput,
        responses={200: shapes.AcceptedAnswer},
    )
    def post(self, request: Request, offer_id: int) -> Response:
        """Take the ticket. Of several agents exactly one can; accepting again gives the same answer."""
        key, data = read_key(request), read(shapes.EpochInput, request)
        offer = offer_accept(offer_id=offer_id, agent_id=self.agent.pk, key=key, **data)
        return Response({"offer": offer.pk, "state": OfferState.ACCEPTED, "ticket": offer.ticket.public_id})


class DeclineView(AgentView):
    refuses = {
        "post": (OfferNotFound, OfferGone, OfferExpired, *OLD_SHIFT, MessageTooLong, BadText, KeyReused)
    }

    @extend_schema(
        operation_id="offer_decline",
        tags=["offers"],
        request=shapes.ReasonInput,
        responses={200: shapes.DeclinedAnswer},
    )
    def post(self, request: Request, offer_id: int) -> Response:
        """Say no. It changes neither pay, hours, quality nor access (`/how-offers-are-made`)."""
        key, data = read_key(request), read(shapes.ReasonInput, request)
        offer = offer_decline(offer_id=offer_id, agent_id=self.agent.pk, key=key, **data)
        return Response({"offer": offer.pk, "state": OfferState.DECLINED})


# --- Files ------------------------------------------------------------------------------------------------------------


class HasTicketOrAccount(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002  DRF's signature
        return isinstance(request.auth, Ticket) or request.user.is_authenticated


class TicketAttachmentView(AttachmentView):
    """The customer's way in, and beside it the holder's."""

    authentication_classes = (TicketAuthentication, AgentTokenAuthentication, SessionAuthentication)
    permission_classes = (HasTicketOrAccount,)

    def readable(self) -> QuerySet[Message]:
        request = self.request
        if isinstance(request.auth, Ticket):
            return super().readable()
        assert request.user.is_authenticated
        held = Offer.objects.filter(
            Offer.ON_DESK, agent__user=request.user, ticket__public_id=self.kwargs["public_id"]
        )
        return Message.objects.filter(ticket__in=held.values("ticket"))

    def name_of(self, file: Attachment) -> str:
        customers = not isinstance(self.request.auth, Ticket) and file.message.author == Author.CUSTOMER
        return mask_file(file.name).text.replace("…", "file") if customers else super().name_of(file)


urlpatterns = [
    path("shift", ShiftView.as_view(), name="api-shift"),
    path("shift/online", OnlineView.as_view(), name="api-shift-online"),
    path("shift/pause", PauseView.as_view(), name="api-shift-pause"),
    path("shift/finish", FinishView.as_view(), name="api-shift-finish"),
    path("shift/offline", OfflineView.as_view(), name="api-shift-offline"),
    path("shift/beat", BeatView.as_view(), name="api-shift-beat"),
    path("me/auto-accept", AutoAcceptView.as_view(), name="api-auto-accept"),
    path("me/keys", KeysView.as_view(), name="api-keys"),
    path("offers", OffersView.as_view(), name="api-offers"),
    path("offers/<int:offer_id>", OfferView.as_view(), name="api-offer"),
    path("offers/<int:offer_id>/accept", AcceptView.as_view(), name="api-offer-accept"),
    path("offers/<int:offer_id>/decline", DeclineView.as_view(), name="api-offer-decline"),
    path(
        "tickets/<slug:public_id>/attachments/<int:attachment_id>",
        TicketAttachmentView.as_view(),
        name="api-ticket-attachment",
    ),
]
