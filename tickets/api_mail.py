"""POST /api/v1/mail: a mail server or a mail service hands over a mail as it came, signed with a shared secret.

Signed as Standard Webhooks says: `webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`, "v1," and the base64 of
HMAC-SHA256 over id, timestamp and body, joined by dots (docs/mail.md).
"""

import base64
import binascii
import hashlib
import hmac
import time

from django.conf import settings
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tickets.attachments import FileNotScanned
from tickets.errors import BadSignature
from tickets.inbox.taking import mail_take
from tickets.models import Outcome
from tickets.wire import MAX_BODY_WITH_FILES, BodyTooLarge

TOLERANCE = 300  # seconds between the clocks, and on the way
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class MailTakenData(serializers.Serializer[object]):
    """What became of the mail. `first` is false when it had been handed over before; then nothing was done."""

    outcome = serializers.ChoiceField(choices=[one for one in Outcome.values if one != Outcome.TAKING])
    number = serializers.CharField(allow_null=True, help_text="Of its ticket, if it has one.")
    first = serializers.BooleanField()


class MailView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    keyless = True  # a mail is known again by its Message-ID
    refuses = {"post": (BadSignature, FileNotScanned)}

    @extend_schema(
        operation_id="mail_take",
        tags=["mail"],
        parameters=[OpenApiParameter(name, str, OpenApiParameter.HEADER, required=True) for name in _HEADERS],
        request={"message/rfc822": OpenApiTypes.BINARY},
        responses={200: MailTakenData},
    )
    def post(self, request: Request) -> Response:
        """Hand over a mail, as RFC 5322 has it. It opens a ticket, goes into its ticket, or is ignored when a program wrote it.

        A signature that is older than five minutes is refused. The same mail again does nothing and answers the same.
        """
        raw = request._request.read(MAX_BODY_WITH_FILES + 1)
        if len(raw) > MAX_BODY_WITH_FILES:
            raise BodyTooLarge
        given = [request.headers.get(name, "") for name in _HEADERS]
        if not signature_true(settings.MAIL_IN_SECRET, *given, body=raw):
            raise BadSignature
        taken = mail_take(raw)
        return Response(
            {
                "outcome": taken.outcome,
                "number": taken.ticket.number if taken.ticket else None,
                "first": taken.first,
            }
        )


def signature_of(secret: str, identity: str, timestamp: str, body: bytes) -> bytes:
    """HMAC-SHA256 over id, timestamp and body."""
    return hmac.new(secret.encode(), f"{identity}.{timestamp}.".encode() + body, hashlib.sha256).digest()


def signature_true(secret: str, identity: str, timestamp: str, signatures: str, *, body: bytes) -> bool:
    """Whether one of the signatures is right and its time is now. Without a secret none is."""
    if not secret or not identity or len(identity) > 200 or len(signatures) > 1000:
        return False
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 12):
        return False
    if abs(time.time() - int(timestamp)) > TOLERANCE:
        return False
    expected = signature_of(secret, identity, timestamp, body)
    return any([hmac.compare_digest(expected, one) for one in _decoded(signatures)])  # noqa: C419  each in constant time


def _decoded(signatures: str) -> list[bytes]:
    found = []
    for one in signatures.split():
        version, _, text = one.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found


urlpatterns = [path("mail", MailView.as_view(), name="api-mail")]
