"""The list of a run that no SEPA file can carry: a person pays by it, line by line."""

import csv
import io
from collections.abc import Sequence

from django.utils.translation import gettext as _

from agents.pay.sepa import Transfer
from agents.pay.statements import decimal
from agents.spreadsheets import disarmed


def transfer_list(transfers: Sequence[Transfer], currency: str) -> bytes:
    """CSV in the reader's language, with the mark without which Excel takes UTF-8 for something else."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow([_("Number"), _("Account holder"), "IBAN", _("Amount"), _("Currency"), _("What for")])
    for one in transfers:
        name, text = disarmed(one.name), disarmed(one.text)
        writer.writerow([one.number, name, one.iban, decimal(one.cents), currency, text])
    return ("\ufeff" + sink.getvalue()).encode()
