"""The block list: addresses, domains and networks from which no new tickets are taken. Whoever is on it is told so.

It is asked for when a ticket is opened, and when an address is left in one, and nowhere else: customers of open tickets go on
writing in them, and get a person there.
"""

import ipaddress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import DomainNameValidator
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from tickets import kept
from tickets.email_addresses import address_clean, domain_clean
from tickets.errors import Blocked
from tickets.models import Block, BlockKind

GONE = "–"
ALREADY = _("This is blocked already.")
USUAL = timedelta(days=180)


def check(*, email: str, address: str) -> None:
    """Raises Blocked, which is counted. `address`: the client's, "" when there is none. No query while the list is kept."""
    found = kept.keep("blocks", _load)
    if not found:
        return
    hit = _hit(found, email.casefold(), address)
    # What is kept may be seconds old: one that was taken away since refuses nobody.
    if hit and Block.objects.filter(_lasts(), pk=hit).update(hits=F("hits") + 1, hit_at=Now()):
        raise Blocked


def address_block(*, email: str, reason: str, made_by: Any) -> bool:
    """Block an e-mail address for USUAL. False when it is blocked already; one that has run out begins anew. Two queries."""
    value = cleaned(BlockKind.EMAIL, email)
    digest = digest_of(BlockKind.EMAIL, value)
    until = timezone.now() + USUAL
    block, made = Block.objects.get_or_create(
        kind=BlockKind.EMAIL,
        digest=digest,
        defaults={"value": value, "reason": reason[:200], "made_by": made_by, "until": until},
    )
    if not made:
        over = Block.objects.filter(pk=block.pk, until__lte=Now())
        made = bool(over.update(until=until, value=value, reason=reason[:200], made_by=made_by))
    kept.forget("blocks")
    return made


def address_forget(email: str) -> None:
    """Its owner's data is deleted: the block stays and cannot be read any more. Inner."""
    if email:
        digests = _digests_of(BlockKind.EMAIL, email.casefold())
        Block.objects.filter(kind=BlockKind.EMAIL, digest__in=digests).update(value="", reason=GONE)


def cleaned(kind: str, value: str) -> str:
    """The value as it is compared. Raises ValidationError."""
    value = value.strip()
    if kind == BlockKind.EMAIL:
        return address_clean(value).casefold()
    if kind == BlockKind.DOMAIN:
        value = domain_clean(value.removeprefix("@").strip(".")).casefold()
        DomainNameValidator()(value)
        return value
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError as error:
        raise ValidationError(_("This is no network. One is “203.0.113.0/24”.")) from error


def digest_of(kind: str, value: str, secret: str | bytes | None = None) -> str:
    """Fingerprint of a cleaned value under the server's key, or another one."""
    return salted_hmac("tickets.blocking", f"{kind}:{value}", secret=secret, algorithm="sha256").hexdigest()


def _digests_of(kind: str, value: str) -> set[str]:
    """Also those under the keys of before."""
    return {
        digest_of(kind, value, secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    }


def _lasts() -> Q:
    return Q(until__isnull=True) | Q(until__gt=Now())


def _load() -> list[tuple[int, str, str, str]]:
    return list(Block.objects.filter(_lasts()).values_list("pk", "kind", "value", "digest"))


def _hit(found: list[tuple[int, str, str, str]], email: str, address: str) -> int | None:
    """Id of the first block that meets them."""
    digests = _digests_of(BlockKind.EMAIL, email)
    domain = email.rpartition("@")[2]
    try:
        client = ipaddress.ip_address(address)
    except ValueError:
        client = None
    for pk, kind, value, fingerprint in found:
        if kind == BlockKind.EMAIL:
            # What can still be read needs no fingerprint, which another key would make another one.
            met = bool(email) and (value == email or fingerprint in digests)
        elif kind == BlockKind.DOMAIN:
            met = domain == value or domain.endswith(f".{value}")
        else:
            met = client is not None and client in ipaddress.ip_network(value)
        if met:
            return pk
    return None
