"""What an agent has earned: the console, the page, the file; each currency by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import EntryKind, LedgerEntry
from agents.pay import credit
from dispatch import cards, desk
from dispatch.models import Offer
from tests.cast import World
from tests.console import Person, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_earnings(world: World) -> None:
    anna = Person(world, "Anna").online()
    assert "Nothing earned yet." in text_of(anna.get("/console/earnings/"))
    ticket = anna.holding()
    desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
    page = text_of(anna.get("/console/earnings/"))
    assert page.count("€4.00") == 4  # today, 7 days, in all, the line
    assert f"{ticket.number} · Refund" in page
    lines = b"".join(anna.get("/console/earnings.csv")).decode("utf-8-sig").splitlines()  # type: ignore[arg-type]
    assert lines[0] == "Date,Kind,What,Reference,Amount,Currency"
    assert lines[1].endswith(f",{ticket.number} · Refund,offer:{Offer.objects.get().pk},4.00,EUR")
    bernd = Person(world, "Bernd", language="de")
    assert "Noch nichts verdient." in text_of(bernd.get("/console/earnings/"))
    assert "0,00\xa0€" in text_of(bernd.get("/console/earnings/"))


def test_earnings_of_two_currencies_are_two_sums(world: World) -> None:
    anna = Person(world, "Anna")
    for place, (cents, currency) in enumerate(((400, "EUR"), (300, "USD"), (50, "EUR"))):
        credit(
            agent_id=anna.agent.pk,
            kind=EntryKind.TICKET,
            amount_cents=cents,
            currency=currency,
            reference=f"test:{place}",
            memo="",
        )
    LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(
                agent=anna.agent,
                kind=EntryKind.TICKET,
                amount_cents=1000,
                currency="GBP",
                reference=f"test:old-{days}",
                created_at=timezone.now() - timedelta(days=days),
            )
            for days in (2, 8)
        ]
    )
    assert cards.earnings(anna.agent.pk, anna.agent.zone) == [
        {"currency": "EUR", "today_cents": 450, "week_cents": 450, "pending_cents": 450, "paid_cents": 0},
        {"currency": "GBP", "today_cents": 0, "week_cents": 1000, "pending_cents": 2000, "paid_cents": 0},
        {"currency": "USD", "today_cents": 300, "week_cents": 300, "pending_cents": 300, "paid_cents": 0},
    ]
    for path in ("/console/", "/console/earnings/"):
        page = text_of(anna.get(path))
        assert "€4.50 + $3.00<" in page
        assert "€4.50 + £10.00 + $3.00<" in page
        assert "€4.50 + £20.00 + $3.00<" in page
        for show in ("today", "week", "pending", "paid"):
            assert f"?show={show}#lines" in page
    bernd = world.agent("Bernd")
    assert cards.earnings(bernd.pk, bernd.zone) == [
        {"currency": "EUR", "today_cents": 0, "week_cents": 0, "pending_cents": 0, "paid_cents": 0}
    ]
