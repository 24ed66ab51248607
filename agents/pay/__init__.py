"""Money of agents: the ledger, payout details, payout runs, the file for the bank, statements."""

from agents.pay.ledger import credit

__all__ = ["credit"]
