"""Pay in Django admin: an adjustment asks before it is written, a return too; who may not, may not."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.models import PayoutRun, User
from agents.pay import runs
from tests.agents.conftest import Office, lines_of
from tests.untouched import nothing_changed

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_an_adjustment_asks_first(office: Office) -> None:
    anna = office.owes("Anna", 400)
    olga, address = client_of(office.olga), reverse("admin:agents_ledgerentry_adjust")
    page = olga.get(address)
    key = str(page.context["form"].initial["key"])
    filled: dict[str, Any] = {
        "agent": anna.pk,
        "amount": "-1.50",
        "currency": "EUR",
        "reason": "Twice",
        "key": key,
    }
    assert "Not paid out yet is then €2.50." in olga.post(address, filled).content.decode()
    assert lines_of(anna) == [("ticket", 400)]
    for _ in range(2):  # a second click
        assert olga.post(address, filled | {"sure": "yes"}).status_code == 302
    assert lines_of(anna) == [("ticket", 400), ("adjustment", -150)]
    for wrong in ({"amount": "0"}, {"amount": "1.005"}, {"amount": "20000"}, {"reason": ""}):
        assert olga.post(address, filled | {"sure": "yes"} | wrong).status_code == 400
    assert len(lines_of(anna)) == 2


def test_a_return_asks_first(office: Office) -> None:
    anna = office.owes("Anna", 4000)
    run, _made = runs.payout_run_make(up_to=timezone.localdate(), made_by_id=office.olga.pk)
    runs.payout_run_approve(run_id=run.pk, by_id=office.otto.pk)
    runs.payout_run_export(run_id=run.pk)
    olga, address = client_of(office.olga), reverse("admin:agents_payout_fail", args=[run.payouts.get().pk])
    assert olga.post(address, {"reason": "Closed"}).status_code == 200
    assert lines_of(anna)[-1] == ("payout", -4000)
    assert olga.post(address, {"reason": "Closed", "sure": "yes"}).status_code == 302
    assert lines_of(anna)[-1] == ("returned", 4000)


def test_who_may_look_may_not_move_money(office: Office) -> None:
    office.owes("Anna", 4000)
    run, _made = runs.payout_run_make(up_to=timezone.localdate(), made_by_id=office.olga.pk)
    viewer = User.objects.create_user("viewer@staff.example", "x", is_staff=True)
    viewer.user_permissions.add(
        *Permission.objects.filter(content_type__app_label="agents", codename__startswith="view_")
    )
    client = client_of(viewer)
    assert client.get(reverse("admin:agents_payoutrun_change", args=[run.pk])).status_code == 200
    for name, args in (
        ("agents_ledgerentry_adjust", []),
        ("agents_payoutrun_make", []),
        ("agents_payoutrun_approve", [run.pk]),
        ("agents_payoutrun_discard", [run.pk]),
        ("agents_payoutrun_confirm", [run.pk]),
        ("agents_payoutrun_file", [run.pk]),
        ("agents_payoutrun_by_hand", [run.pk]),
    ):
        assert client.post(reverse(f"admin:{name}", args=args)).status_code == 403, name
    # Olga made it: she may drop it, not approve it.
    assert (
        client_of(office.olga).post(reverse("admin:agents_payoutrun_approve", args=[run.pk])).status_code
        == 403
    )
    assert PayoutRun.objects.get().state == "draft"
    assert (
        client_of(office.olga).post(reverse("admin:agents_payoutrun_discard", args=[run.pk])).status_code
        == 302
    )
    assert PayoutRun.objects.get().state == "discarded"


def test_the_days_value_is_iso_in_german_too(office: Office) -> None:
    address = reverse("admin:agents_payoutrun_make")
    page = client_of(office.olga).get(address, headers={"accept-language": "de"}).content.decode()
    assert "Auszahlungslauf erstellen" in page
    assert re.search(r'value="\d{4}-\d\d-\d\d"', page)


def test_a_run_in_dollars_from_the_form_to_paid(office: Office) -> None:
    office.owes("Anna", 12345, currency="USD")
    olga, address = client_of(office.olga), reverse("admin:agents_payoutrun_make")
    page = olga.get(address)
    assert page.context["form"].initial["currency"] == "USD"
    assert page.context["form"].fields["currency"].choices == [
        ("EUR", "EUR: €0.00 not paid out yet"),
        ("USD", "USD: $123.45 not paid out yet"),
    ]
    filled = {"up_to": timezone.localdate().isoformat(), "minimum": "1.00"}
    assert olga.post(address, filled).status_code == 400
    assert olga.post(address, filled | {"currency": "GBP"}).status_code == 400
    assert "Nobody with payout details" in olga.post(address, filled | {"currency": "EUR"}).content.decode()
    assert not PayoutRun.objects.exists()
    assert olga.post(address, filled | {"currency": "USD"}).status_code == 302
    run = PayoutRun.objects.get()
    client_of(office.otto).post(reverse("admin:agents_payoutrun_approve", args=[run.pk]))

    change = reverse("admin:agents_payoutrun_change", args=[run.pk])
    page = olga.get(change).content.decode()
    assert ("by-hand.csv" in page, "file.xml" in page) == (True, False)
    with nothing_changed():
        told = olga.post(reverse("admin:agents_payoutrun_file", args=[run.pk]), follow=True)
        assert "can carry euros only" in told.content.decode()
    file = olga.post(reverse("admin:agents_payoutrun_by_hand", args=[run.pk]))
    assert file["Content-Disposition"] == f'attachment; filename="standby-run-{run.pk}-by-hand.csv"'
    assert ",DE89370400440532013000,123.45,USD," in file.content.decode()
    olga.post(reverse("admin:agents_payoutrun_confirm", args=[run.pk]))
    assert run.payouts.get().state == "confirmed"
