"""Suspending somebody: the decision of a person, and the end of what they have open, in one transaction."""

from agents import onboarding
from agents.models import Decision, DecisionKind, User
from dispatch import hours, presence
from tickets import timeline


def suspend(*, agent_id: int, by: User, reason: str) -> Decision:
    """The agent may not go online any more; their shift ends, open offers are taken back, held tickets wait again, and
    booked seats are free. Outermost.

    Whoever goes online at the same moment waits for this, or is ended by it: both lock the agent's row first. Raises
    NotDecidable, OwnCase, ReasonMissing; then nothing has ended.
    """
    with timeline.command():
        decision = onboarding.decide(agent_id=agent_id, kind=DecisionKind.SUSPENDED, by=by, reason=reason)
        presence.shift_force(agent_id=agent_id)
        hours.bookings_give_back(agent_id)
    return decision
