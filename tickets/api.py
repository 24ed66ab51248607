"""REST for customers under /api/v1/: topics, tickets, and what is done in one ticket with the token of its private link."""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import FileResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import PermissionDenied, Throttled
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from tickets import blocking, calendars, lifecycle, limits, signs, stream, topics
from tickets import serializers as shapes
from tickets.access import link_path, ticket_by_token, token_of
from tickets.assistant import turns
from tickets.attachments import FILE_REFUSALS, TooMuchADay
from tickets.conversation import customer_reply
from tickets.errors import (
    BadText,
    Blocked,
    EmptyMessage,
    FileNotFound,
    KeyReused,
    MessageTooLong,
    NothingToJudge,
    TicketClosed,
    TicketNotFound,
    TicketNotResolved,
    UnknownTopic,
)
from tickets.intake import key_of, ticket_open
from tickets.models import Attachment, Channel, Message, Ticket
from tickets.wire import FormWithFiles, JSONBody, is_form, read, read_files, read_key, read_query

TEXT_REFUSALS = (EmptyMessage, MessageTooLong, BadText, KeyReused)


# --- Who may ----------------------------------------------------------------------------------------------------------


class TicketAuthentication(BaseAuthentication):
    """The token of the ticket's private link, in “Authorization: Ticket <token>” or in the cookie “t-<id>”.

    A browser sends the cookie by itself, so with it a change wants the CSRF token too. A wrong, foreign or expired token
    answers like a ticket that does not exist.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Ticket] | None:
        public_id = request.parser_context["kwargs"]["public_id"]
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "ticket":
            return AnonymousUser(), ticket_by_token(public_id, token.strip())
        if kind or (cookie := request.COOKIES.get(f"t-{public_id}")) is None:
            return None
        ticket = ticket_by_token(public_id, cookie)
        _csrf_enforce(request)
        return AnonymousUser(), ticket

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  DRF's signature
        return "Ticket"


def _csrf_enforce(request: Request) -> None:
    def nothing(_request: Any) -> Any:  # pragma: no cover  the check wants a view and never calls it
        return None

    check = CSRFCheck(nothing)
    check.process_request(request._request)
    reason = check.process_view(request._request, nothing, (), {})
    if reason:
        raise PermissionDenied(f"CSRF Failed: {reason}", code="csrf")


class HasTicket(BasePermission):
    """Came with the token of this ticket."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002  DRF's signature
        return isinstance(request.auth, Ticket)


class TicketView(APIView):
    """A view of one ticket, by its customer."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (TicketAuthentication,)
    permission_classes: Sequence[type[BasePermission]] = (HasTicket,)

    @property
    def ticket(self) -> Ticket:
        ticket = self.request.auth
        assert isinstance(ticket, Ticket)
        return ticket


class Written(TicketView):
    """A view whose POSTs are counted for the ticket (“ticket_write”), whoever sends them from where."""

    throttle_scope = "ticket_write"
    throttle_methods = ("POST",)

    @property
    def throttle_who(self) -> str:
        return self.ticket.public_id

    def get_throttles(self) -> list[BaseThrottle]:
        return super().get_throttles() if self.request.method in self.throttle_methods else []


# --- Without a ticket -------------------------------------------------------------------------------------------------


class TopicsView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="topics", tags=["customers"], responses=shapes.TopicData(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """What a ticket can be about."""
        return Response(
            [
                {
                    "key": topic.key,
                    "name": topic.name,
                    "opens_at": calendars.opens_at(calendars.hours_of(topic.pk)),
                }
                for topic in topics.active()
            ]
        )


class TicketsView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (JSONBody, FormWithFiles)
    throttle_scope = "ticket_open"
    refuses = {"post": (*TEXT_REFUSALS, UnknownTopic, Blocked, *FILE_REFUSALS)}

    @extend_schema(
        operation_id="ticket_open",
        tags=["customers"],
        request={"application/json": shapes.OpenInput, "multipart/form-data": shapes.OpenFormInput},
        responses={
            201: shapes.OpenedData,
            200: OpenApiResponse(
                shapes.OpenedData, description="This Idempotency-Key has opened the ticket before."
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Open a ticket. The token of the answer is the only way into it; it is not told again."""
        key, data = read_key(request), read(shapes.OpenInput, request)
        blocking.check(email=data["email"], address=limits.client_address(request._request))
        if data["email"]:
            address_count(request, data["email"])
        opened = ticket_open(
            text=data["text"],
            name=data["name"],
            email=data["email"],
            topic_key=data["topic"],
            chosen_language=data["language"],
            files=read_files(request),
            channel=Channel.API,
            key=key_of("api", key),
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


def address_count(request: Request, email: str) -> None:
    """Raises Throttled when too many tickets were opened with this address, or got it later."""
    if seconds := limits.seconds_left(request._request, "ticket_open_address", email):
        raise Throttled(seconds)


# --- In one ticket ----------------------------------------------------------------------------------------------------


def ticket_data(ticket: Ticket, *, staff: bool, reader_id: int | None = None) -> dict[str, Any]:
    """`data` of the ticket's snapshot, with its number beside it."""
    frame = stream.snapshot(ticket, staff=staff, reader_id=reader_id)
    return {"seq": frame["seq"], **frame["data"]}


def message_answer(message: Message) -> dict[str, Any]:
    """What a customer's message is answered with."""
    return {"seq": message.seq, **stream.message_data(message)}


class OneTicketView(TicketView):
    @extend_schema(operation_id="ticket", tags=["customers"], responses=shapes.TicketData)
    def get(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """The ticket with its messages."""
        return Response(ticket_data(self.ticket, staff=False))


class EventsView(TicketView):
    @extend_schema(
        operation_id="ticket_events",
        tags=["customers"],
        parameters=[shapes.EventsInput],
        responses=shapes.FramesData,
    )
    def get(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """The ticket's public events above a number, as its socket sends them; for who cannot hold a socket open."""
        ticket, after = self.ticket, read_query(shapes.EventsInput, request)["after"]
        frames = stream.frames_after(ticket.pk, ticket.stream, after, staff=False)
        if frames is None:
            frames = [stream.snapshot(ticket, staff=False)]
        return Response(
            {"frames": frames, "seq": max([ticket.last_seq, *(frame["seq"] for frame in frames)])}
        )


class MessagesView(Written):
    parser_classes = (JSONBody, FormWithFiles)
    refuses = {"post": (*TEXT_REFUSALS, TicketClosed, *FILE_REFUSALS, TooMuchADay)}

    @extend_schema(operation_id="ticket_messages", tags=["customers"], responses=shapes.MessagesData)
    def get(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """The messages of the ticket, oldest first."""
        data = ticket_data(self.ticket, staff=False)
        return Response({"messages": data["messages"], "seq": data["seq"]})

    @extend_schema(
        operation_id="ticket_message_post",
        tags=["customers"],
        request={"application/json": shapes.MessageInput, "multipart/form-data": shapes.MessageFormInput},
        responses={201: shapes.MessageData},
    )
    def post(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """Write a message. With a file the text may be left out."""
        key, files = read_key(request), read_files(request)
        body = read(shapes.MessageFormInput if is_form(request) else shapes.MessageInput, request)["body"]
        message = customer_reply(ticket=self.ticket, body=body, files=files, key=key)
        return Response(message_answer(message), status=201)


class TicketCommandView(TicketView):
    """A change that answers with the ticket as it is then."""

    def done(self) -> Response:
        now = Ticket.objects.select_related("topic").get(pk=self.ticket.pk)
        return Response(ticket_data(now, staff=False))

    def plain(self, request: Request, act: Callable[..., None]) -> Response:
        key = read_key(request)
        read(shapes.NoInput, request)
        act(ticket=self.ticket, key=key)
        return self.done()


class RequestHumanView(TicketCommandView):
    refuses = {"post": (TicketClosed, KeyReused)}

    @extend_schema(
        operation_id="ticket_request_human",
        tags=["customers"],
        request=None,
        responses={200: shapes.TicketData},
    )
    def post(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """Ask for a person. Asking twice changes nothing."""
        return self.plain(request, lifecycle.ticket_request_human)


class AnswerView(TicketCommandView):
    refuses = {"post": (NothingToJudge, KeyReused)}

    @extend_schema(
        operation_id="ticket_answer_judge",
        tags=["customers"],
        request=shapes.AnswerInput,
        responses={200: shapes.TicketData},
    )
    def post(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """Whether the assistant's answer helped: then the ticket is resolved, if not it tries once more or gets a person."""
        key, data = read_key(request), read(shapes.AnswerInput, request)
        turns.answer_judge(ticket=self.ticket, helped=data["helped"], key=key)
        return self.done()


class SignView(TicketView):
    @extend_schema(
        operation_id="ticket_sign", tags=["customers"], request=shapes.SignInput, responses={204: None}
    )
    def post(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """That the customer is typing, or up to where they have read. The other side gets it as a frame `sign`."""
        data = read(shapes.SignInput, request)
        if data["typing"]:
            signs.typing(self.ticket, signs.Side.CUSTOMER)
        if data["read"]:
            signs.read_up_to(self.ticket, signs.Side.CUSTOMER, data["read"])
        return Response(status=204)


class ReopenView(Written, TicketCommandView):
    refuses = {"post": (TicketNotResolved, MessageTooLong, BadText, KeyReused)}

    @extend_schema(
        operation_id="ticket_reopen",
        tags=["customers"],
        request=shapes.ReopenInput,
        responses={200: shapes.TicketData},
    )
    def post(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """Open a resolved or closed ticket again, with a message if there is one."""
        key, data = read_key(request), read(shapes.ReopenInput, request)
        lifecycle.ticket_reopen(ticket=self.ticket, body=data["body"], key=key)
        return self.done()


class CloseView(Written, TicketCommandView):
    refuses = {"post": (TicketClosed, KeyReused)}

    @extend_schema(
        operation_id="ticket_close", tags=["customers"], request=None, responses={200: shapes.TicketData}
    )
    def post(self, request: Request, public_id: str) -> Response:  # noqa: ARG002
        """Nothing is needed any more."""
        return self.plain(request, lifecycle.ticket_close)


class AttachmentView(TicketView):
    """A file of the ticket, for its customer. Not routed here: dispatch lets the holder in too (dispatch/api.py)."""

    refuses = {"get": (TicketNotFound, FileNotFound)}

    def readable(self) -> QuerySet[Message]:
        """Messages whose files this reader may have."""
        return self.ticket.messages.filter(internal=False)

    def name_of(self, file: Attachment) -> str:
        """What it is called to this reader."""
        return file.name

    @extend_schema(
        operation_id="ticket_attachment",
        tags=["customers", "desk"],
        responses={(200, "*/*"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, public_id: str, attachment_id: int) -> FileResponse:  # noqa: ARG002
        """A file of a message, for the ticket's customer or holder. Always a download, never shown in place."""
        file = (
            Attachment.objects.select_related("message")
            .filter(pk=attachment_id, message__in=self.readable())
            .first()
        )
        if file is None:
            raise FileNotFound
        try:
            content = file.file.open("rb")
        except OSError:
            raise FileNotFound from None
        response = FileResponse(
            content, as_attachment=True, filename=self.name_of(file), content_type=file.content_type
        )
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response


urlpatterns = [
    path("topics", TopicsView.as_view(), name="api-topics"),
    path("tickets", TicketsView.as_view(), name="api-tickets"),
    path("tickets/<slug:public_id>", OneTicketView.as_view(), name="api-ticket"),
    path("tickets/<slug:public_id>/events", EventsView.as_view(), name="api-ticket-events"),
    path("tickets/<slug:public_id>/messages", MessagesView.as_view(), name="api-ticket-messages"),
    path(
        "tickets/<slug:public_id>/request-human", RequestHumanView.as_view(), name="api-ticket-request-human"
    ),
    path("tickets/<slug:public_id>/answer", AnswerView.as_view(), name="api-ticket-answer"),
    path("tickets/<slug:public_id>/reopen", ReopenView.as_view(), name="api-ticket-reopen"),
    path("tickets/<slug:public_id>/sign", SignView.as_view(), name="api-ticket-sign"),
    path("tickets/<slug:public_id>/close", CloseView.as_view(), name="api-ticket-close"),
]
