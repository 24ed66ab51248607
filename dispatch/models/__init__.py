"""Offers, routing, runs and the agents' feeds, one file a matter."""

from dispatch.models.alerts import Alert, AlertKind
from dispatch.models.desk import DeskKeys, Draft, DraftKind
from dispatch.models.feed import Feed, FeedEvent
from dispatch.models.offers import Offer, OfferState
from dispatch.models.passing import Escalation, Transfer
from dispatch.models.routing import Policy, Rate, Requirement, Route, RouteStep
from dispatch.models.runs import PoolStanding, Run, Standing
from dispatch.models.simulations import Simulation, SimulationState

__all__ = [
    "Alert",
    "AlertKind",
    "DeskKeys",
    "Draft",
    "DraftKind",
    "Escalation",
    "Feed",
    "FeedEvent",
    "Offer",
    "OfferState",
    "Policy",
    "PoolStanding",
    "Rate",
    "Requirement",
    "Route",
    "RouteStep",
    "Run",
    "Simulation",
    "SimulationState",
    "Standing",
    "Transfer",
]
