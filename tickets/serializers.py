"""Shapes of the customers' API. Inputs are checked by them; outputs come as data from tickets/stream.py and are shown."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from tickets.masking import KINDS
from tickets.models import Author, EndedAs, TicketState
from tickets.wire import Address, Text, Whole, Written, YesNo

Fields = serializers.Serializer[Any]


class TopicData(Fields):
    key = serializers.CharField()
    name = serializers.CharField(help_text="In the language of Accept-Language.")
    opens_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When its opening hours begin next; null within them. A ticket can be opened at any hour.",
    )


# --- In ---------------------------------------------------------------------------------------------------------------


class OpenInput(Fields):
    """A new ticket."""

    text = Written()
    name = Text(required=False, default="")
    email = Address(
        required=False,
        default="",
        allow_blank=True,
        max_length=254,
        help_text="The private link is mailed there.",
    )
    topic = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=50, help_text="The key of a topic."
    )
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES,
        required=False,
        allow_blank=True,
        default="",
        help_text="Detected if left out.",
    )


class OpenFormInput(OpenInput):
    files = serializers.ListField(child=serializers.FileField(), required=False, max_length=5)


class MessageInput(Fields):
    body = Written()


class MessageFormInput(Fields):
    body = Text(required=False, default="")
    files = serializers.ListField(child=serializers.FileField(), required=False, max_length=5)


class ReopenInput(Fields):
    body = Text(required=False, default="")


class AnswerInput(Fields):
    helped = YesNo()


class AddressInput(Fields):
    email = Text(max_length=254)


class RatingInput(Fields):
    score = Whole(min_value=1, max_value=5)
    solved = YesNo()
    comment = Text(required=False, default="")


class SignInput(Fields):
    typing = YesNo(required=False, default=False, help_text="This side is typing to the other one just now.")
    read = Whole(required=False, default=0, help_text="Number up to which this side has seen everything.")


class EventsInput(Fields):
    after = Whole(required=False, default=0, help_text="Number of the last event that the client has.")


class NoInput(Fields):
    """Nothing is read from the body; what is sent has to be an object all the same."""


# --- Out --------------------------------------------------------------------------------------------------------------


class OpenedData(Fields):
    id = serializers.CharField(help_text="Names the ticket in addresses.")
    number = serializers.CharField(help_text="What people say to each other, e.g. S-1042.")
    state = serializers.ChoiceField(choices=TicketState.choices)
    token = serializers.CharField(help_text="Goes into “Authorization: Ticket <token>”.")
    link = serializers.URLField(help_text="The private link to the chat page.")
    language = serializers.CharField()
    created_at = serializers.DateTimeField()


class AttachmentData(Fields):
    id = serializers.IntegerField()
    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")


class MessageData(Fields):
    seq = serializers.IntegerField()
    author = serializers.ChoiceField(
        choices=Author.choices, help_text="“system” is a machine: the assistant, or the installation itself."
    )
    author_name = serializers.CharField(allow_blank=True)
    body = serializers.CharField(allow_blank=True)
    attachments = AttachmentData(many=True)
    masked = serializers.ListField(
        child=serializers.ChoiceField(choices=[(kind, kind) for kind in KINDS]),
        help_text="Kinds of personal data that are hidden from agents in this; empty for customers.",
    )


class ListedMessageData(MessageData):
    at = serializers.DateTimeField()
    internal = serializers.BooleanField(help_text="A note of the agents; never in a customer's answer.")


class MessagesData(Fields):
    messages = ListedMessageData(many=True)
    seq = serializers.IntegerField()


class TicketData(Fields):
    """The ticket's snapshot at event number `seq`; the same as `data` of a socket's snapshot frame."""

    seq = serializers.IntegerField()
    number = serializers.CharField()
    public_id = serializers.CharField()
    state = serializers.ChoiceField(choices=TicketState.choices)
    topic = serializers.CharField(allow_null=True)
    language = serializers.CharField()
    created_at = serializers.DateTimeField()
    human_requested = serializers.BooleanField()
    agent_name = serializers.CharField(allow_null=True)
    place = serializers.IntegerField(allow_null=True)
    expected_seconds = serializers.IntegerField(allow_null=True)
    wakes_at = serializers.DateTimeField(
        allow_null=True, help_text="Put aside until then, or until the customer writes."
    )
    ended_as = serializers.ChoiceField(choices=EndedAs.choices, allow_null=True)
    nobody_online = serializers.BooleanField()
    answer_due_at = serializers.DateTimeField(
        allow_null=True, help_text="Until when an answer by mail is promised, while nobody is online."
    )
    messages = ListedMessageData(many=True)


class FrameData(Fields):
    """As on the socket: an event, or a snapshot (without `at`) for who is too far behind."""

    stream = serializers.CharField()
    seq = serializers.IntegerField()
    type = serializers.CharField()
    at = serializers.DateTimeField(required=False)
    data = serializers.DictField()  # type: ignore[assignment]  # a field's name, not Serializer.data


class FramesData(Fields):
    frames = FrameData(many=True)
    seq = serializers.IntegerField(help_text="`after` of the next look.")
