"""REST for the desk under /api/v1/desk: what the holder of a ticket reads, writes and does."""

from collections.abc import Callable
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from agents.api import AgentView
from dispatch import cards, desk, drafts, passing, resolving, reveals, wrap_up
from dispatch import serializers as shapes
from dispatch.api import OLD_SHIFT, language_of
from dispatch.errors import (
    AlreadyEscalated,
    NobodyThere,
    NoteMissing,
    NothingHidden,
    NotHolder,
    NotWrappingUp,
    OnlyPractice,
    RevealReasonMissing,
    TooLateToUndo,
    TooManyReveals,
)
from dispatch.models import DraftKind, Offer, OfferState
from tickets import canned, signs, stream
from tickets.api import TEXT_REFUSALS, ticket_data
from tickets.attachments import FILE_REFUSALS
from tickets.errors import BadText, KeyReused, MessageTooLong, TicketClosed, TicketNotFound, VariableLeft
from tickets.models import Channel, Message, TicketState
from tickets.serializers import MessageData, SignInput, TicketData
from tickets.wire import FormWithFiles, JSONBody, is_form, read, read_files, read_key

Shape = type[Serializer[Any]]
HELD_ONCE = (OfferState.ACCEPTED, OfferState.COMPLETED, OfferState.RELEASED)


class DeskView(AgentView):
    @extend_schema(operation_id="desk", tags=["desk"], responses=shapes.DeskAnswer)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """The tickets that this agent holds, notes included; and those that they still wrap up."""
        found = cards.on_desk(self.agent.pk)
        held = [one.ticket for one in found if one.wrap_left is None]
        return Response(
            {
                "tickets": [ticket_data(ticket, staff=True, reader_id=self.agent.user_id) for ticket in held],
                "wrap_ups": cards.wrap_ups(found),
            }
        )


class OneHeldView(AgentView):
    """A view of one ticket by its holder. A ticket that the agent never held is not found, whether it exists or not."""

    def held_once(self, public_id: str) -> Offer:
        """The agent's latest offer of this ticket that was accepted; still is, or was. One query."""
        offer = (
            Offer.objects.filter(agent=self.agent, ticket__public_id=public_id, state__in=HELD_ONCE)
            .select_related("ticket__topic", "ticket__customer")
            .order_by("-pk")
            .first()
        )
        if offer is None:
            raise TicketNotFound
        return offer


class DeskTicketView(OneHeldView):
    refuses = {"get": (TicketNotFound, NotHolder)}

    @extend_schema(operation_id="desk_ticket", tags=["desk"], responses=TicketData)
    def get(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """A ticket that this agent holds or wraps up, notes included."""
        offer = self.held_once(public_id)
        if offer.state != OfferState.ACCEPTED and offer.wrap_until is None:
            raise NotHolder
        return Response(ticket_data(offer.ticket, staff=True, reader_id=self.agent.user_id))


class DeskWriteView(OneHeldView):
    """What the holder writes: a text, files, or both."""

    parser_classes = (JSONBody, FormWithFiles)
    refuses = {
        "post": (
            TicketNotFound, NotHolder, TicketClosed, *OLD_SHIFT, VariableLeft, *TEXT_REFUSALS, *FILE_REFUSALS,
        )
    }  # fmt: skip

    def write(
        self, act: Callable[..., Message], request: Request, public_id: str, form: Shape, plain: Shape
    ) -> Response:
        key, files = read_key(request), read_files(request)
        data = read(form if is_form(request) else plain, request)
        more = {"then_resolve": True} if data.get("then_resolve") else {}
        ticket = self.held_once(public_id).ticket
        message = act(
            agent=self.agent,
            epoch=data["epoch"],
            ticket_id=ticket.pk,
            body=data["body"],
            files=files,
            key=key,
            **more,
        )
        message.ticket = ticket  # it has its customer, whose surname the agent's own text may have by now
        said = stream.message_data_masked(message, self.agent.user_id)
        return Response({"seq": message.seq, **said}, status=201)


class DeskReplyView(DeskWriteView):
    @extend_schema(
        operation_id="desk_reply",
        tags=["desk"],
        request={"application/json": shapes.ReplyInput, "multipart/form-data": shapes.ReplyFormInput},
        responses={201: MessageData},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Write to the customer. With a file the text may be left out. With `then_resolve` the ticket is resolved some seconds
        later, unless that is undone (`resolve-undo`) or the customer writes."""
        return self.write(desk.reply, request, public_id, shapes.ReplyFormInput, shapes.ReplyInput)


class DeskNoteView(DeskWriteView):
    @extend_schema(
        operation_id="desk_note",
        tags=["desk"],
        request={"application/json": shapes.WriteInput, "multipart/form-data": shapes.WriteFormInput},
        responses={201: MessageData},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Write an internal note, also while wrapping up; no customer ever sees it or its files. With a file the text may be
        left out."""
        return self.write(desk.note, request, public_id, shapes.WriteFormInput, shapes.WriteInput)


class DeskResolveView(OneHeldView):
    refuses = {"post": (TicketNotFound, NotHolder, TicketClosed, *OLD_SHIFT, KeyReused)}

    @extend_schema(
        operation_id="desk_resolve",
        tags=["desk"],
        request=shapes.EpochInput,
        responses={200: shapes.StateAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """The matter is settled: the offer is completed and paid. A wrap-up may follow (`wrap_up_until` of its event)."""
        key, data = read_key(request), read(shapes.EpochInput, request)
        desk.resolve(agent=self.agent, ticket_id=self.held_once(public_id).ticket_id, key=key, **data)
        return Response({"state": TicketState.RESOLVED})


class DeskUndoView(OneHeldView):
    refuses = {"post": (TicketNotFound, NotHolder, TooLateToUndo, *OLD_SHIFT, KeyReused)}

    @extend_schema(
        operation_id="desk_resolve_undo",
        tags=["desk"],
        request=shapes.EpochInput,
        responses={200: shapes.StateAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """The ticket is not resolved after all; the message stays sent. With nothing to undo it is answered likewise."""
        key, data = read_key(request), read(shapes.EpochInput, request)
        resolving.undo(agent=self.agent, ticket_id=self.held_once(public_id).ticket_id, key=key, **data)
        return Response({"state": TicketState.HELD})


class DeskDoneView(OneHeldView):
    refuses = {"post": (TicketNotFound, NotHolder, NotWrappingUp, *OLD_SHIFT, KeyReused)}

    @extend_schema(
        operation_id="desk_done",
        tags=["desk"],
        request=shapes.EpochInput,
        responses={200: shapes.WrapUpAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """End the wrap-up of a resolved ticket before its time. One that is over already is answered likewise."""
        key, data = read_key(request), read(shapes.EpochInput, request)
        wrap_up.done(agent=self.agent, ticket_id=self.held_once(public_id).ticket_id, key=key, **data)
        return Response({"wrap_ups": cards.wrap_ups(cards.on_desk(self.agent.pk))})


class DeskHandBackView(OneHeldView):
    refuses = {
        "post": (TicketNotFound, NotHolder, TicketClosed, *OLD_SHIFT, MessageTooLong, BadText, KeyReused)
    }

    @extend_schema(
        operation_id="desk_hand_back",
        tags=["desk"],
        request=shapes.ReasonInput,
        responses={200: shapes.StateAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Give the ticket back to the queue, where it keeps its age. Practice is closed by it."""
        key, data = read_key(request), read(shapes.ReasonInput, request)
        ticket = self.held_once(public_id).ticket
        desk.hand_back(agent=self.agent, ticket_id=ticket.pk, key=key, **data)
        practice = ticket.channel == Channel.PRACTICE
        return Response({"state": TicketState.CLOSED if practice else TicketState.WAITING})


class DeskTargetsView(OneHeldView):
    refuses = {"get": (TicketNotFound, NotHolder)}

    @extend_schema(operation_id="desk_targets", tags=["desk"], responses=shapes.TargetsAnswer)
    def get(self, request: Request, public_id: str) -> Response:
        """Where this ticket may be passed on to now: pools, and colleagues who are online and could take it."""
        found = passing.targets(agent=self.agent, ticket_id=self.held_once(public_id).ticket_id)
        language = language_of(request, self.agent)
        return Response(
            {
                "pools": [
                    {"pool": pool.pk, "name": pool.name_in(language), "able": able}
                    for pool, able in found.pools
                ],
                "colleagues": [{"agent": one.pk, "name": one.name} for one in found.colleagues],
            }
        )


class DeskTransferView(OneHeldView):
    refuses = {
        "post": (
            TicketNotFound, NotHolder, NobodyThere, NoteMissing, TicketClosed, *OLD_SHIFT, MessageTooLong, BadText, KeyReused,
        )
    }  # fmt: skip

    @extend_schema(
        operation_id="desk_transfer",
        tags=["desk"],
        request=shapes.TransferInput,
        responses={200: shapes.StateAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Pass the ticket on, with a note: either to a `pool`, or to a colleague (`to_agent`), who is asked first."""
        key, data = read_key(request), read(shapes.TransferInput, request)
        passing.transfer(
            agent=self.agent,
            epoch=data["epoch"],
            ticket_id=self.held_once(public_id).ticket_id,
            note=data["note"],
            pool_id=data["pool"],
            to_agent_id=data["to_agent"],
            key=key,
        )
        return Response({"state": TicketState.WAITING})


class DeskEscalateView(OneHeldView):
    refuses = {
        "post": (
            TicketNotFound, NotHolder, NoteMissing, AlreadyEscalated, OnlyPractice, TicketClosed, *OLD_SHIFT, MessageTooLong,
            BadText, KeyReused,
        )
    }  # fmt: skip

    @extend_schema(
        operation_id="desk_escalate",
        tags=["desk"],
        request=shapes.EscalateInput,
        responses={200: shapes.StateAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Ask the team leads to look at the ticket; it stays with this agent."""
        key, data = read_key(request), read(shapes.EscalateInput, request)
        passing.escalate(agent=self.agent, ticket_id=self.held_once(public_id).ticket_id, key=key, **data)
        return Response({"state": TicketState.HELD})


class DeskDraftView(OneHeldView):
    refuses = {"get": (TicketNotFound,), "post": (TicketNotFound, NotHolder, MessageTooLong, BadText)}

    @extend_schema(operation_id="desk_draft", tags=["desk"], responses=shapes.DraftsAnswer)
    def get(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """What this agent has typed into the ticket and not sent, on whatever device; null where nothing was saved."""
        self.held_once(public_id)
        found = drafts.of(self.agent).get(public_id, {})
        return Response({kind: found.get(kind) for kind in DraftKind.values})

    @extend_schema(
        operation_id="desk_draft_keep",
        tags=["desk"],
        request=shapes.DraftInput,
        responses={200: shapes.DraftNumber},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Save a draft; the last writer wins. The customer never sees it, and it is gone when the ticket leaves the desk."""
        data = read(shapes.DraftInput, request)
        number = drafts.keep(
            agent=self.agent,
            ticket_id=self.held_once(public_id).ticket_id,
            kind=DraftKind(data["kind"]),
            body=data["body"],
        )
        return Response({"number": number})


class DeskSignView(OneHeldView):
    refuses = {"post": (TicketNotFound, NotHolder)}

    @extend_schema(operation_id="desk_sign", tags=["desk"], request=SignInput, responses={204: None})
    def post(self, request: Request, public_id: str) -> Response:
        """That the holder is typing to the customer, or up to where they have read. The other side gets a frame `sign`."""
        data, offer = read(SignInput, request), self.held_once(public_id)
        if offer.state != OfferState.ACCEPTED:
            raise NotHolder
        if data["typing"]:
            signs.typing(offer.ticket, signs.Side.AGENT)
        if data["read"]:
            signs.read_up_to(offer.ticket, signs.Side.AGENT, data["read"])
        return Response(status=204)


class DeskRevealView(OneHeldView):
    refuses = {
        "post": (
            TicketNotFound, NotHolder, NothingHidden, RevealReasonMissing, TooManyReveals, *OLD_SHIFT, MessageTooLong, BadText,
            KeyReused,
        )
    }  # fmt: skip

    @extend_schema(
        operation_id="desk_reveal",
        tags=["desk"],
        request=shapes.RevealInput,
        responses={200: shapes.RevealAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Have one place shown that is masked, for a reason. It is logged on the ticket's timeline, and team leads see it. Keep
        nothing of it."""
        key, data = read_key(request), read(shapes.RevealInput, request)
        found = reveals.reveal(
            agent=self.agent, ticket_id=self.held_once(public_id).ticket_id, key=key, **data
        )
        answer = Response(found._asdict())
        answer["Cache-Control"] = "no-store"
        return answer


class DeskCannedView(OneHeldView):
    refuses = {"get": (TicketNotFound, NotHolder)}

    @extend_schema(operation_id="desk_canned_replies", tags=["desk"], responses=shapes.CannedAnswer)
    def get(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """Texts to begin with, of the ticket's language and topic, with its variables put in."""
        found = cards.on_desk(self.agent.pk, self.held_once(public_id).ticket.public_id)
        if not found:
            raise NotHolder
        return Response({"replies": canned.replies(found[0].ticket, self.agent.name)})


urlpatterns = [
    path("desk", DeskView.as_view(), name="api-desk"),
    path("desk/<slug:public_id>", DeskTicketView.as_view(), name="api-desk-ticket"),
    path("desk/<slug:public_id>/reply", DeskReplyView.as_view(), name="api-desk-reply"),
    path("desk/<slug:public_id>/note", DeskNoteView.as_view(), name="api-desk-note"),
    path("desk/<slug:public_id>/resolve", DeskResolveView.as_view(), name="api-desk-resolve"),
    path("desk/<slug:public_id>/resolve-undo", DeskUndoView.as_view(), name="api-desk-resolve-undo"),
    path("desk/<slug:public_id>/done", DeskDoneView.as_view(), name="api-desk-done"),
    path("desk/<slug:public_id>/hand-back", DeskHandBackView.as_view(), name="api-desk-hand-back"),
    path("desk/<slug:public_id>/sign", DeskSignView.as_view(), name="api-desk-sign"),
    path("desk/<slug:public_id>/draft", DeskDraftView.as_view(), name="api-desk-draft"),
    path("desk/<slug:public_id>/canned-replies", DeskCannedView.as_view(), name="api-desk-canned"),
    path("desk/<slug:public_id>/reveal", DeskRevealView.as_view(), name="api-desk-reveal"),
    path("desk/<slug:public_id>/targets", DeskTargetsView.as_view(), name="api-desk-targets"),
    path("desk/<slug:public_id>/transfer", DeskTransferView.as_view(), name="api-desk-transfer"),
    path("desk/<slug:public_id>/escalate", DeskEscalateView.as_view(), name="api-desk-escalate"),
]
