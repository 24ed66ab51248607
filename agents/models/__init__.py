"""People, how they come and learn, shifts and pay, one file a matter."""

from agents.models.learning import Answer, Attempt, Choice, LearningUnit, Question, Quiz
from agents.models.onboarding import Appeal, Application, Decision, DecisionKind, Hours, Letter, LetterKind
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
    "Answer",
    "Appeal",
    "Application",
    "Attempt",
    "Choice",
    "Decision",
    "DecisionKind",
    "EndReason",
    "EntryKind",
    "Hours",
    "LearningUnit",
    "Lease",
    "LedgerEntry",
    "Letter",
    "LetterKind",
    "Payout",
    "PayoutAccount",
    "PayoutItem",
    "PayoutRun",
    "PayoutStage",
    "PayoutState",
    "Pool",
    "Question",
    "Quiz",
    "RunState",
    "Shift",
    "ShiftState",
    "Skill",
    "User",
]
