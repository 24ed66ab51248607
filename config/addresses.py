"""Addresses of servers, as those who use them want them spelled."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from config import env


def database(url: str, *, keep: int, prepare: bool) -> dict[str, Any]:
    """A Django database entry from postgres://user:password@host:port/name?host=/socket/folder.

    `keep`: seconds for which a connection is used; `prepare`: statements are planned once. Raises BadSetting.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise env.BadSetting("DATABASE_URL wants postgres://…: Standby runs on PostgreSQL only")
    query = parse_qs(parts.query)
    return {
        "ENGINE": "config.postgres",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", [parts.hostname or ""])[0],
        "PORT": str(parts.port or query.get("port", [""])[0]),
        "CONN_MAX_AGE": keep,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "standby"}
        | ({"options": "-c plan_cache_mode=force_generic_plan"} if prepare else {}),
    }


def origin(url: str) -> str:
    """https://login.example of https://login.example/realms/one, as a policy wants it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def broker(url: str) -> str:
    """Celery's spelling of a Redis address: unix:///path?db=3 is redis+socket:///path?virtual_host=3 there."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{unquote(parts.path)}?virtual_host={number}"
