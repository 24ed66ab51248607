"""The SEPA credit transfer file, pain.001.001.09, by sepaxml. Pure."""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sepaxml import SepaTransfer
from text_unidecode import unidecode

SCHEMA = "pain.001.001.09"
# German spelling before any other: Müller is Mueller to a bank, not Muller.
GERMAN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "&": "+", "€": "EUR"}
)


class Debtor(NamedTuple):
    name: str
    iban: str
    bic: str = ""


class Transfer(NamedTuple):
    name: str
    iban: str
    cents: int
    number: str  # comes back with the payment, and with its return
    text: str


def latin(text: str, longest: int = 70) -> str:
    """In the letters that every bank takes (EPC217-08: a–z, A–Z, 0–9 and / - ? : ( ) . , ' + and space); never empty."""
    plain = re.sub(r"[^a-zA-Z0-9/\-?:().,'+ ]", " ", unidecode(text.translate(GERMAN)))
    return " ".join(plain.split())[:longest].strip() or "."


def transfer_file(debtor: Debtor, transfers: Sequence[Transfer], day: date) -> bytes:
    """The file, in euros, one batch to be carried out on that day. Checked against the schema: raises sepaxml's
    ValidationError, so that nothing is ever sent that a bank could not read.
    """
    account = {"name": latin(debtor.name), "IBAN": debtor.iban, "currency": "EUR", "batch": True}
    file = SepaTransfer(account | ({"BIC": debtor.bic} if debtor.bic else {}), schema=SCHEMA, clean=False)
    for one in transfers:
        file.add_payment(
            {
                "name": latin(one.name),
                "IBAN": one.iban,
                "amount": one.cents,
                "execution_date": day,
                "description": latin(one.text, 140),
                "endtoend_id": one.number,
            }
        )
    found: bytes = file.export(validate=True)
    return found
