"""What all operations of the API have in common, told to OpenAPI once: errors, Idempotency-Key, ways to sign in.

A view says what its services may refuse in `refuses` (method → classes with `code` and `status`), and with `keyless` that
it takes no Idempotency-Key.
"""

from collections import defaultdict
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.permissions import AllowAny

from agents.tokens import SCOPES
from config.problems import PROBLEM_JSON
from tickets.wire import MAX_KEY


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457. `code` is stable, for programs; `detail` is in the reader's language, for people."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    # Collected by name into the serializer's fields, so it does not hide Serializer.errors.
    errors = serializers.JSONField(required=False, help_text="Field → what is wrong with it.")  # type: ignore[assignment]


KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description=(
        "Sent again with the same key, the command is not done again and answers the same; with the same key and other "
        "content it is refused (`idempotency_key_reused`). Use a fresh UUID a command."
    ),
    type={"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]+$"},
)


class Schema(AutoSchema):
    def get_override_parameters(self) -> list[Any]:
        found = list(super().get_override_parameters())
        if self.method == "POST" and not getattr(self.view, "keyless", False):
            found.append(KEY)
        return found

    def get_summary(self) -> str | None:
        """The first sentence of the view's docstring, in lists of operations; the whole of it is the description."""
        says = " ".join(self.get_description().split())
        first, dot, _more = says.partition(". ")
        return first if dot else says.removesuffix(".")

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        problem = self.resolve_serializer(ProblemSerializer, "response")
        for status, codes in sorted(self._codes(operation).items()):
            operation["responses"].setdefault(
                str(status),
                {
                    "description": ", ".join(f"`{code}`" for code in sorted(codes)),
                    "content": {PROBLEM_JSON: {"schema": problem.ref}},
                },
            )
        return operation

    def _codes(self, operation: dict[str, Any]) -> dict[int, set[str]]:
        """Status → codes of the errors that this operation may answer with."""
        codes: dict[int, set[str]] = defaultdict(set)
        codes[503] |= {"try_again", "overloaded"}
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        if "Idempotency-Key" in names:
            codes[400].add("idempotency_key_invalid")
        if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
            codes[400].add("invalid")
        if self.method == "POST":  # also those that read nothing want, if anything, an object of JSON
            codes[400] |= {"parse_error", "invalid"}
            codes[413].add("body_too_large")
            codes[415].add("unsupported_media_type")
        if not any(isinstance(permission, AllowAny) for permission in self.view.get_permissions()):
            codes[401] |= {"not_authenticated", "authentication_failed"}
            codes[403].add("csrf")
            if hasattr(type(self.view), "ticket"):
                codes[404].add("ticket_not_found")
            elif hasattr(self.view, "scopes"):
                codes[403] |= {"scope_missing", "permission_denied"}
            else:
                codes[403].add("not_an_agent")
        if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
            codes[404].add("not_found")
        if hasattr(self.view, "throttle_scope") and self.method in getattr(
            self.view, "throttle_methods", [self.method]
        ):
            codes[429].add("throttled")
        for refusal in getattr(self.view, "refuses", {}).get(self.method.lower(), ()):
            codes[getattr(refusal, "status", None) or refusal.status_code].add(
                getattr(refusal, "code", None) or refusal.default_code
            )
        return codes


class IntegrationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "agents.accounts.ScopedTokenAuthentication"
    name = "integrationToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002
        scopes = "; ".join(f"`{scope}`: {one.says}" for scope, one in SCOPES.items())
        return {
            "type": "http",
            "scheme": "bearer",
            "description": f"`Bearer <token>`, of another system, with the scopes that it needs. {scopes}",
        }


class TicketScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tickets.api.TicketAuthentication"
    name = "ticketToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": (
                "`Ticket <token>`, the token of the ticket's private link. Browsers may send it in the cookie `t-<id>` "
                "instead, and then send the CSRF token (`X-CSRFToken`) with every change."
            ),
        }
