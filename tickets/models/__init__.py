"""Tickets and what belongs to them, one file a matter."""

from tickets.models.articles import Article, ArticleState, ArticleVersion
from tickets.models.assistance import AssistantAnswer, AssistantRule, Calibration, HandoverReason, Phrasing
from tickets.models.blocks import Block, BlockKind
from tickets.models.calendars import Calendar, ClosedDay, OpeningHours
from tickets.models.conversation import Attachment, Author, Message
from tickets.models.knowledge import CannedReply
from tickets.models.mail import AwayMail, MailIn, Outcome
from tickets.models.rating import Rating
from tickets.models.returning import LinkRequest
from tickets.models.ticket import (
    MISUSE_CHOICES,
    MISUSES,
    AssistantUse,
    Channel,
    Customer,
    EndedAs,
    Ticket,
    TicketState,
    Topic,
)
from tickets.models.timeline import TicketEvent
from tickets.models.triage import LabelSource, TriageLabel, TriageModel

__all__ = [
    "MISUSES",
    "MISUSE_CHOICES",
    "Article",
    "ArticleState",
    "ArticleVersion",
    "AssistantAnswer",
    "AssistantRule",
    "AssistantUse",
    "Attachment",
    "Author",
    "AwayMail",
    "Block",
    "BlockKind",
    "Calendar",
    "Calibration",
    "CannedReply",
    "Channel",
    "ClosedDay",
    "Customer",
    "EndedAs",
    "HandoverReason",
    "LabelSource",
    "LinkRequest",
    "MailIn",
    "Message",
    "OpeningHours",
    "Outcome",
    "Phrasing",
    "Rating",
    "Ticket",
    "TicketEvent",
    "TicketState",
    "Topic",
    "TriageLabel",
    "TriageModel",
]
