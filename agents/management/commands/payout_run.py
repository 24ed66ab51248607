"""Make the draft of a payout run, as a timer may do each month. A person approves it in the admin."""

from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.errors import Refusal
from agents.models import User
from agents.pay.runs import currency_usual, left_out, payout_run_make, unpaid_sums
from agents.pay.statements import decimal


class Command(BaseCommand):
    """For a day for which there is one already it says so, and changes nothing."""

    help = "Make the draft of a payout run up to the end of a day; somebody else approves it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--by", required=True, metavar="E-MAIL", help="who makes it, and so may not approve it"
        )
        parser.add_argument(
            "--up-to", type=date.fromisoformat, metavar="YYYY-MM-DD", help="default: yesterday"
        )
        parser.add_argument("--minimum", type=int, metavar="CENTS", help="default: PAYOUT_MINIMUM_CENTS")
        parser.add_argument(
            "--currency",
            type=str.upper,
            metavar="CODE",
            help="default: EUR, or where no euros are owed what is; a run in another one is paid by hand",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        maker = User.objects.filter(email=options["by"].lower(), is_staff=True, is_active=True).first()
        if maker is None or not maker.has_perm("agents.add_payoutrun"):
            raise CommandError(f"{options['by']} is nobody who may make payout runs.")
        up_to = options["up_to"] or timezone.localdate() - timedelta(days=1)
        currency = options["currency"] or currency_usual(unpaid_sums())
        try:
            run, made = payout_run_make(
                up_to=up_to, made_by_id=maker.pk, minimum_cents=options["minimum"], currency=currency
            )
        except Refusal as refusal:
            raise CommandError(str(refusal.detail)) from None
        amounts = list(run.payouts.values_list("amount_cents", flat=True))
        self.stdout.write(
            f"run {run.pk} up to {run.up_to}: {'made' if made else 'there already'}, {run.state}, "
            f"{len(amounts)} payouts, {sum(amounts)} cents {run.currency}"
        )
        if missing := left_out(run.up_to, run.currency, run.minimum_cents):
            self.stdout.write(f"{len(missing)} agents have given no payout details yet")
        for other, cents in unpaid_sums().items():
            if other != run.currency:
                self.stdout.write(f"not paid out yet in another currency: {decimal(cents)} {other}")
