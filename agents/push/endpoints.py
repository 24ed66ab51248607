"""Where calls may go: an endpoint is an address that an agent's browser tells us, so anybody may have made it up."""

import base64
import binascii

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from agents import outbound
from agents.errors import NotADevice
from agents.outbound import Inside

__all__ = ["Inside", "endpoint_check", "keys_check", "session"]

LONGEST = 1000  # characters of an endpoint; push services use some 200


def endpoint_check(endpoint: str) -> None:
    """Raises NotADevice when this cannot be the address of a public push service. Asks no name server."""
    if settings.PUSH_ANYWHERE:
        return
    try:
        outbound.address_check(endpoint, longest=LONGEST)
    except outbound.BadAddress:
        raise NotADevice from None


def keys_check(p256dh: str, auth: str) -> None:
    """Raises NotADevice unless these are a point on P-256 and 16 bytes."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(p256dh))
        if len(_bytes(auth)) != 16:
            raise NotADevice
    except (ValueError, binascii.Error):
        raise NotADevice from None


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def session() -> requests.Session:
    """HTTP that reaches push services on the public internet, and nothing else."""
    return outbound.session(anywhere=settings.PUSH_ANYWHERE)
