"""Refusals on the wire, mapped once: problem+json (RFC 9457) for the API, a friendly page or fragment for people."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

import agents.errors
import tickets.errors
from tickets.attachments import TooManyFiles
from tickets.wire import MAX_BODY_WITH_FILES, BodyTooLarge

R = TypeVar("R", bound=HttpResponseBase)
Refusal = (tickets.errors.Refusal, agents.errors.Refusal)
PROBLEM_JSON = "application/problem+json"
RETRY_SECONDS = 2


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error of the API is problem+json with a stable `code`."""
    if isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    elif isinstance(error, TooManyFilesSent):
        error = TooManyFiles()
    if isinstance(error, Refusal):
        set_rollback()
        return _later(_problem(error.status, error.code, str(error.detail)), error)
    if isinstance(error, (OperationalError, InterfaceError)):
        # The database restarts, or broke a deadlock: nothing was done, and trying again soon is right.
        set_rollback()
        response = _problem(
            status.HTTP_503_SERVICE_UNAVAILABLE,
            "try_again",
            _("Something is restarting. Please try again in a moment."),
        )
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    usual = exception_handler(error, context)
    if usual is None:
        return None
    answer: Response = usual
    if isinstance(error, exceptions.ValidationError):
        problem = _problem(answer.status_code, "invalid", _("Some fields are not right."), errors=answer.data)
    else:
        code = getattr(error, "default_code", "error")
        detail = str(answer.data.get("detail", "")) if isinstance(answer.data, dict) else ""
        if isinstance(error, Http404):
            code = "not_found"
        elif isinstance(error, PermissionDenied):
            code = "permission_denied"
        elif detail.startswith("CSRF Failed"):  # DRF's own words, in English only
            code, detail = "csrf", _("The CSRF token is missing or wrong.")
        problem = _problem(answer.status_code, code, detail)
    for name, value in answer.headers.items():
        if name.lower() not in {"content-type"}:
            problem[name] = value
    return problem


def _later(response: R, refusal: Exception) -> R:
    """Say from when on trying again is of use, if the refusal knows."""
    if (seconds := getattr(refusal, "retry_after", None)) is not None:
        response["Retry-After"] = str(seconds)
    return response


def _problem(code_http: int, code: str, detail: str, **more: Any) -> Response:
    return Response(
        {**problem_body(code_http, code, detail), **more}, status=code_http, content_type=PROBLEM_JSON
    )


def problem_body(code_http: int, code: str, detail: str) -> dict[str, Any]:
    """An error as RFC 9457 says it, in the words of `detail`."""
    return {
        "type": f"urn:standby:problem:{code}",
        "title": detail,
        "status": code_http,
        "code": code,
        "detail": detail,
    }


class RefusalPages:
    """Middleware: a refusal in a page's view becomes a page in the reader's language, with the same status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length and "HTTP_TRANSFER_ENCODING" in request.META:
            # Django reads no body without an announced length: what was sent would be lost without a word.
            return page(request, 411, _("Please send this with a Content-Length."), "length_required")
        # Refused by its announced length, before a byte of it is read: Django bounds fields, but not files.
        if length.isdigit() and int(length) > MAX_BODY_WITH_FILES:
            return page(
                request,
                413,
                _("This is too much at once. Please send fewer or smaller files."),
                "body_too_large",
            )
        response = self.get_response(request)
        if request.path.startswith("/api/v1/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Refusal):
            return _later(page(request, error.status, str(error.detail), error.code), error)
        if isinstance(error, (OperationalError, InterfaceError)):
            response = page(
                request, 503, _("Something is restarting. Please try again in a moment."), "try_again"
            )
            response["Retry-After"] = str(RETRY_SECONDS)
            return response
        return None


def page(request: HttpRequest, code_http: int, detail: str, code: str) -> HttpResponse:
    """The page for a refusal; for htmx the same words as a notice at the top of the open page; for scripts, JSON."""
    response: HttpResponse
    if request.headers.get("Accept", "").startswith("application/json") or request.path.startswith("/api/"):
        response = JsonResponse(
            problem_body(code_http, code, detail), status=code_http, content_type=PROBLEM_JSON
        )
    else:
        template = "problem_notice.html" if getattr(request, "htmx", False) else "problem.html"
        context = {"detail": detail, "code": code, "status": code_http}
        response = render(request, template, context, status=code_http)
    response["Cache-Control"] = "no-store"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  Django's signature
    """The form was open for too long, or came from another site."""
    return page(
        request, 403, _("This form has expired. Please go back, reload the page and send it again."), "csrf"
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return page(
            request, 413, _("This is too much at once. Please send fewer or smaller files."), "body_too_large"
        )
    return page(request, 400, _("This request could not be read."), "bad_request")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return page(request, 403, _("You may not do this."), "permission_denied")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return page(request, 404, _("There is nothing at this address."), "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    return page(request, 500, _("Something went wrong on our side. It has been noted."), "server_error")
