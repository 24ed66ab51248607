"""Typed reading of the environment. A missing or malformed setting stops the start and names itself."""

import base64
import binascii
import os
from pathlib import Path


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
