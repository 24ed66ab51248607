"""Drafts on the server: what was typed is there after a reload, in another browser and on another device."""

from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from agents.models import Agent
from dispatch.errors import NotHolder
from dispatch.models import Draft, DraftKind, Offer
from tickets.conversation import body_clean

Drafts = dict[str, dict[str, Any]]
"""Kind → {"body", "number"}."""


def keep(*, agent: Agent, ticket_id: int, kind: DraftKind, body: str) -> int:
    """Save what is typed, an empty text too; returns its number. The last writer wins. Two queries.

    Card numbers and the like are taken out as from messages. Raises NotHolder (not on their desk), MessageTooLong, BadText.
    """
    body = body_clean(body, required=False)
    if not Offer.objects.filter(Offer.ON_DESK, agent=agent, ticket_id=ticket_id).exists():
        raise NotHolder
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dispatch_draft (ticket_id, agent_id, kind, body, number) VALUES (%s, %s, %s, %s, 1)"
            " ON CONFLICT (ticket_id, agent_id, kind) DO UPDATE SET body = excluded.body,"
            " number = dispatch_draft.number + 1, saved_at = statement_timestamp() RETURNING number",
            [ticket_id, agent.pk, kind, body],
        )
        return int(cursor.fetchone()[0])


def of(agent: Agent) -> dict[str, Drafts]:
    """Public id → drafts, of the tickets on this agent's desk. One query."""
    found: dict[str, Drafts] = {}
    for public_id, kind, body, number in Draft.objects.filter(_on_desk(), agent=agent).values_list(
        "ticket__public_id", "kind", "body", "number"
    ):
        found.setdefault(public_id, {})[kind] = {"body": body, "number": number}
    return found


def tidy() -> int:
    """Forget the drafts of tickets that have left the desk of who typed them. Returns how many. One query."""
    return Draft.objects.exclude(_on_desk()).delete()[0]


def _on_desk() -> Exists:
    return Exists(Offer.objects.filter(Offer.ON_DESK, ticket=OuterRef("ticket"), agent=OuterRef("agent")))
