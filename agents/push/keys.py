"""Our pair of keys for web push (VAPID, RFC 8292): the private one is a setting, the public one follows from it."""

import base64
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02

from agents.errors import NoPushKey


def fresh() -> str:
    """A new private key for PUSH_KEY: 32 bytes in base64url."""
    return _text(ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big"))


def public_key() -> str:
    """What a browser needs to subscribe: 65 bytes in base64url; empty when PUSH_KEY is not set."""
    if not settings.PUSH_KEY:
        return ""
    point = vapid().public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return _text(point)


def vapid() -> Vapid02:
    """Signs what we send. Raises NoPushKey."""
    if not settings.PUSH_KEY:
        raise NoPushKey
    return _of(settings.PUSH_KEY)


@lru_cache(maxsize=4)
def _of(key: str) -> Vapid02:
    return Vapid02.from_raw(key.encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
