"""E-mail addresses: which are taken in and how they are spelled then, and when two of them are one.

Two addresses are one when they differ in the case of ASCII letters only. In Unicode, UPPER() of a dotless i is I, and lower()
of the Kelvin sign is k: compared without case there, a domain that anybody may register is somebody else's. What is stored is
ASCII therefore, and what was stored before is compared so too.
"""

import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import F, Q, Value
from django.db.models.functions import Collate, Upper
from django.db.models.lookups import Exact

MAX_LENGTH = 254  # characters, as stored


def address_clean(email: str) -> str:
    """An address as it is stored: without spaces around it, of ASCII only, its domain as mail servers want it (xn--…).

    Raises ValidationError: for what is no address, a domain that cannot be encoded or is another one then (wide letters), and
    letters beyond ASCII before the @, for which no mail can be made.
    """
    email = email.strip()
    validate_email(email)
    local, _, domain = email.rpartition("@")
    cleaned = email if email.isascii() else f"{local}@{domain_clean(domain)}"
    if not (cleaned.isascii() and cleaned.isprintable()) or len(cleaned) > MAX_LENGTH:
        raise ValidationError(validate_email.message, code=validate_email.code)
    return cleaned


def domain_clean(domain: str) -> str:
    """A domain in ASCII, as registries have it (IDNA 2008: ß is a letter); what is ASCII already stays. Or ValidationError."""
    if domain.isascii():
        return domain
    domain = unicodedata.normalize("NFC", domain).lower()
    try:
        encoded = idna.encode(domain)
        same = idna.decode(encoded) == domain
    except UnicodeError:
        same = False
    if not same:
        raise ValidationError(validate_email.message, code=validate_email.code)
    return encoded.decode("ascii")


def address_written(email: str) -> str:
    """A stored address as its owner writes it, to show it to them. Nobody else knows one from its look-alike by it."""
    local, _, domain = email.rpartition("@")
    try:
        return f"{local}@{idna.decode(domain)}"
    except UnicodeError:
        return email


def is_address(field: str, email: str) -> Q:
    """Rows whose `field` is this address, and no look-alike. Uses an index on UPPER(field) where there is one."""
    return Q(**{f"{field}__iexact": email}) & Q(
        Exact(Upper(Collate(F(field), "C")), Upper(Collate(Value(email), "C")))
    )
