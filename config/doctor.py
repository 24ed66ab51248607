"""Looks whether an installation is well: each finding is a sentence, and what to do.

Asks PostgreSQL, Redis, the disk, and with `mail` the mail server. Changes nothing but a file that it deletes again.
"""

import smtplib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core import checks, mail
from django.db import Error, connection
from redis.exceptions import RedisError

from config import health
from dispatch import audit, pulse
from tickets import scanning
from tickets.redis import client

POSTGRES = 150000  # the oldest that knows all that our migrations ask for (unique with equal nulls)
REDIS = (6, 2)
AUDITED = 1000  # links of the audit chain that are computed again here; `manage.py verify_audit` takes all
SKEW = 2.0  # seconds between the database's clock and ours from which on people would wonder


@dataclass(frozen=True)
class Finding:
    """`level`: ok, warning or failure. `do`: what to do, empty when there is nothing."""

    about: str
    level: str
    says: str
    do: str = ""


def examine(*, with_mail: bool = False) -> list[Finding]:
    """All findings, in the order in which one would put them right."""
    found = list(_settings())
    found += _trying("database", _database, "Look whether PostgreSQL runs and DATABASE_URL is right.")
    if not any(one.about == "database" and one.level == "failure" for one in found):
        found += _trying("migrations", _migrations, "Run `manage.py migrate`.")
    found += _trying(
        "redis", _redis, "Look whether Redis runs and REDIS_URL is right; customers are served without it."
    )
    if not any(one.about in ("database", "migrations") and one.level == "failure" for one in found):
        found += _trying("processes", _processes, "Look at the database first.")
        found += _trying("audit", _audit, "Look at the database first.")
    found += _trying(
        "files",
        _files,
        "Give the user that Standby runs as a folder that it may write, and name it in MEDIA_ROOT.",
    )
    found += _trying("scanner", _scanner, "Look at SCAN_COMMAND.")
    if with_mail:
        found += _trying("mail", _mail, "Look at EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER and the password.")
    return found


def _trying(about: str, part: Callable[[], Iterator[Finding]], do: str) -> list[Finding]:
    """A part's findings; what breaks it is one. Of errors only the class: their texts may hold addresses and passwords."""
    try:
        return list(part())
    except (Error, RedisError, OSError, smtplib.SMTPException) as error:
        return [Finding(about, "failure", f"No answer ({type(error).__name__}).", do)]


def _settings() -> Iterator[Finding]:
    if settings.TRIAL:
        yield Finding("settings", "ok", "This is a trial: example data, own servers, this machine only.")
        return
    for message in checks.run_checks(include_deployment_checks=True):
        level = "failure" if message.level >= checks.ERROR else "warning"
        yield Finding(
            "settings",
            level,
            f"{message.id}: {message.msg}",
            message.hint or "See `manage.py check --deploy`.",
        )
    if settings.BASE_URL.startswith("http://127.0.0.1"):
        yield Finding(
            "settings", "warning", "BASE_URL is this machine: links in mail lead nowhere.", "Set BASE_URL."
        )
    if not settings.PAYOUT_KEYS:
        yield Finding(
            "keys",
            "warning",
            "No PAYOUT_KEYS: agents cannot give their account.",
            "`manage.py payout_keys make` makes one.",
        )
    if not settings.PUSH_KEY:
        yield Finding(
            "keys", "warning", "No PUSH_KEY: agents cannot be called.", "`manage.py push_key` makes one."
        )
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        yield Finding(
            "mail",
            "warning",
            "Mails are printed, not sent.",
            "Set EMAIL_BACKEND and EMAIL_HOST (docs/mail.md).",
        )
    yield Finding("settings", "ok", f"Settings are read; logs are written as {settings.LOG_FORMAT}.")


def _database() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int, statement_timestamp(), pg_is_in_recovery()"
        )
        version, now, is_standby = cursor.fetchone()
        cursor.execute(
            "SELECT current_setting('max_connections')::int, (SELECT count(*) FROM pg_stat_activity)"
        )
        most, open_now = cursor.fetchone()
    skew = abs((datetime.now(UTC) - now).total_seconds())
    if version < POSTGRES:
        yield Finding(
            "database", "failure", f"PostgreSQL {version // 10000} is too old.", "Take 15 or later."
        )
    if is_standby:
        yield Finding(
            "database",
            "failure",
            "This PostgreSQL is a standby: nothing can be written.",
            "Name the primary.",
        )
    if open_now > 0.8 * most:
        yield Finding(
            "database",
            "warning",
            f"{open_now} of {most} connections are open.",
            "Raise max_connections or take processes away.",
        )
    if skew > SKEW:
        yield Finding(
            "clocks",
            "warning",
            f"The database's clock and this machine's differ by {skew:.1f} s; the database's decides.",
            "Let both be set by NTP.",
        )
    yield Finding("database", "ok", f"PostgreSQL {version // 10000}.{version % 10000} answers.")


def _migrations() -> Iterator[Finding]:
    part = health.migrations()
    if part["ok"]:
        yield Finding("migrations", "ok", "All migrations are applied.")
    else:
        yield Finding(
            "migrations", "failure", f"{part['missing']} migrations are missing.", "Run `manage.py migrate`."
        )


def _redis() -> Iterator[Finding]:
    written = str(client().info("server")["redis_version"])
    if tuple(int(part) for part in written.split(".")[:2]) < REDIS:
        yield Finding("redis", "failure", f"Redis {written} is too old.", "Take 6.2 or later.")
    else:
        yield Finding("redis", "ok", f"Redis {written} answers.")


def _processes() -> Iterator[Finding]:
    silent = pulse.silent(health.SILENT)
    for kind, at in pulse.pulses().items():
        if kind not in silent and at is not None:
            yield Finding("processes", "ok", f"A {kind} answers.")
            continue
        never = "was never heard of" if at is None else f"was last heard of at {at:%Y-%m-%d %H:%M:%S} UTC"
        level = "warning" if kind in health.NOT_NEEDED else "failure"
        yield Finding("processes", level, f"{kind} {never}.", f"Start one: `python -m config.roles {kind}`.")


def _audit() -> Iterator[Finding]:
    found = audit.verify(newest=AUDITED)
    if found.broken:
        yield Finding("audit", "failure", found.broken, "See docs/admin.md, “What nobody can change”.")
    else:
        yield Finding("audit", "ok", f"{found.entries} entries; the newest {AUDITED:,} are unbroken.")


def _files() -> Iterator[Finding]:
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"x")
    yield Finding("files", "ok", f"{folder} can be written.")


def _scanner() -> Iterator[Finding]:
    if not settings.SCAN_COMMAND:
        yield Finding("scanner", "ok", "No SCAN_COMMAND: files are not scanned for viruses.")
    elif scanning.scan(b"A text without anything in it.\n") is scanning.Verdict.CLEAN:
        yield Finding("scanner", "ok", f"{Path(settings.SCAN_COMMAND[0]).name} answers.")
    else:
        yield Finding(
            "scanner",
            "failure",
            "The virus scanner does not call a harmless text clean: every file is refused.",
            "Run SCAN_COMMAND by hand, as the user that Standby runs as.",
        )


def _mail() -> Iterator[Finding]:
    opened = mail.get_connection()
    opened.open()
    opened.close()
    yield Finding("mail", "ok", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} takes our log-in.")
