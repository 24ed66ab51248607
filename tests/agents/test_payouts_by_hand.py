"""Runs in other currencies than euros: no file for the bank, but a list by which a person pays."""

import csv
import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from agents.errors import NotEuro, PaidByFile, RunMoved
from agents.models import PayoutRun
from agents.pay import runs
from agents.pay.ledger import standing
from tests.agents.conftest import Office
from tests.agents.test_payouts import today
from tests.untouched import nothing_changed


@pytest.mark.django_db
def test_a_run_in_dollars_is_no_file_for_the_bank_and_paid_by_hand(
    office: Office, invariants_hold: Callable[[], None]
) -> None:
    anna = office.owes("Anna", 12345, currency="USD")
    office.owes("Anna", 5000)
    run, _made = runs.payout_run_make(up_to=timezone.localdate(), made_by_id=office.olga.pk, currency="USD")
    with nothing_changed(), pytest.raises(RunMoved):
        runs.payout_run_list(run_id=run.pk)  # not approved yet
    runs.payout_run_approve(run_id=run.pk, by_id=office.otto.pk)
    assert [row["pending_cents"] for row in standing(anna.pk)] == [5000, 0]
    with nothing_changed(), pytest.raises(NotEuro):
        runs.payout_run_export(run_id=run.pk)

    [payout] = run.payouts.all()
    found = runs.payout_run_list(run_id=run.pk)
    assert list(csv.reader(io.StringIO(found.decode("utf-8-sig")))) == [
        ["Number", "Account holder", "IBAN", "Amount", "Currency", "What for"],
        [
            payout.number,
            "Anna Müller",
            "DE89370400440532013000",
            "123.45",
            "USD",
            f"Later & Co {payout.number}",
        ],
    ]
    with nothing_changed():
        assert runs.payout_run_list(run_id=run.pk) == found
        with pytest.raises(NotEuro):
            runs.payout_run_export(run_id=run.pk)
    assert "3704" not in PayoutRun.objects.get().file_sealed
    assert PayoutRun.objects.get().state == "exported"
    assert runs.payouts_confirm(run_id=run.pk) == 1
    runs.payout_fail(payout_id=payout.pk, reason="Account closed")
    assert standing(anna.pk) == [
        {"currency": "EUR", "pending_cents": 5000, "paid_cents": 0},
        {"currency": "USD", "pending_cents": 12345, "paid_cents": 0},
    ]
    invariants_hold()


@pytest.mark.django_db
def test_a_run_in_euros_is_not_paid_by_hand_as_well(office: Office) -> None:
    office.owes("Anna", 1300)
    run = today(office)
    runs.payout_run_approve(run_id=run.pk, by_id=office.otto.pk)
    with nothing_changed(), pytest.raises(PaidByFile):
        runs.payout_run_list(run_id=run.pk)
    assert b'<InstdAmt Ccy="EUR">13.00</InstdAmt>' in runs.payout_run_export(run_id=run.pk)
    with nothing_changed(), pytest.raises(PaidByFile):
        runs.payout_run_list(run_id=run.pk)


@pytest.mark.django_db
def test_the_usual_currency_is_the_euro_or_what_is_owed(office: Office) -> None:
    assert (runs.unpaid_sums(), runs.currency_usual({})) == ({}, "EUR")
    office.owes("Anna", 7000, currency="USD")
    office.owes("Anna", 900, currency="CHF")
    assert runs.unpaid_sums() == {"CHF": 900, "USD": 7000}
    assert runs.currency_usual(runs.unpaid_sums()) == "CHF"
    assert runs.currency_usual({"CHF": -5, "EUR": -5, "USD": 1}) == "USD"
    office.owes("Anna", 1)
    assert runs.currency_usual(runs.unpaid_sums()) == "EUR"


@pytest.mark.django_db
def test_the_command_makes_a_run_of_a_currency_and_says_what_others_are_owed(office: Office) -> None:
    office.owes("Anna", 7000, currency="USD")
    today = timezone.localdate().isoformat()

    def made(*more: str) -> list[str]:
        said = io.StringIO()
        call_command("payout_run", "--by", office.olga.email, "--up-to", today, *more, stdout=said)
        return said.getvalue().splitlines()

    [told] = made()
    assert told.endswith("made, draft, 1 payouts, 7000 cents USD")
    office.owes("Anna", 5000)
    office.owes("Anna", 250, currency="USD")
    told, other = made()
    assert told.endswith("made, draft, 1 payouts, 5000 cents EUR")
    assert other == "not paid out yet in another currency: 2.50 USD"
    with nothing_changed():
        [told] = made("--currency", "usd")
    assert told.endswith("there already, draft, 1 payouts, 7000 cents USD")
    with pytest.raises(CommandError, match="Nobody"):
        made("--currency", "GBP")
