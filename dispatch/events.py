"""Every event of an agent's feed, declared once. The same rules as in tickets/events.py, and on the same page."""

from tickets.events import declare

SHIFT_CHANGED = declare(
    "shift.changed",
    "The agent's shift is in this state now.",
    public=False,
    epoch="integer",
    state="string",
    reason="string",
    lost="boolean",
)
OFFER_MADE = declare(
    "offer.made",
    "A ticket is offered. The deadline is the server's; pay is what accepting and resolving it pays.",
    public=False,
    offer="integer",
    expires_at="string",
    seconds_left="number",
    pay_cents="integer",
    currency="string",
    topic="string|null",
    topic_name="string",
    skills="array",
    language="string",
    expected_minutes="integer",
    waiting_since="string",
    summary="string",
    why="array",
)
_ENDED = {"offer": "integer", "reason": "string"}
OFFER_ACCEPTED = declare(
    "offer.accepted", "The agent is the ticket's holder now.", public=False, ticket="string", **_ENDED
)
OFFER_DECLINED = declare("offer.declined", "The agent said no. Nothing else follows.", public=False, **_ENDED)
OFFER_EXPIRED = declare("offer.expired", "The deadline passed; the shift is paused.", public=False, **_ENDED)
OFFER_RESCINDED = declare("offer.rescinded", "Another agent was faster.", public=False, **_ENDED)
OFFER_REVOKED = declare(
    "offer.revoked", "Taken back: offline, connection lost, or an admin.", public=False, **_ENDED
)
OFFER_CANCELLED = declare("offer.cancelled", "The customer needs it no longer.", public=False, **_ENDED)
OFFER_COMPLETED = declare(
    "offer.completed", "The work on the ticket is done.", public=False, ticket="string", **_ENDED
)
OFFER_RELEASED = declare(
    "offer.released", "The ticket is no longer with the agent.", public=False, ticket="string", **_ENDED
)
LEDGER_CREDITED = declare(
    "ledger.credited",
    "A line was added to the agent's ledger.",
    public=False,
    amount_cents="integer",
    currency="string",
    reference="string",
    memo="string",
)
