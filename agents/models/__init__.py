"""People, shifts and pay, one file a matter."""

from agents.models.pay import EntryKind, LedgerEntry
from agents.models.payouts import (
    Payout,
    PayoutAccount,
    PayoutItem,
    PayoutRun,
    PayoutStage,
    PayoutState,
    RunState,
)
from agents.models.people import Agent, AgentSkill, AgentStatus, Pool, Skill, User
from agents.models.shifts import EndReason, Lease, Shift, ShiftState

__all__ = [
    "Agent",
    "AgentSkill",
    "AgentStatus",
    "EndReason",
    "EntryKind",
    "Lease",
    "LedgerEntry",
    "Payout",
    "PayoutAccount",
    "PayoutItem",
    "PayoutRun",
    "PayoutStage",
    "PayoutState",
    "Pool",
    "RunState",
    "Shift",
    "ShiftState",
    "Skill",
    "User",
]
