"""Typed reading of the environment. A missing or malformed setting stops the start and names itself."""

import base64
import binascii
import ipaddress
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit


class BadSetting(Exception):
    """A setting is missing or malformed; the message names it."""


def text(name: str, default: str | None = None) -> str:
    """Value of `name`, or the content of the file that `name_FILE` names (for secrets), or `default`.

    Raises BadSetting when there is none of them.
    """
    value = os.environ.get(name)
    if value is not None:
        return value
    file = os.environ.get(f"{name}_FILE")
    if file is not None:
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise BadSetting(f"{name}_FILE: {file} cannot be read ({error.strerror})") from error
    if default is None:
        raise BadSetting(f"{name} is not set (nor {name}_FILE)")
    return default


def flag(name: str, default: bool) -> bool:
    """A yes or no: 1, true, yes, on or 0, false, no, off, in any case."""
    value = text(name, "yes" if default else "no").strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise BadSetting(f"{name} wants yes or no, not {value!r}")


def number(name: str, default: int) -> int:
    """A whole number."""
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise BadSetting(f"{name} wants a whole number, not {value!r}") from None


def words(name: str, default: str = "") -> list[str]:
    """A list, separated by commas; spaces around items are dropped."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def command(name: str) -> list[str]:
    """A program and its words, quoted as for a shell, which is not asked. May be empty."""
    value = text(name, "")
    try:
        return shlex.split(value)
    except ValueError as error:
        raise BadSetting(f"{name} wants a command, quoted as for a shell ({error}), not {value!r}") from None


def pairs(name: str) -> dict[str, str]:
    """A table, left=right separated by commas."""
    found = {}
    for item in words(name):
        left, sign, right = (part.strip() for part in item.partition("="))
        if not (left and sign and right):
            raise BadSetting(f"{name} wants left=right, separated by commas, not {item!r}")
        found[left] = right
    return found


def choice(name: str, among: Sequence[str], default: str) -> str:
    """One of some words."""
    value = text(name, default).strip().lower()
    if value not in among:
        raise BadSetting(f"{name} wants one of {', '.join(among)}, not {value!r}")
    return value


def networks(name: str) -> list[str]:
    """Networks in CIDR, or single addresses, separated by commas. May be empty."""
    found = words(name)
    for network in found:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise BadSetting(f"{name} wants networks like 10.0.0.0/8: {error}") from None
    return found


def mailbox(name: str) -> str:
    """imaps://user:password@host:port/folder, or imap://… without TLS; empty when it is not set."""
    value = text(name, "").strip()
    parts = urlsplit(value)
    if value and not (
        parts.scheme in ("imaps", "imap") and parts.hostname and parts.username and parts.password
    ):
        raise BadSetting(f"{name} wants imaps://user:password@host/folder")  # what is set holds a password
    return value


def secret(name: str) -> str:
    """A shared secret of at least 32 characters; empty when it is not set."""
    value = text(name, "").strip()
    if value and len(value) < 32:
        raise BadSetting(f"{name} wants at least 32 characters")
    return value


def address(name: str) -> str:
    """http://… or https://… without user, query and fragment; empty when it is not set. A slash at the end is dropped."""
    value = text(name, "").strip().rstrip("/")
    parts = urlsplit(value)
    if value and not (
        parts.scheme in ("http", "https")
        and parts.hostname
        and not (parts.username or parts.password or parts.query or parts.fragment)
    ):
        raise BadSetting(f"{name} wants an address such as https://models.example/v1")
    return value


def keys(name: str) -> list[str]:
    """Keys of Fernet (32 bytes in base64url), separated by commas: the first one seals, all of them open. May be empty."""
    found = words(name)
    for key in found:
        try:
            size = len(base64.urlsafe_b64decode(key))
        except (binascii.Error, ValueError):
            size = 0
        if size != 32:
            raise BadSetting(f"{name} wants keys as Fernet.generate_key() makes them, separated by commas")
    return found


def secret32(name: str) -> str:
    """32 bytes in base64url, without padding; empty when it is not set."""
    value = text(name, "").strip().rstrip("=")
    try:
        size = len(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (binascii.Error, ValueError):
        size = -1
    if value and size != 32:
        raise BadSetting(f"{name} wants 32 bytes in base64url, as `manage.py push_key` makes them")
    return value
