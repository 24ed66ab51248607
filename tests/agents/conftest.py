"""People who are owed something, and the office that pays."""

import pytest

from agents.models import Agent, EntryKind, LedgerEntry, User
from agents.pay import credit
from agents.pay.accounts import account_save
from tests.cast import PASSWORD, World

IBAN = "DE89 3704 0044 0532 0130 00"
HINT = "DE89 •••• 3000"


class Office:
    """Olga makes runs, Otto approves them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.olga = User.objects.create_superuser("olga@staff.example", PASSWORD, name="Olga")
        self.otto = User.objects.create_superuser("otto@staff.example", PASSWORD, name="Otto")
        self.lines = 0

    def owes(self, name: str, *amounts: int, currency: str = "EUR", account: bool = True) -> Agent:
        """This agent, with a line for each amount, and payout details."""
        agent = self.world.agents.get(name) or self.world.agent(name)
        for cents in amounts:
            self.lines += 1
            credit(
                agent_id=agent.pk,
                kind=EntryKind.TICKET,
                amount_cents=cents,
                currency=currency,
                reference=f"offer:{self.lines}",
                memo=f"S-{self.lines} · Refund",
            )
        if account and not hasattr(agent, "payout_account"):
            account_save(agent_id=agent.pk, holder=f"{name} Müller", iban=IBAN)
        return agent


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def lines_of(agent: Agent) -> list[tuple[str, int]]:
    """(kind, cents) of all lines of an agent, oldest first."""
    return list(LedgerEntry.objects.filter(agent=agent).order_by("pk").values_list("kind", "amount_cents"))
