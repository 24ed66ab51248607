"""The ledger only grows, its sums are exact, and nothing is credited twice."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from agents.errors import BadAdjustment
from agents.models import Agent, EntryKind, LedgerEntry, User
from agents.pay import credit
from agents.pay.ledger import adjust, standing
from agents.pay.statements import decimal
from tests.agents.conftest import Office, lines_of

AMOUNTS = st.lists(st.tuples(st.sampled_from(["EUR", "USD"]), st.integers(1, 2**53)), max_size=20)


class TestSums(TestCase):
    @given(AMOUNTS)
    def test_sums_are_exact_for_each_currency(self, lines: list[tuple[str, int]]) -> None:
        user = User.objects.create_user("anna@agents.example", "x")
        anna = Agent.objects.create(user=user, name="Anna")
        for number, (currency, cents) in enumerate(lines):
            credit(
                agent_id=anna.pk,
                kind=EntryKind.TICKET,
                amount_cents=cents,
                currency=currency,
                reference=f"offer:{number}",
                memo="",
            )
        assert standing(anna.pk) == [
            {
                "currency": currency,
                "pending_cents": sum(cents for one, cents in lines if one == currency),
                "paid_cents": 0,
            }
            for currency in sorted({currency for currency, _cents in lines})
        ]


@given(st.integers(-(10**18), 10**18))
def test_cents_as_a_decimal_are_the_same_amount(cents: int) -> None:
    assert Decimal(decimal(cents)) * 100 == cents


pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("change", ["update", "delete"])
def test_no_line_is_ever_changed(office: Office, change: str) -> None:
    anna = office.owes("Anna", 400)
    rows = LedgerEntry.objects.all()
    act = rows.delete if change == "delete" else lambda: rows.update(amount_cents=1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        act()
    assert lines_of(anna) == [("ticket", 400)]


@pytest.mark.parametrize(
    ("kind", "cents"), [("ticket", 0), ("ticket", -5), ("bonus", -5), ("payout", 5), ("adjustment", 0)]
)
def test_the_sign_is_that_of_the_kind(office: Office, kind: str, cents: int) -> None:
    anna = office.owes("Anna")
    with pytest.raises(IntegrityError, match="ledger_sign_of_kind"), transaction.atomic():
        LedgerEntry.objects.create(
            agent=anna,
            kind=kind,
            amount_cents=cents,
            currency="EUR",
            reference="x",
            memo="x",
            author=office.olga,
        )
    assert lines_of(anna) == []


def test_an_adjustment_is_by_a_person_for_a_reason_once_a_form(office: Office) -> None:
    anna = office.owes("Anna", 400)
    asked = {"agent_id": anna.pk, "currency": "EUR", "author_id": office.olga.pk}
    for _ in range(2):
        line = adjust(**asked, amount_cents=-150, reason=" Paid twice ", key="k")  # type: ignore[arg-type]
        assert (line.memo, line.author) == ("Paid twice", office.olga)
    assert lines_of(anna) == [("ticket", 400), ("adjustment", -150)]
    for cents, reason in ((0, "x"), (100, "  "), (1_000_001, "x"), (-1_000_001, "x")):
        with pytest.raises(BadAdjustment):
            adjust(**asked, amount_cents=cents, reason=reason, key="other")  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match="ledger_adjusted_by_a_person"), transaction.atomic():
        LedgerEntry.objects.create(
            agent=anna, kind="adjustment", amount_cents=5, currency="EUR", reference="x", memo="x"
        )
    assert len(lines_of(anna)) == 2
