"""What comes over HTTP as JSON or as a form with files, read strictly: shared by the API of this app and of dispatch.

Texts are only checked to be texts here; how long, how empty and which letters is the services' matter, so that the web
form, the API and later mail refuse the same things with the same words.
"""

import json
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, NoReturn

from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from tickets.attachments import MAX_BYTES, MAX_FILES, FileTooLarge, Inspected, check_count, inspect
from tickets.conversation import MAX_LENGTH
from tickets.email_addresses import address_clean

if TYPE_CHECKING:
    from rest_framework.parsers import DataAndFiles

MAX_BODY = 1024 * 1024  # bytes, without files
MAX_BODY_WITH_FILES = MAX_BODY + MAX_FILES * MAX_BYTES
MAX_KEY = 100  # characters of an Idempotency-Key
MAX_WHOLE = 2**31 - 1  # PostgreSQL's integer


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"
    default_detail = _("This request is too large.")


class BadKey(APIException):
    status_code = 400
    default_code = "idempotency_key_invalid"
    default_detail = _("An Idempotency-Key has 1 to 100 visible ASCII characters and no spaces.")


class AlwaysJSON(BaseContentNegotiation):
    """JSON, whatever the client says to accept: a browser that opens an address sees the answer, not a 406."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002  DRF's signature
        renderers: Any,
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class JSONBody(BaseParser):
    """JSON in UTF-8 of at most MAX_BODY bytes. DRF's own parser reads any size and fails on deep nesting."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002  DRF's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise BodyTooLarge
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise ParseError(_("The body is not valid JSON in UTF-8.")) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


class FormWithFiles(MultiPartParser):
    """multipart/form-data. What is too large in sum is refused before it is read."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> "DataAndFiles[Any, Any]":
        length = parser_context["request"].META.get("CONTENT_LENGTH") if parser_context else None
        if length and int(length) > MAX_BODY_WITH_FILES:
            raise BodyTooLarge
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError:
            raise ParseError(_("The body is not valid multipart/form-data.")) from None


# --- Fields -----------------------------------------------------------------------------------------------------------


@extend_schema_field({"type": "string", "maxLength": MAX_LENGTH})
class Text(serializers.CharField):
    """A string of any content. DRF's field takes numbers too, and has its own words for NUL and empty ones."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "allow_blank": True, **options})
        self.validators = []

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": MAX_LENGTH})
class Written(Text):
    """The same where the services want something to be in it; the schema says so, the refusal is theirs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=False, **options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return data if data == "" else super().run_validation(data)


class Address(serializers.EmailField):
    """An e-mail address as it is stored (tickets/email_addresses.py)."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        email = super().run_validation(data)
        try:
            return address_clean(email) if email else email
        except DjangoValidationError:
            self.fail("invalid")


class Whole(serializers.IntegerField):
    """A whole number that PostgreSQL can hold. As a string only where all values are: in forms."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": MAX_WHOLE, **options})

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int and not isinstance(getattr(self.root, "initial_data", None), QueryDict):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class YesNo(serializers.BooleanField):
    """true or false, nothing that looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


# --- Reading ----------------------------------------------------------------------------------------------------------


def is_form(request: Request) -> bool:
    """Whether the body is a form, whose values are all strings, and not JSON."""
    return isinstance(request.data, QueryDict)


def read(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body's fields, valid. Raises DRF's ValidationError, ParseError, UnsupportedMediaType; BodyTooLarge."""
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def read_query(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The same of the query string."""
    form = serializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def read_key(request: Request) -> str | None:
    """The Idempotency-Key, if there is one. Raises BadKey."""
    key: str | None = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= MAX_KEY and all("!" <= sign <= "~" for sign in key)):
        raise BadKey
    return key


def read_files(request: Request) -> list[Inspected]:
    """The inspected files of the form's field "files". Raises TooManyFiles, FileRefused and its kinds."""
    if others := set(request.FILES) - {"files"}:
        # A file under another name would be lost without a word.
        raise ValidationError({name: [_("Files go into the field “files”.")] for name in sorted(others)})
    files = request.FILES.getlist("files")
    check_count(len(files))
    if any((file.size or 0) > MAX_BYTES for file in files):
        raise FileTooLarge
    return [inspect(file.name or "", file.read(), file.content_type) for file in files]
