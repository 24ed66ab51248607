"""Payout details of the example agents, and one run that is paid, so that statements can be read at once."""

import contextlib

from django.conf import settings
from django.utils import timezone
from stdnum import iban

from agents.errors import NothingToPay
from agents.models import Agent, PayoutAccount, User
from agents.pay import runs
from agents.pay.accounts import masked
from agents.pay.sealing import seal
from dispatch.demo.brand import DOMAIN
from dispatch.demo.people import ADMIN, LEAD

BANK = "37040044"


def give_details() -> None:
    """To two of three: the others see what is missing. No mail: this is written, not asked for."""
    if not settings.PAYOUT_KEYS:
        return
    for number, agent in enumerate(Agent.objects.select_related("user").order_by("pk")):
        if number % 3 == 2:
            continue
        account = f"{BANK}{532_013_000 + number:010}"
        full = f"DE{iban.calc_check_digits('DE00' + account)}{account}"
        PayoutAccount.objects.create(
            agent=agent, holder=agent.user.name, iban_sealed=seal(full), hint=masked(full)
        )


def pay_out() -> None:
    """What has been earned until now goes out: made by the lead, approved by the admin, paid by the bank. Outermost."""
    staff = {user.email: user.pk for user in User.objects.filter(is_staff=True)}
    lead, admin = (staff.get(f"{login}@{DOMAIN}") for login, _name in (LEAD, ADMIN))
    if lead is None or admin is None or not settings.PAYOUT_KEYS:
        return
    with contextlib.suppress(NothingToPay):
        run, _made = runs.payout_run_make(up_to=timezone.localdate(), made_by_id=lead, minimum_cents=500)
        runs.payout_run_approve(run_id=run.pk, by_id=admin)
        runs.payout_run_export(run_id=run.pk)
        runs.payouts_confirm(run_id=run.pk)
