"""Every event of an agent's feed, declared once. The same rules as in tickets/events.py, and on the same page."""

from tickets.events import declare_internal

SHIFT_CHANGED = declare_internal(
    "shift.changed",
    "The agent's shift is in this state now.",
    epoch="integer",
    state="string",
    reason="string",
    lost="boolean",
)
AUTO_ACCEPT_CHANGED = declare_internal(
    "auto_accept.changed",
    "The agent has switched auto-accept: whether offers are accepted for them.",
    auto_accept="boolean",
)
OFFER_MADE = declare_internal(
    "offer.made",
    "A ticket is offered. The deadline is the server's; pay and surge are what accepting and resolving it pays.",
    offer="integer",
    expires_at="string",
    seconds_left="number",
    pay_cents="integer",
    surge_cents="integer",
    bonus_cents="integer",
    bonus_score="integer",
    waiting_cents="integer",
    waiting_minutes="integer",
    release_percent="integer",
    currency="string",
    topic="string|null",
    topic_name="string",
    skills="array",
    language="string",
    expected_minutes="integer",
    waiting_since="string",
    summary="string",
    handover="string",
    why="array",
    next_up="boolean",
)
_ENDED = {"offer": "integer", "reason": "string"}
OFFER_ACCEPTED = declare_internal(
    "offer.accepted",
    "The agent is the ticket's holder now. `automatic`: it was accepted for them, by their own switch.",
    ticket="string",
    automatic="boolean",
    **_ENDED,
)
OFFER_DECLINED = declare_internal("offer.declined", "The agent said no.", **_ENDED)
OFFER_EXPIRED = declare_internal("offer.expired", "The deadline passed; the shift is paused.", **_ENDED)
OFFER_RESCINDED = declare_internal("offer.rescinded", "Another agent was faster.", **_ENDED)
OFFER_REVOKED = declare_internal(
    "offer.revoked", "Taken back: offline, connection lost, or an admin.", **_ENDED
)
OFFER_CANCELLED = declare_internal("offer.cancelled", "The customer needs it no longer.", **_ENDED)
OFFER_COMPLETED = declare_internal(
    "offer.completed",
    "The work on the ticket is done. Its units stay taken until the wrap-up ends, if there is one.",
    ticket="string",
    wrap_up_until="string|null",
    **_ENDED,
)
OFFER_RELEASED = declare_internal(
    "offer.released", "The ticket is no longer with the agent.", ticket="string", **_ENDED
)
RESOLVE_PLANNED = declare_internal(
    "resolve.planned",
    "The message is sent, and the ticket will be resolved at this moment, unless that is undone.",
    ticket="string",
    offer="integer",
    resolves_at="string",
)
RESOLVE_UNDONE = declare_internal(
    "resolve.undone",
    "The ticket stays with the agent: they took it back, or the customer wrote.",
    ticket="string",
    **_ENDED,
)
WRAP_UP_ENDED = declare_internal(
    "wrap_up.ended",
    "The wrap-up of a completed ticket is over, its units are free.",
    ticket="string",
    **_ENDED,
)
ATTENTION_CHANGED = declare_internal(
    "attention.changed",
    "A held ticket takes this many units now: fewer while its customer is silent.",
    ticket="string",
    offer="integer",
    units="integer",
    silent="boolean",
)
LEDGER_CREDITED = declare_internal(
    "ledger.credited",
    "Work was paid: a line was added to the agent's ledger.",
    kind="string",
    amount_cents="integer",
    currency="string",
    reference="string",
    memo="string",
)
