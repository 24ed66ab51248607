"""nginx in front of several web processes, from deploy/nginx.conf.template as in containers: for `make cluster` and tests."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from config.stack import PROJECT, Program

TEMPLATE = PROJECT / "deploy" / "nginx.conf.template"
KEEPALIVE = 32
NOBODY = "255.255.255.255"  # no peer has this address
FAIL = "max_fails=1 fail_timeout=1s"

# What an image of nginx brings along; here nothing outside `folder` is written, and no root is needed.
MAIN = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 4096;
events {{ worker_connections 2048; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/octet-stream;
    include {folder}/standby.conf;
}}
"""


class NoNginx(Exception):
    """nginx is not on this machine; the message says how to get it."""


def nginx() -> str:
    """Path of nginx. Raises NoNginx."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")
    if found is None:
        raise NoNginx(
            "nginx is needed and was not found: install it (Debian, Ubuntu: apt-get install nginx-light)"
        )
    return found


def site(listen: str, upstreams: Sequence[str], scheme: str = "http", trusted: str = NOBODY) -> str:
    """The template with these values. `upstreams`: host:port of each web process. `trusted`: where a proxy before it stands."""
    values = {
        "LISTEN": listen,
        "UPSTREAMS": "\n    ".join(f"server {one} {FAIL};" for one in upstreams),
        "WEB_KEEPALIVE": str(KEEPALIVE),
        "SCHEME": scheme,
        "TRUSTED_PROXY": trusted,
    }
    text = TEMPLATE.read_text()
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def proxy(folder: Path, port: int, upstreams: Sequence[str]) -> Program:
    """nginx on a port of the loopback as a process of a stack. Writes its configuration to `folder`. Raises NoNginx."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "standby.conf").write_text(site(f"127.0.0.1:{port}", upstreams))
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    return Program(
        "proxy", [nginx(), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"], grace=3.0
    )
