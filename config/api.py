"""What the document of the API says of itself (drf-spectacular); how it is made is config/schema.py."""

from typing import Any

DOCUMENT: dict[str, Any] = {
    "TITLE": "Standby",
    "DESCRIPTION": (
        "Tickets, offers and the desk. Live news comes over the websocket, see docs/protocol.md. Errors are "
        "application/problem+json (RFC 9457) with a stable `code`, and a `detail` in the language of Accept-Language "
        "(English or German)."
    ),
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "TAGS": [
        {"name": "customers", "description": "Tickets, by the token of their private link."},
        {"name": "agents", "description": "Who is signed in as an agent, and what they earn."},
        {"name": "shift", "description": "Going online and offline, and the agent's own settings."},
        {"name": "offers", "description": "Offers of tickets to the agent who asks."},
        {"name": "desk", "description": "Work on tickets that the agent holds."},
        {"name": "decisions", "description": "Runs of the matching and their reasons, for team leads."},
        {"name": "mail", "description": "Mails of customers, handed over by a mail server."},
        {"name": "staff", "description": "Lists for team leads and other systems, by scope or permission."},
        {"name": "webhooks", "description": "News to other systems, and how its delivery went."},
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "TicketStateEnum": "tickets.models.TicketState",
        "OfferStateEnum": "dispatch.models.OfferState",
        "ShiftStateEnum": "dispatch.serializers.OPEN_SHIFT",
        "EndedAsEnum": "tickets.models.EndedAs",
        "MisuseEnum": "tickets.models.MISUSE_CHOICES",
        "DraftKindEnum": "dispatch.models.DraftKind",
    },
}
