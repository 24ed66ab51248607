"""What an offer may become, when, and what follows for the person who was asked."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum

AGAIN_SECONDS = (
    60.0  # a declined ticket comes to the same person again at the earliest after this, and last of all
)


class State(StrEnum):
    """The words of dispatch.models.OfferState, which says what each means."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    RESCINDED = "rescinded"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    RELEASED = "released"


AFTER_PENDING = frozenset(
    {State.ACCEPTED, State.DECLINED, State.EXPIRED, State.RESCINDED, State.REVOKED, State.CANCELLED}
)
AFTER_WORK = frozenset({State.COMPLETED, State.RELEASED})
FOLLOWS: Mapping[State, frozenset[State]] = {
    State.PENDING: AFTER_PENDING,
    State.ACCEPTED: AFTER_WORK,
    **dict.fromkeys((AFTER_PENDING | AFTER_WORK) - {State.ACCEPTED}, frozenset()),
}
"""Which states may follow which; the database's trigger refuses any other step."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What the end of an offer does beside freeing its units."""

    pauses: bool = False  # the agent, so that nothing is offered to an empty chair
    revokes_others: bool = False  # the agent's other open offers
    rescinds_siblings: bool = False  # the ticket's other open offers
    remembered: bool = False  # as a no of this agent to this ticket


EFFECTS: Mapping[State, Effect] = {
    State.ACCEPTED: Effect(rescinds_siblings=True),
    State.DECLINED: Effect(remembered=True),
    State.EXPIRED: Effect(pauses=True, revokes_others=True),
    State.RESCINDED: Effect(),
    State.REVOKED: Effect(),
    State.CANCELLED: Effect(),
    State.COMPLETED: Effect(),
    State.RELEASED: Effect(remembered=True),
}


def deadline(made_at: float, offer_seconds: float) -> float:
    """When an offer expires, in seconds on the clock of `made_at`."""
    return made_at + offer_seconds


def answerable(now: float, expires_at: float) -> bool:
    """Whether a pending offer can still be answered; at the deadline itself it cannot."""
    return now < expires_at


def excluded(answered: Mapping[int, float], here: Set[int], now: float) -> frozenset[int]:
    """Agents to whom a ticket is not offered now.

    answered: agent → when they last said no to this ticket, in seconds; here: agents who are free and may take it. Who said no
    is not asked again until everybody else of these has, and never within AGAIN_SECONDS. People who may not take it do not
    count: with them, a ticket to which all able people said no would wait for ever.
    """
    # The sum, not the difference: who looks again at said_at + AGAIN_SECONDS must not be told to wait by a rounding.
    if here <= answered.keys():
        return frozenset(agent for agent, said_at in answered.items() if now < said_at + AGAIN_SECONDS)
    return frozenset(answered)


def may_be_asked(*, online: bool, open_offers: int) -> bool:
    """Whether an agent may get an offer: online, and no open offer to answer. Their units are another question."""
    return online and open_offers == 0


def in_parallel(turn: int, *, idle: bool) -> bool:
    """Whether the offer of a ticket's round `turn`, from 1, is made: only the first goes to who is still wrapping up.

    A parallel one is to save seconds, and they would begin later than anybody idle.
    """
    return turn == 1 or idle


def asks_nobody_else(auto_accepts: Set[int], asked: list[int]) -> list[int]:
    """Of the agents that a run wants to ask about one ticket, in its order: those who are asked.

    The first who accepts automatically is the only one: others would be asked for nothing.
    """
    return next(([agent] for agent in asked if agent in auto_accepts), asked)
