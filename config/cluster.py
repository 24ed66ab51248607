"""The process set of an installation by hand: a proxy, web processes each on its own port, workers, on servers of our own.

python -m config.cluster              start it; PORT (8000), STANDBY_HOME (.standby-cluster), WEB_PROCESSES (2)
python -m config.cluster --with-parent     also end when the parent process ends (make cluster)

The settings are those of production but for TLS: no trial, no example data, JSON logs, only the proxy's word about addresses.
`touch $STANDBY_HOME/restart` restarts the web processes one after the other, as a release does.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from config import embedded, env
from config.catalogues import compile_catalogues
from config.demo import Stopped, run, say, servers, stopped_by_signals
from config.embedded.command import standby_home
from config.embedded.processes import die_with_parent
from config.proxy import NoNginx, nginx, proxy
from config.stack import (
    PROJECT,
    At,
    Program,
    Stack,
    StackFailed,
    beat,
    listen,
    manage,
    matcher,
    names,
    simulator,
    worker,
)

DRAIN = "2"  # seconds; on one machine the proxy learns at once; longer than it keeps a connection


def settings_of(port: int, media: Path, static: Path) -> dict[str, str]:
    """Production's settings for the processes behind a proxy on this port."""
    return {
        "STANDBY_TRIAL": "no",
        "STANDBY_DEV_TOOLS": "no",
        "DEBUG": "no",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "BEHIND_PROXY": "yes",
        "LOG_FORMAT": "json",
        "MAIL_FOLDER": "",
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        "MEDIA_ROOT": str(media),
        "STATIC_ROOT": str(static),
        "WEB_DRAIN_SECONDS": DRAIN,
        "METRICS_NETWORKS": "127.0.0.0/8",
    }


class Cluster:
    """The processes. Each web process is a stack of its own with a port of its own, so each can leave and come by itself."""

    def __init__(
        self,
        port: int,
        settings: Mapping[str, str],
        folder: Path,
        logs: Path,
        *,
        webs: int = 2,
        matchers: int = 2,
        workers: int = 2,
    ) -> None:
        """Raises NoNginx."""
        ports = free_ports(webs)
        front = proxy(folder / "proxy", port, [f"127.0.0.1:{one}" for one in ports])
        self.webs = {
            name: Stack(
                [Program(name, [sys.executable, "-m", "config.roles", "web"], grace=8.0)],
                {**settings, "HOST": "127.0.0.1", "PORT": str(one)},
                logs,
                At(one),
            )
            for name, one in zip(names("web", webs), ports, strict=True)
        }
        programs = [
            *(matcher(name) for name in names("matcher", matchers)),
            *(worker(name=name) for name in names("worker", workers)),
            simulator(),
            beat(folder / "beat"),
            front,
        ]
        self.rest = Stack(programs, settings, logs, At(port))

    @property
    def base_url(self) -> str:
        return self.rest.base_url

    def start(self) -> None:
        """Start all, and wait until each web process and the proxy answer. Raises StackFailed."""
        for one in self.all:
            one.start()
        for one in self.webs.values():
            one.wait("/healthz/web")
        self.rest.wait("/healthz/live")

    @property
    def all(self) -> tuple[Stack, ...]:
        return (*self.webs.values(), self.rest)

    def watch(self) -> list[str]:
        """Start again what died. Returns what there is to tell."""
        return [news for one in self.all for news in one.watch()]

    def roll(self) -> None:
        """Restart the web processes one after the other: the next only when the one before serves again."""
        for name, one in self.webs.items():
            one.restart(name)
            one.wait("/healthz/web")

    def stop(self) -> None:
        for one in reversed(self.all):
            one.stop()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody has just now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return found


def main() -> int:
    """Returns the exit code: 0 after Ctrl-C or SIGTERM, 1 when it could not start."""
    os.environ.setdefault("STANDBY_HOME", str(PROJECT / ".standby-cluster"))
    try:
        if sys.argv[1:] == ["--with-parent"]:
            die_with_parent(signal.SIGTERM, os.getppid())
        elif sys.argv[1:]:
            print(__doc__, file=sys.stderr)
            return 2
        cluster()
    except (embedded.ServersFailed, StackFailed, env.BadSetting, NoNginx) as failure:
        print(f"standby: {failure}", file=sys.stderr)
        return 1
    except Stopped:
        say("stopped, nothing is left running")
    return 0


def cluster() -> None:
    """Start everything, say where it is, keep it alive. Ends by Stopped, or when something cannot be had."""
    port = env.number("PORT", 8000)
    nginx()  # said first, not after a minute
    home = embedded.Home(standby_home())
    with stopped_by_signals(), servers(home) as addresses:
        listen(port).close()  # a taken port is known before anything starts
        settings = {**addresses, **settings_of(port, home.media, home.folder / "static")}
        compile_catalogues()
        say("preparing the database …")
        run(manage("migrate", "--verbosity", "0"), settings, home.logs)
        run(manage("collectstatic", "--no-input", "--verbosity", "0"), settings, home.logs)
        running = Cluster(
            port,
            settings,
            home.folder,
            home.logs,
            webs=env.number("WEB_PROCESSES", 2),
        )
        again = home.folder / "restart"
        try:
            running.start()
            say(f"logs of each process: {home.logs}")
            for name, one in running.webs.items():
                say(f"{name}: {one.base_url} (/healthz/ready, /metrics)")
            say("make the first admin: " + f"STANDBY_HOME={home} make manage ARGS=createsuperuser")
            say(f"ready: {running.base_url}")
            while True:
                for sentence in running.watch():
                    say(f"standby: {sentence}")
                if again.exists():
                    again.unlink()
                    say("restarting the web processes, one after the other …")
                    running.roll()
                    say("restarted")
                time.sleep(0.5)
        finally:
            running.stop()


if __name__ == "__main__":
    sys.exit(main())
