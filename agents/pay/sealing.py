"""Account numbers, and secrets that are needed again, at rest: Fernet (AES-128-CBC with HMAC-SHA256).

PAYOUT_KEYS of the environment holds one or more: the first one seals, all of them open. To change: put a new one in front,
restart, call `manage.py payout_keys reseal`, and take the old one away.
"""

from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db.models import Model

from agents.errors import NoPayoutKey
from agents.models import Payout, PayoutAccount, PayoutRun


def seal(text: str) -> str:
    """Ciphertext of the first key. Raises NoPayoutKey."""
    return _box().encrypt(text.encode()).decode()


def opened(sealed: str) -> str:
    """The text again. Raises NoPayoutKey, and cryptography's InvalidToken when no key of today has sealed it."""
    return _box().decrypt(sealed.encode()).decode()


def resealed(sealed: str) -> str:
    """The same text under the first key. Raises as opened()."""
    return _box().rotate(sealed.encode()).decode()


def _box() -> MultiFernet:
    if not settings.PAYOUT_KEYS:
        raise NoPayoutKey
    return _of(tuple(settings.PAYOUT_KEYS))


@lru_cache(maxsize=4)
def _of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


# What is sealed by these keys, (model, column). Rooms above add theirs when they are loaded.
SEALED: list[tuple[type[Model], str]] = [
    (PayoutAccount, "iban_sealed"),
    (Payout, "iban_sealed"),
    (PayoutRun, "file_sealed"),
]


def reseal_all() -> int:
    """Put all that is sealed under the first key. Outermost, each row by itself; safe twice. Returns how many rows."""
    done = 0
    for model, field in SEALED:
        rows = model._default_manager.exclude(**{field: ""})
        for pk, sealed in rows.values_list("pk", field).iterator(chunk_size=500):
            # Only what has not been changed meanwhile: that is sealed by the first key already.
            done += rows.filter(pk=pk, **{field: sealed}).update(**{field: resealed(sealed)})
    return done
