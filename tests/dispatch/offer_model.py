"""What offers and shifts do, as a small pure model: the words of docs/architecture.md without a database.

Each command returns the name of the refusal that it must meet, or None. `now` is in seconds and moves when told to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

# Seconds, ten times those of life: a busy machine may take half a minute for an example, and no moment of it is near.
LEASE, GRACE, ANSWER, AGAIN = 150, 650, 250, 600
TICKET_UNITS = 30
LIVE = ("pending", "accepted")
AFTER_WORK = ("completed", "released")


@dataclass
class Shift:
    agent: str
    epoch: int
    units: int
    lease_until: int
    state: str = "online"
    reason: str = ""
    lost_at: int | None = None
    end_reason: str = ""

    @property
    def open(self) -> bool:
        return self.state != "ended"


@dataclass
class Offer:
    pk: int
    ticket: int
    shift: Shift
    expires_at: int
    automatic: bool
    state: str = "pending"
    reason: str = ""
    ended_at: int = 0

    @property
    def agent(self) -> str:
        return self.shift.agent


@dataclass
class Model:
    units: dict[str, int]  # agent → capacity
    now: int = 0
    auto: set[str] = field(default_factory=set)
    shifts: list[Shift] = field(default_factory=list)
    offers: dict[int, Offer] = field(default_factory=dict)
    tickets: dict[int, str] = field(default_factory=dict)  # id → state

    # --- Looking ------------------------------------------------------------------------------------------------------

    def open_shift(self, agent: str) -> Shift | None:
        return next((shift for shift in self.shifts if shift.agent == agent and shift.open), None)

    def last_epoch(self, agent: str) -> int:
        return max((shift.epoch for shift in self.shifts if shift.agent == agent), default=0)

    def of(
        self, *states: str, shift: Shift | None = None, ticket: int | None = None, agent: str | None = None
    ) -> list[Offer]:
        return [
            offer
            for offer in self.offers.values()
            if offer.state in states
            and (shift is None or offer.shift is shift)
            and (ticket is None or offer.ticket == ticket)
            and (agent is None or offer.agent == agent)
        ]

    def taken(self, shift: Shift) -> int:
        return TICKET_UNITS * len(self.of(*LIVE, shift=shift))

    def unfinished(self) -> set[int]:
        """Tickets that the customer closed, and perhaps reopened, and whose offers have not heard of it."""
        return {offer.ticket for offer in self.of("accepted") if self.tickets[offer.ticket] != "held"} | {
            offer.ticket for offer in self.of("pending") if self.tickets[offer.ticket] != "waiting"
        }

    def may_be_asked(self) -> set[tuple[int, str]]:
        """(ticket, agent) pairs that a run may choose from now."""
        free = {
            shift.agent
            for shift in self.shifts
            if shift.state == "online"
            and shift.lost_at is None
            and shift.lease_until > self.now
            and self.taken(shift) + TICKET_UNITS <= shift.units
            and not self.of("pending", agent=shift.agent)
        }
        return {
            (ticket, agent)
            for ticket, state in self.tickets.items()
            if state == "waiting" and not self.of("pending", ticket=ticket)
            for agent in free - self._not_again(ticket, free)
        }

    def _not_again(self, ticket: int, free: set[str]) -> set[str]:
        said_no: dict[str, int] = {}
        for offer in self.of("declined", "released", ticket=ticket):
            said_no[offer.agent] = max(offer.ended_at, said_no.get(offer.agent, offer.ended_at))
        if free <= said_no.keys():
            return {agent for agent, at in said_no.items() if self.now < at + AGAIN}
        return set(said_no)

    # --- The agent's shift --------------------------------------------------------------------------------------------

    def go_online(self, agent: str) -> None:
        shift = self.open_shift(agent)
        if shift is None:
            lease = self.now + LEASE
            self.shifts.append(Shift(agent, self.last_epoch(agent) + 1, self.units[agent], lease))
        else:
            shift.state, shift.reason, shift.lost_at = "online", "", None
            shift.lease_until = self.now + LEASE

    def choose(self, agent: str, epoch: int, state: str, reason: str) -> str | None:
        if refusal := self._wrong_shift(agent, epoch):
            return refusal
        shift = self.open_shift(agent)
        assert shift
        if (shift.state, shift.reason) != (state, reason):
            shift.state, shift.reason = state, reason
            self._end(self.of("pending", shift=shift), "revoked", state)
        return None

    def beat(self, agent: str, epoch: int) -> str | None:
        shift = self.open_shift(agent)
        if shift is None or shift.epoch != epoch:
            return "ShiftEnded"
        shift.lease_until, shift.lost_at = self.now + LEASE, None
        return None

    def go_offline(self, agent: str, epoch: int) -> str | None:
        if refusal := self._wrong_shift(agent, epoch):
            return refusal
        shift = self.open_shift(agent)
        assert shift
        self.end_shift(shift, "agent")
        return None

    def force_offline(self, shift: Shift) -> bool:
        if not shift.open:
            return False
        self.end_shift(shift, "forced")
        return True

    def end_shift(self, shift: Shift, reason: str) -> None:
        self._end(self.of("pending", shift=shift), "revoked", reason)
        for offer in self.of("accepted", shift=shift):
            if self.tickets[offer.ticket] == "held":
                self.tickets[offer.ticket] = "waiting"
                self._end([offer], "released", reason)
            else:  # the customer has closed it
                self._end([offer], "completed", "customer")
        shift.state, shift.reason, shift.end_reason = "ended", "", reason

    def _wrong_shift(self, agent: str, epoch: int) -> str | None:
        shift = self.open_shift(agent)
        if shift is not None and shift.epoch == epoch:
            return None
        known = any(one.agent == agent and one.epoch == epoch for one in self.shifts)
        return "NotOnline" if shift is None and not known else "ShiftEnded"

    # --- Offers -------------------------------------------------------------------------------------------------------

    def made(self, offer: Offer) -> None:
        self.offers[offer.pk] = offer

    def accept_due(self) -> None:
        for offer in self.of("pending"):
            if offer.automatic and offer.agent in self.auto and self.now < offer.expires_at:
                self.accept(offer.pk, offer.agent, offer.shift.epoch, automatic=True)

    def accept(self, pk: int, agent: str, epoch: int, *, automatic: bool = False) -> str | None:
        offer = self.offers[pk]
        if offer.agent != agent:
            return "OfferNotFound"
        if (not offer.shift.open or offer.shift.epoch != epoch) and (
            refusal := self._wrong_shift(agent, epoch)
        ):
            return refusal
        if not self._answerable(offer, epoch):
            return self._already(offer, "accepted", *AFTER_WORK)
        if self.tickets[offer.ticket] != "waiting":
            return "OfferGone"
        self._end(self.of("accepted", ticket=offer.ticket), "completed", "customer")  # closed and reopened
        offer.state, offer.automatic = "accepted", automatic
        self.tickets[offer.ticket] = "held"
        self._end(self.of("pending", ticket=offer.ticket), "rescinded", "taken")
        return None

    def decline(self, pk: int, agent: str, epoch: int) -> str | None:
        offer = self.offers[pk]
        if offer.agent != agent:
            return "OfferNotFound"
        if refusal := self._wrong_shift(agent, epoch):
            return refusal
        if not self._answerable(offer, epoch):
            return self._already(offer, "declined")
        self._end([offer], "declined", "")
        return None

    def _answerable(self, offer: Offer, epoch: int) -> bool:
        return offer.state == "pending" and self.now < offer.expires_at and offer.shift.epoch == epoch

    def _already(self, offer: Offer, *same: str) -> str | None:
        if offer.state in same:
            return None
        return "OfferExpired" if offer.state in ("pending", "expired") else "OfferGone"

    def expire_due(self) -> None:
        for offer in self.of("pending"):
            if offer.expires_at > self.now:
                continue
            if offer.automatic and offer.agent in self.auto:
                self._end([offer], "revoked", "deadline")  # nobody was asked
                continue
            self._end([offer], "expired", "deadline")
            if offer.shift.state == "online":
                offer.shift.state, offer.shift.reason = "paused", "missed_offer"

    def _end(self, offers: list[Offer], state: str, reason: str) -> None:
        for offer in offers:
            offer.state, offer.reason, offer.ended_at = state, reason, self.now

    # --- The holder ---------------------------------------------------------------------------------------------------

    def finish_work(self, ticket: int, agent: str, epoch: int, *, resolve: bool) -> str | None:
        """Resolve, or hand back."""
        if refusal := self._wrong_shift(agent, epoch):
            return refusal
        mine = self.of("accepted", ticket=ticket, agent=agent)
        if not mine:
            return "NotHolder"
        if self.tickets[ticket] != "held":
            return "TicketClosed"
        self.tickets[ticket] = "resolved" if resolve else "waiting"
        self._end(mine, *(("completed", "resolved") if resolve else ("released", "handed_back")))
        return None

    # --- The customer -------------------------------------------------------------------------------------------------

    def close(self, ticket: int) -> str | None:
        if self.tickets[ticket] not in ("waiting", "held"):
            return "TicketClosed"
        self.tickets[ticket] = "closed"
        return None

    def reopen(self, ticket: int) -> str | None:
        if self.tickets[ticket] not in ("resolved", "closed"):
            return "TicketNotResolved"
        self.tickets[ticket] = "waiting"
        return None

    def hear_of_closing(self, ticket: int) -> None:
        if self.tickets[ticket] != "waiting":
            self._end(self.of("pending", ticket=ticket), "cancelled", "customer")
        if self.tickets[ticket] != "held":
            self._end(self.of("accepted", ticket=ticket), "completed", "customer")

    # --- The clock ----------------------------------------------------------------------------------------------------

    def leases_end(self) -> None:
        for shift in self.shifts:
            if shift.open and shift.lost_at is None and shift.lease_until <= self.now:
                shift.lost_at = self.now
                self._end(self.of("pending", shift=shift), "revoked", "lease")

    def graces_end(self) -> None:
        for shift in self.shifts:
            if not shift.open or shift.lost_at is None:
                continue
            if not self.of("accepted", shift=shift) or shift.lost_at + GRACE <= self.now:
                self.end_shift(shift, "lease")

    def finished_end(self) -> None:
        for shift in self.shifts:
            if shift.state == "finishing" and shift.lost_at is None and not self.of(*LIVE, shift=shift):
                self.end_shift(shift, "finished")

    # --- All of it ----------------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Every row that the database must have, in any order."""
        for ticket, state in self.tickets.items():
            yield "ticket", ticket, state
        for offer in self.offers.values():
            yield (
                "offer",
                offer.pk,
                offer.agent,
                offer.shift.epoch,
                offer.state,
                offer.reason,
                offer.automatic,
            )
        for shift in self.shifts:
            said = (shift.state, shift.reason, shift.lost_at is not None, shift.end_reason)
            yield "shift", shift.agent, shift.epoch, *said, self.taken(shift)
        for agent in sorted(self.units):
            yield "agent", agent, agent in self.auto
