"""Offers, routing, runs and the agents' feeds, one file a matter."""

from dispatch.models.alerts import Alert, AlertKind, AlertRule
from dispatch.models.audit import AuditAct, AuditLink
from dispatch.models.changes import Change, ChangeKind
from dispatch.models.desk import DeskKeys, Draft, DraftKind
from dispatch.models.feed import Feed, FeedEvent
from dispatch.models.forecasts import Forecast
from dispatch.models.hours import Booking, NeededHour
from dispatch.models.misuse import Misuse
from dispatch.models.offers import Offer, OfferState
from dispatch.models.passing import Escalation, Transfer
from dispatch.models.practice import Practice, PracticePoint, PracticeScript
from dispatch.models.promise import PromisedAnswer, PromiseDay
from dispatch.models.pulses import ProcessKind, Pulse
from dispatch.models.quality import Contest, Outcome, Review
from dispatch.models.reveals import Reveal, RevealReason
from dispatch.models.routing import Policy, Rate, Requirement, Route, RouteStep
from dispatch.models.runs import PoolStanding, Run, Standing
from dispatch.models.simulations import Simulation, SimulationState
from dispatch.models.suggestions import Suggestion, SuggestionKind
from dispatch.models.wallboard import HalfHour, LeadAction, LeadActionKind
from dispatch.models.webhooks import DeliveryState, StoppedBy, WebhookDelivery, WebhookEndpoint, WebhookTry

__all__ = [
    "Alert",
    "AlertKind",
    "AlertRule",
    "AuditAct",
    "AuditLink",
    "Booking",
    "Change",
    "ChangeKind",
    "Contest",
    "DeliveryState",
    "DeskKeys",
    "Draft",
    "DraftKind",
    "Escalation",
    "Feed",
    "FeedEvent",
    "Forecast",
    "HalfHour",
    "LeadAction",
    "LeadActionKind",
    "Misuse",
    "NeededHour",
    "Offer",
    "OfferState",
    "Outcome",
    "Policy",
    "PoolStanding",
    "Practice",
    "PracticePoint",
    "PracticeScript",
    "ProcessKind",
    "PromiseDay",
    "PromisedAnswer",
    "Pulse",
    "Rate",
    "Requirement",
    "Reveal",
    "RevealReason",
    "Review",
    "Route",
    "RouteStep",
    "Run",
    "Simulation",
    "SimulationState",
    "Standing",
    "StoppedBy",
    "Suggestion",
    "SuggestionKind",
    "Transfer",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookTry",
]
