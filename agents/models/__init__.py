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
from agents.models.push import CallWishes, PushDevice
from agents.models.rights import DataExport, Inquiry, InquiryKind, Leaving, Notice, NoticeKind
from agents.models.shifts import EndReason, Lease, Shift, ShiftState
from agents.models.tokens import AccountToken, ApiToken

__all__ = [
    "AccountToken",
    "Agent",
    "AgentSkill",
    "AgentStatus",
    "Answer",
    "ApiToken",
    "Appeal",
    "Application",
    "Attempt",
    "CallWishes",
    "Choice",
    "DataExport",
    "Decision",
    "DecisionKind",
    "EndReason",
    "EntryKind",
    "Hours",
    "Inquiry",
    "InquiryKind",
    "LearningUnit",
    "Lease",
    "Leaving",
    "LedgerEntry",
    "Letter",
    "LetterKind",
    "Notice",
    "NoticeKind",
    "Payout",
    "PayoutAccount",
    "PayoutItem",
    "PayoutRun",
    "PayoutStage",
    "PayoutState",
    "Pool",
    "PushDevice",
    "Question",
    "Quiz",
    "RunState",
    "Shift",
    "ShiftState",
    "Skill",
    "User",
]
