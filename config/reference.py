"""The reference that is made from the code: .env.example, and in docs/reference settings, metrics, events and API.

    python -m config.reference            write them anew
    python -m config.reference check      say what is out of date or has no words; ends with 1 if anything (make check)

Which settings there are, and their defaults, is read from the calls of config/env.py; what they are for is said here.
"""

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from config import reference_code

ROOT = Path(__file__).resolve().parent.parent
TRIAL = " if TRIAL else "
KINDS = {
    "text": "text",
    "flag": "yes or no",
    "number": "whole number",
    "words": "list, separated by commas",
    "command": "command, quoted as for a shell",
    "pairs": "left=right, separated by commas",
    "mailbox": "address of a mailbox",
    "address": "address with http or https",
    "secret": "secret of at least 32 characters",
    "keys": "Fernet keys, separated by commas",
    "secret32": "32 bytes in base64url",
    "choice": "one word",
    "networks": "networks in CIDR, separated by commas",
}
# Kinds whose readers take no default, and give something empty where nothing is set.
EMPTY_WITHOUT = {"address", "keys", "secret", "secret32", "mailbox", "networks", "words", "command", "pairs"}
# What is a default but is no text of the program's own: told in words.
WORDS = {
    "BASE_URL.startswith('https://')": "yes if `BASE_URL` is https",
    "BRAND": "as `BRAND`",
    "not TRIAL": "yes, on a trial no",
    "str(BASE_DIR / 'staticfiles')": "`staticfiles` in the project",
    "str(BASE_DIR / '.standby' / 'media')": "`.standby/media` in the project",
    "BASE_URL if HTTPS else 'mailto:help@later.example'": "`BASE_URL` if that is https",
    "'config.postbox.Postbox' if MAIL_FOLDER else 'django.core.mail.backends.console.EmailBackend'": "the console",
}


class Says(NamedTuple):
    """What a setting is for; `example` stands in .env.example (none: the default, as a comment).

    `needed_with`: the setting without which it is not read, and with which it must be set.
    """

    words: str
    example: str = ""
    needed_with: str = ""


# By group, in the order of reading.
SAYS: dict[str, dict[str, Says]] = {
    "Needed": {
        "SECRET_KEY": Says(
            "Signs sessions, private links and marks in mails. 50 random characters.", "change-me"
        ),
        "SECRET_KEY_FALLBACKS": Says(
            "Older keys, which sign nothing: what they have signed is still believed (docs/howto/configure.md)."
        ),
        "DATABASE_URL": Says(
            "PostgreSQL 15 or later: `postgres://user:password@host:5432/name`. With `REDIS_URL`; without both, a trial's own servers.",
            "postgres://standby:change-me@localhost:5432/standby",
        ),
        "REDIS_URL": Says("Redis 6.2 or later: `redis://host:6379/0`.", "redis://localhost:6379/0"),
        "BASE_URL": Says("How people reach it, for links in mail.", "https://help.example.org"),
        "ALLOWED_HOSTS": Says("Names under which it answers.", "help.example.org"),
    },
    "Who we are": {
        "BRAND": Says("The name that customers and agents read."),
        "CONTACT_EMAIL": Says("Where people write whose address is on the block list."),
        "TIME_ZONE": Says("In which a day begins and opening hours count."),
    },
    "Web": {
        "HOST": Says("Where `config.roles web` listens."),
        "PORT": Says("Its port; that of the demo and of the cluster's proxy too."),
        "WEB_THREADS": Says(
            "Plain HTTP requests that one web process works on at once; as many database connections."
        ),
        "WEB_WAITING": Says("Requests that may wait for a thread; further ones get 503 at once."),
        "WEB_DRAIN_SECONDS": Says(
            "After SIGTERM: serve for so long, with /healthz/web at 503, before sockets are closed with 1012."
        ),
        "HTTPS": Says("Secure cookies, HSTS, redirects to https."),
        "BEHIND_PROXY": Says(
            "Exactly one proxy of ours is in front: the client's address is the last of X-Forwarded-For, the scheme is X-Forwarded-Proto."
        ),
        "CSRF_TRUSTED_ORIGINS": Says("Further origins whose forms are taken, with scheme."),
        "WIDGET_SITES": Says(
            "Sites whose pages may show the widget, as sources of a policy (docs/widget.md)."
        ),
        "STATIC_ROOT": Says("Where `manage.py collectstatic` puts styles and scripts."),
    },
    "Database and Redis": {
        "DATABASE_CONN_MAX_AGE": Says("Seconds for which a connection is used."),
        "DATABASE_PREPARE": Says("Statements that are planned once; no behind a pooler of transactions."),
        "REDIS_PREFIX": Says("Of channels, when several installations share one Redis."),
    },
    "Files": {
        "MEDIA_ROOT": Says("Files of customers and agents; shared by all web processes and workers."),
        "REDACT_SHAPES": Says(
            "Numbers of your own that messages, files and names lose before they are stored, beside cards and accounts: shape=name, separated "
            "by commas, such as `LC-########=customer number`. `#` is a digit, `@` a letter, `*` either."
        ),
        "SCAN_COMMAND": Says(
            "Virus scanner: a program that gets each file on its stdin and ends with 0 (clean) or 1 (infected), such as "
            "`clamdscan --no-summary --fdpass -`. Anything else, or 20 seconds: the file is refused. Without it nothing is scanned."
        ),
    },
    "Mail": {
        "EMAIL_BACKEND": Says("Django's class that sends.", "django.core.mail.backends.smtp.EmailBackend"),
        "EMAIL_HOST": Says("The mail server."),
        "EMAIL_PORT": Says("Its port."),
        "EMAIL_HOST_USER": Says("Log-in there."),
        "EMAIL_HOST_PASSWORD": Says("Password there."),
        "EMAIL_USE_TLS": Says("STARTTLS."),
        "DEFAULT_FROM_EMAIL": Says("The sender."),
        "MAIL_FOLDER": Says("A trial's mails lie there as files."),
        "MAIL_AWAY_SECONDS": Says("An agent's words that were unread for so long are mailed."),
        "MAIL_BUNDLE_SECONDS": Says("At most one such mail a ticket in so long."),
        "MAIL_IN_URL": Says(
            "Mailbox from which customers' mails are fetched: `imaps://user:password@host/INBOX` (docs/mail.md)."
        ),
        "MAIL_IN_DONE": Says("Folder that handled mails are moved to."),
        "MAIL_IN_SECRET": Says("For mails that are handed over at /api/v1/mail."),
        "MAIL_IN_PER_HOUR": Says("Of one sender; those above are held for a person."),
    },
    "Assistant": {
        "ASSISTANT_MODEL_URL": Says(
            "A language model that puts quoted articles in other words, of an interface like OpenAI's (docs/assistant.md)."
        ),
        "ASSISTANT_MODEL": Says("Its name there."),
        "ASSISTANT_MODEL_KEY": Says("The key it wants."),
        "ASSISTANT_MODEL_SECONDS": Says("How long it may take, 1 to 5; then the article is quoted as it is."),
    },
    "People and pay": {
        "RETENTION_DAYS": Says(
            "What customers said is deleted so many days after its ticket ended; 0: never by itself."
        ),
        "PAYOUT_KEYS": Says(
            "Seal the account numbers of agents; `manage.py payout_keys make` makes one. The first seals, all open."
        ),
        "PAYOUT_DEBTOR_NAME": Says("Who pays, in the file for the bank."),
        "PAYOUT_DEBTOR_IBAN": Says("The account that pays."),
        "PAYOUT_DEBTOR_BIC": Says("Its bank."),
        "PAYOUT_MINIMUM_CENTS": Says("Whoever is owed less waits for the next run."),
        "PUSH_KEY": Says(
            "Private key of web push (VAPID); `manage.py push_key` makes one. Without it nobody can be called."
        ),
        "PUSH_CONTACT": Says("Whom push services may ask."),
    },
    "Other systems": {
        "WEBHOOK_ANYWHERE": Says("Webhooks may go to plain http and inner addresses too (docs/webhooks.md)."),
        "SSO_ISSUER": Says("OpenID Connect provider of staff; empty: off (docs/single-sign-on.md)."),
        "SSO_CLIENT_ID": Says("Of the client that is registered there.", needed_with="SSO_ISSUER"),
        "SSO_CLIENT_SECRET": Says("Likewise.", needed_with="SSO_ISSUER"),
        "SSO_NAME": Says("On the button of the log-in page."),
        "SSO_ROLES": Says("Group there, role here: `admin` or the name of a group."),
        "SSO_GROUPS_CLAIM": Says("The claim with the groups."),
        "SSO_SCOPES": Says("What is asked for."),
        "SSO_LOGIN_HOSTS": Says("Where people log in, if not at the issuer's host."),
        "SSO_AGENTS": Says("Whether accounts of agents may be linked too."),
    },
    "Watching": {
        "LOG_FORMAT": Says("`json` or `line`. By default json, on a trial line."),
        "LOG_LEVEL": Says("DEBUG, INFO, WARNING or ERROR."),
        "LOG_REQUESTS": Says("A line a request: route, status, milliseconds."),
        "METRICS_TOKEN": Says("Who sends it as bearer may read /metrics."),
        "METRICS_NETWORKS": Says("Who comes from there, and through no proxy, may read /metrics."),
        "SENTRY_DSN": Says("Errors go there; needs the extra `sentry`."),
        "SENTRY_ENVIRONMENT": Says("Its name of this installation."),
    },
    "Processes": {
        "WEB_PROCESSES": Says("Of the demo."),
        "MATCHER_PROCESSES": Says("Of the demo."),
        "WORKER_THREADS": Says("Tasks that one worker does at once."),
        "DEMO_TRAFFIC": Says("Whether simulated people live in the demo."),
        "STANDBY_TRIAL": Says("Own servers, loopback only, example data; set by the demo."),
        "STANDBY_DEV_TOOLS": Says("The migration linter's command, where requirements-dev.txt is installed."),
        "DEBUG": Says("Django's; never in production."),
    },
}
# Read by a library, not by config/env.py, so without _FILE.
BESIDE = {
    "STANDBY_HOME": "The folder of a trial's data (default `.standby`).",
    "PULSE_FILE": "A worker or beat touches it while it lives, for `python -m config.probe worker`.",
    "PROMETHEUS_MULTIPROC_DIR": "An empty folder: web processes that share a port count requests together.",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "Traces go there by OTLP over HTTP; needs the extra `otel`. OTEL_… as OpenTelemetry says.",
}


class Read(NamedTuple):
    """A call of config/env.py: the setting's kind, and its default as it is written in the code ("": none)."""

    kind: str
    default: str


def settings_read() -> dict[str, Read]:
    """Every setting that the code reads through config/env.py."""
    found: dict[str, Read] = {}
    for file in sorted((ROOT / "config").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "env"
                and node.func.attr in KINDS
            ):
                continue
            name, *rest = node.args
            if not isinstance(name, ast.Constant):
                raise SystemExit(f"{file}:{node.lineno}: the name of a setting is written out")
            default = ast.unparse(rest[-1]) if rest else ""
            if str(name.value) not in found or default:
                found[str(name.value)] = Read(node.func.attr, default)
    return found


def read_past_env(code: str) -> Iterator[str]:
    """Names that a file's code takes from os.environ itself."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"os.environ.get", "os.getenv"}:
            name = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            name = node.slice
        else:
            continue
        if isinstance(name, ast.Constant):
            yield str(name.value)


def default_of(read: Read, says: Says) -> str:
    """The default in words, for the table."""
    if says.needed_with:
        return f"needed with `{says.needed_with}`"
    written = read.default.split(TRIAL)[-1] if TRIAL in read.default else read.default
    if written in WORDS:
        return WORDS[written]
    if not written:
        return "none" if read.kind in EMPTY_WITHOUT else "**must be set**"
    value = ast.literal_eval(written)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value}`" if value != "" else "none"


def settings_page() -> str:
    read = settings_read()
    lines = [
        "# Settings",
        "",
        "Made from the code by `python -m config.reference`. All come from the environment. Each can be given as a file",
        "too: `SECRET_KEY_FILE=/run/secrets/secret_key` names one whose content is the value, for secrets that should not stand in an",
        "environment; the plain name wins. What is missing or malformed stops the start and names itself. `manage.py doctor` looks whether",
        "they fit together.",
    ]
    for group, says in SAYS.items():
        lines += ["", f"## {group}", "", "| setting | what it is | kind | default |", "|---|---|---|---|"]
        lines += [
            f"| `{name}` | {one.words.replace('|', '/')} | {KINDS[read[name].kind]} | {default_of(read[name], one)} |"
            for name, one in says.items()
        ]
    lines += ["", "## Beside these", "", "Read by libraries or before settings load, so without `_FILE`.", ""]
    lines += [
        "| name | what it is |",
        "|---|---|",
        *(f"| `{name}` | {words} |" for name, words in BESIDE.items()),
    ]
    return "\n".join(lines) + "\n"


def env_example() -> str:
    read = settings_read()
    lines = [
        "# Settings of Standby with their defaults, made from the code by `python -m config.reference`.",
        "# For secrets give a file: SECRET_KEY_FILE=/run/secrets/secret_key. What each means: docs/reference/settings.md",
    ]
    for group, says in SAYS.items():
        lines += ["", f"# --- {group}"]
        for name, one in says.items():
            if one.example:
                lines.append(f"{name}={one.example}")
                continue
            shown = default_of(read[name], one)
            value = (
                shown.strip("`")
                if shown.startswith("`") and shown.endswith("`")
                else {"yes": "yes", "no": "no"}.get(shown, "")
            )
            lines.append(f"#{name}={value}")
    lines += ["", "# --- Beside these", *(f"#{name}=" for name in BESIDE)]
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    from config import metrics  # noqa: PLC0415  it wants Django to stand
    from dispatch.figures import FIGURES  # noqa: PLC0415  as above

    rows = [
        *((one.name, "gauge", ", ".join(one.labels), one.says) for one in FIGURES),
        (metrics.UP, "gauge", "", metrics.UP_SAYS),
        *(
            (
                one.name + ("_total" if one.type == "counter" else ""),
                one.type,
                ", ".join(labels),
                one.documentation,
            )
            for collector, labels in (
                (metrics.HTTP_SECONDS, ("method", "route", "status")),
                (metrics.HTTP_SHED, ()),
            )
            for one in collector.describe()
        ),
    ]
    lines = [
        "# Metrics",
        "",
        "Made from the code by `python -m config.reference`. At `/metrics` of each web process, for whom `METRICS_TOKEN` or",
        "`METRICS_NETWORKS` lets in. All but `standby_http_…` come from the database at the moment of asking and are the same from any",
        "process, so take them with `max`, never with `sum`. How to use them: [monitoring](../howto/monitoring.md).",
        "",
        "| metric | type | labels | what it says |",
        "|---|---|---|---|",
        *(f"| `{name}` | {kind} | {labels} | {says} |" for name, kind, labels, says in rows),
    ]
    return "\n".join(lines) + "\n"


def pages() -> Iterator[tuple[Path, str]]:
    """Each file that is made, and what should be in it."""
    yield ROOT / ".env.example", env_example()
    yield ROOT / "docs" / "reference" / "settings.md", settings_page()
    yield ROOT / "docs" / "reference" / "metrics.md", metrics_page()
    yield ROOT / "docs" / "reference" / "events.md", reference_code.events_page()
    yield ROOT / "docs" / "reference" / "api.md", reference_code.api_page()


def complaints() -> list[str]:
    """Settings without words, words without a setting."""
    read = set(settings_read())
    said = {name for says in SAYS.values() for name in says}
    return [
        *(f"{name} is read and config/reference.py says nothing about it" for name in sorted(read - said)),
        *(f"config/reference.py speaks of {name}, which nobody reads" for name in sorted(said - read)),
    ]


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.embedded.command import fill_environment, harmless_environment  # noqa: PLC0415  needs Django

    fill_environment(harmless_environment())
    import django  # noqa: PLC0415  after the environment

    django.setup()
    found = complaints()
    if found:
        print("\n".join(found), file=sys.stderr)
        return 1
    old = [(path, text) for path, text in pages() if not path.exists() or path.read_text() != text]
    if sys.argv[1:] == ["check"]:
        for path, _text in old:
            print(f"{path.relative_to(ROOT)} is out of date: python -m config.reference", file=sys.stderr)
        return 1 if old else 0
    for path, text in old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"{path.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
