"""From what is owed to the bank's file, and back: payout details, runs, four eyes, failures."""

import io
import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
import sepaxml
from cryptography.fernet import Fernet
from django.core import mail
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from agents.errors import (
    BadHolder,
    BadIban,
    DayNotCome,
    FourEyes,
    NoPayoutKey,
    NothingToPay,
    NotSepa,
    RunMoved,
)
from agents.models import LedgerEntry, Payout, PayoutAccount, PayoutItem, PayoutRun
from agents.pay import runs, sepa, statements
from agents.pay.accounts import account_save, iban_clean, masked
from agents.pay.ledger import adjust, standing
from agents.pay.sealing import opened
from tests.agents.conftest import HINT, IBAN, Office, lines_of

NS = {"p": f"urn:iso:std:iso:20022:tech:xsd:{sepa.SCHEMA}"}
SEPA_LETTERS = re.compile(r"[a-zA-Z0-9/\-?:().,'+ ]+")


def today(office: Office, **more: int) -> PayoutRun:
    run, _made = runs.payout_run_make(up_to=timezone.localdate(), made_by_id=office.olga.pk, **more)
    return run


def sent(office: Office, **more: int) -> PayoutRun:
    run = today(office, **more)
    runs.payout_run_approve(run_id=run.pk, by_id=office.otto.pk)
    runs.payout_run_export(run_id=run.pk)
    return PayoutRun.objects.get(pk=run.pk)


# --- Payout details ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("DE89 3704 0044 0532 0130 01", BadIban),
        ("DE89", BadIban),
        ("", BadIban),
        ("hello", BadIban),
        ("TR330006100519786457841326", NotSepa),
    ],
)
def test_what_is_no_iban_that_we_can_pay_to(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        iban_clean(text)


def test_an_iban_is_shown_masked() -> None:
    assert masked(iban_clean(" de89 3704 0044 0532 0130 00 ")) == HINT


@pytest.mark.django_db
def test_details_are_sealed_and_each_change_is_told(
    office: Office, django_capture_on_commit_callbacks
) -> None:  # type: ignore[no-untyped-def]
    anna = office.world.agent("Anna")
    with django_capture_on_commit_callbacks(execute=True):
        account_save(agent_id=anna.pk, holder="  Anna   Müller ", iban=IBAN)
    account = PayoutAccount.objects.get()
    assert (account.holder, account.hint) == ("Anna Müller", HINT)
    assert "3704" not in account.iban_sealed
    assert opened(account.iban_sealed) == "DE89370400440532013000"
    [told] = mail.outbox
    assert (told.to, HINT in told.body, "3704" in told.body) == ([anna.user.email], True, False)
    for holder in ("A", " ", "x" * 71, "An\x00na"):
        with pytest.raises(BadHolder):
            account_save(agent_id=anna.pk, holder=holder, iban=IBAN)
    assert PayoutAccount.objects.get().holder == "Anna Müller"


@pytest.mark.django_db
def test_keys_can_be_changed(office: Office, settings) -> None:  # type: ignore[no-untyped-def]
    office.owes("Anna", 400)
    old, new = settings.PAYOUT_KEYS[0], Fernet.generate_key().decode()
    settings.PAYOUT_KEYS = [new, old]
    call_command("payout_keys", "reseal", stdout=io.StringIO())
    settings.PAYOUT_KEYS = [new]
    assert opened(PayoutAccount.objects.get().iban_sealed) == "DE89370400440532013000"
    settings.PAYOUT_KEYS = []
    with pytest.raises(NoPayoutKey):
        account_save(agent_id=office.world.agents["Anna"].pk, holder="Anna Müller", iban=IBAN)


# --- Runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_run_from_draft_to_paid(office: Office, invariants_hold) -> None:  # type: ignore[no-untyped-def]
    anna = office.owes("Anna", 900, 400)
    bernd = office.owes("Bernd", 500)  # below the minimum
    clara = office.owes("Clara", 5000, account=False)
    office.owes("Anna", 7000, currency="USD")
    run = today(office)
    [payout] = run.payouts.all()
    assert (payout.agent, payout.amount_cents, payout.hint) == (anna, 1300, HINT)
    assert runs.left_out(run.up_to, "EUR", 1000) == [(clara.pk, 5000)]
    assert lines_of(anna) == [("ticket", 900), ("ticket", 400), ("ticket", 7000)]  # nothing is booked yet

    with pytest.raises(FourEyes):
        runs.payout_run_approve(run_id=run.pk, by_id=office.olga.pk)
    with pytest.raises(RunMoved):
        runs.payout_run_export(run_id=run.pk)
    runs.payout_run_approve(run_id=run.pk, by_id=office.otto.pk)
    with pytest.raises(RunMoved):
        runs.payout_run_approve(run_id=run.pk, by_id=office.otto.pk)
    assert lines_of(anna)[-1] == ("payout", -1300)
    assert standing(anna.pk)[0] == {"currency": "EUR", "pending_cents": 0, "paid_cents": 1300}

    file = runs.payout_run_export(run_id=run.pk)
    assert runs.payout_run_export(run_id=run.pk) == file
    assert b"DE89370400440532013000" in file
    assert "3704" not in PayoutRun.objects.get().file_sealed
    assert runs.payouts_confirm(run_id=run.pk) == 1
    assert runs.payouts_confirm(run_id=run.pk) == 0
    assert Payout.objects.get().state == "confirmed"
    assert lines_of(bernd) == [("ticket", 500)]
    invariants_hold()


# --- Another currency than euros ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_failed_payout_gives_the_money_back_and_the_next_run_pays_it(
    office: Office, invariants_hold, django_capture_on_commit_callbacks
) -> None:  # type: ignore[no-untyped-def]
    anna = office.owes("Anna", 1300)
    yesterday = timezone.localdate() - timedelta(days=1)
    with pytest.raises(NothingToPay):
        runs.payout_run_make(up_to=yesterday, made_by_id=office.olga.pk)
    run = sent(office)
    [payout] = run.payouts.all()
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        runs.payout_fail(payout_id=payout.pk, reason="Account closed")
    with pytest.raises(RunMoved):
        runs.payout_fail(payout_id=payout.pk, reason="Again")
    assert lines_of(anna) == [("ticket", 1300), ("payout", -1300), ("returned", 1300)]
    assert standing(anna.pk) == [{"currency": "EUR", "pending_cents": 1300, "paid_cents": 0}]
    [told] = mail.outbox
    assert "Account closed" in told.body
    invariants_hold()
    PayoutRun.objects.update(up_to=yesterday)  # tomorrow
    again = sent(office)
    assert [one.amount_cents for one in again.payouts.all()] == [1300]
    assert list(PayoutItem.objects.filter(payout__run=again).values_list("entry__kind", flat=True)) == [
        "returned"
    ]
    assert standing(anna.pk) == [{"currency": "EUR", "pending_cents": 0, "paid_cents": 1300}]
    invariants_hold()


@pytest.mark.django_db
def test_a_discarded_draft_leaves_all_for_the_next(office: Office, invariants_hold) -> None:  # type: ignore[no-untyped-def]
    anna = office.owes("Anna", 1300)
    run = today(office)
    runs.payout_run_discard(run_id=run.pk)
    with pytest.raises(RunMoved):
        runs.payout_run_approve(run_id=run.pk, by_id=office.otto.pk)
    assert lines_of(anna) == [("ticket", 1300)]
    invariants_hold()
    other = sent(office)
    assert (other.pk != run.pk, lines_of(anna)[-1]) == (True, ("payout", -1300))
    with pytest.raises(RunMoved):
        runs.payout_run_discard(run_id=other.pk)
    invariants_hold()


@pytest.mark.django_db
def test_what_is_owed_back_is_taken_off_at_once(office: Office) -> None:
    """A correction that comes after the day of the run counts too: nobody is paid more than they are owed."""
    anna = office.owes("Anna", 2000)
    LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(
                agent=anna, kind="ticket", amount_cents=5000, currency="EUR", reference="offer:old", memo="",
                created_at=timezone.now() - timedelta(days=3),
            )
        ]
    )  # fmt: skip
    adjust(
        agent_id=anna.pk, amount_cents=-700, currency="EUR", reason="Twice", author_id=office.olga.pk, key="k"
    )
    run, _made = runs.payout_run_make(
        up_to=timezone.localdate() - timedelta(days=1), made_by_id=office.olga.pk
    )
    assert [one.amount_cents for one in run.payouts.all()] == [4300]
    with pytest.raises(DayNotCome):
        runs.payout_run_make(up_to=timezone.localdate() + timedelta(days=1), made_by_id=office.olga.pk)


@pytest.mark.django_db
def test_a_run_is_made_once_a_day(office: Office) -> None:
    office.owes("Anna", 1300)
    assert today(office) == today(office)
    assert Payout.objects.count() == 1


@pytest.mark.django_db
def test_the_database_holds_four_eyes_amounts_and_steps(office: Office) -> None:
    office.owes("Anna", 1300)
    run = today(office)
    rows = PayoutRun.objects.filter(pk=run.pk)
    for error, change in (
        (IntegrityError, lambda: rows.update(state="approved", approved_by=office.olga)),
        (
            DatabaseError,
            lambda: rows.update(state="exported", approved_by=office.otto, exported_at=timezone.now()),
        ),
        (DatabaseError, lambda: Payout.objects.update(amount_cents=1)),
        (DatabaseError, lambda: Payout.objects.all().delete()),
        (DatabaseError, lambda: PayoutItem.objects.update(payout_id=0)),
    ):
        with pytest.raises(error), transaction.atomic():
            change()
    runs.payout_run_approve(run_id=run.pk, by_id=office.otto.pk)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        PayoutItem.objects.all().delete()
    with pytest.raises(DatabaseError, match="cannot become"), transaction.atomic():
        rows.update(state="draft")


# --- The file ---------------------------------------------------------------------------------------------------------


@given(st.text(max_size=100))
def test_names_come_in_letters_that_every_bank_takes(name: str) -> None:
    found = sepa.latin(name)
    assert SEPA_LETTERS.fullmatch(found)
    assert len(found) <= 70
    assert sepa.latin(found) == found


def test_the_file_is_valid_and_its_sums_are_those_of_its_payments() -> None:
    transfers = [
        sepa.Transfer(
            "Jürgen Groß-Ünal & Söhne", "DE89370400440532013000", 123456789, "P-1", "Later & Co P-1"
        ),
        sepa.Transfer("Łukasz Żółć", "FR1420041010050500013M02606", 1, "P-2", "Later & Co P-2"),
    ]
    debtor = sepa.Debtor("Later & Co", "DE02120300000000202051", "BYLADEM1001")
    file = sepa.transfer_file(debtor, transfers, timezone.localdate())
    sepaxml.validation.try_valid_xml(file, "pain.001.001.09")  # the schema as its publisher ships it
    root = ElementTree.fromstring(file)
    assert root.tag == f"{{{NS['p']}}}Document"
    sums = [one.text for one in root.iterfind(".//p:CtrlSum", NS)]
    assert sums == ["1234567.90", "1234567.90"]
    assert [one.text for one in root.iterfind(".//p:NbOfTxs", NS)] == ["2", "2"]
    assert [one.text for one in root.iterfind(".//p:InstdAmt", NS)] == ["1234567.89", "0.01"]
    assert [one.text for one in root.iterfind(".//p:Cdtr/p:Nm", NS)] == [
        "Juergen Gross-Uenal + Soehne",
        "Lukasz Zolc",
    ]
    assert [one.text for one in root.iterfind(".//p:EndToEndId", NS)] == ["P-1", "P-2"]
    with pytest.raises(sepaxml.validation.ValidationError):
        sepa.transfer_file(debtor, [transfers[0]._replace(iban="no")], timezone.localdate())


# --- Statements -------------------------------------------------------------------------------------------------------


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.django_db
def test_statements_in_german(office: Office) -> None:
    anna = office.owes("Anna", 900, 123456)
    run = sent(office)
    [payout] = run.payouts.all()
    month = statements.month_begin(f"{timezone.localdate():%Y-%m}")
    assert month is not None
    with translation.override("de"):
        pdf = text_of(statements.as_pdf(statements.of_payout(payout)))
        month_pdf = text_of(statements.as_pdf(statements.of_month(anna, month)))
        run_pdf = text_of(statements.as_pdf(statements.of_run(run)))
        table = statements.as_csv(statements.of_payout(payout)).decode("utf-8-sig").splitlines()
    for found in ("Anna Müller", HINT, "S-1 · Refund", "1.234,56 €", "1.243,56 €", payout.number):
        assert found in pdf
    assert "3704" not in pdf
    assert "-1.243,56 €" in month_pdf
    assert "0,00 €" in month_pdf
    assert "Otto" in run_pdf
    assert [line.split(",")[4] for line in table[1:]] == ["9.00", "1234.56"]


@pytest.mark.django_db
def test_a_long_statement_has_pages_with_numbers(office: Office) -> None:
    office.owes("Anna", *range(100, 200))
    run = sent(office)
    reader = PdfReader(io.BytesIO(statements.as_pdf(statements.of_payout(run.payouts.get()))))
    assert len(reader.pages) >= 3
    assert f"Page 2 of {len(reader.pages)}" in reader.pages[1].extract_text()


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-1", "99999-01", "0000-01", "2026-11-01", "x"])
def test_no_month(text: str) -> None:
    assert statements.month_begin(text) is None
