"""Starting, attaching to and stopping the servers of a home."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from config.embedded import postgres, redis
from config.embedded.home import Busy, Home, Record, ServersFailed
from config.embedded.processes import Identity, stop, stop_stray

SOCKET_PATH_LIMIT = 100  # bytes; sockaddr_un holds 108 on Linux, 104 on macOS
LONGEST_NAME = len("standby-12345678/.s.PGSQL.5432.lock")
LOG_LIMIT = 10_000_000  # bytes; a longer log begins anew at the next start
POSTGRES_STOP = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))  # fast, then immediate shutdown


@dataclass
class Servers:
    """Running PostgreSQL and Redis of one home, ours (`owned`) or another command's to which we attached."""

    home: Home
    sockets: Path
    data: Path
    owned: bool
    started_by: str
    _descriptor: int = -1  # the home's lock when owned, else the shared lock of the attached
    _postgres: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _redis: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def url_of(self, database: str) -> str:
        """Address of one database on this server, for Django, libpq and pgbench alike."""
        return f"postgres://{postgres.USER}@/{quote(database)}?host={quote(str(self.sockets))}"

    @property
    def database_url(self) -> str:
        return self.url_of(postgres.DATABASE)

    @property
    def redis_url(self) -> str:
        return f"unix://{quote(str(self.sockets / redis.SOCKET))}"

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the servers, by name."""
        record = self.home.record()
        found = {"postgres": record.postgres, "redis": record.redis} if record else {}
        return {name: identity.pid for name, identity in found.items() if identity}

    def environment(self) -> dict[str, str]:
        """The settings that let any process of ours use these servers."""
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": self.home.secret_key(),
            "PAYOUT_KEYS": self.home.payout_key(),
            "PUSH_KEY": self.home.push_key(),
            "MEDIA_ROOT": str(self.home.media),
            "MAIL_FOLDER": str(self.home.mail),
            "STANDBY_TRIAL": "1",
        }

    def describe(self) -> str:
        """One line for the reader: what runs and where the data lie."""
        how = "started for this command" if self.owned else f"already running ({self.started_by})"
        lie = f"data in {self.home}"
        if self.data.parent != self.home.folder:
            lie += f" and {self.data}"
        return f"PostgreSQL and Redis {how}, {lie}, sockets in {self.sockets}"

    def program(self, name: str) -> Path:
        """A client program of the PostgreSQL wheel, for example pgbench."""
        return postgres.programs().path(name)

    def wait_for_attached(self) -> None:
        """Return when no other command is attached. Says once that it waits."""
        if not self.owned:
            return
        told = False
        while (descriptor := self.home.lock_attached(alone=True)) is None:
            if not told:
                told = True
                print(
                    "standby: other commands use these servers; waiting for them to end (Ctrl-C stops the servers now)",
                    file=sys.stderr,
                )
            time.sleep(0.1)
        os.close(descriptor)

    def stop(self) -> None:
        """Stop what we started, or let go of what we attached to. A second call does nothing. At most some 45 s."""
        if self._descriptor == -1:
            return
        try:
            if self._redis is not None:
                stop(self._redis, (signal.SIGTERM, 5.0))
            if self._postgres is not None:
                stop(self._postgres, *POSTGRES_STOP)
            if self.owned:
                shutil.rmtree(self.sockets, ignore_errors=True)
                self.home.forget_record()
        finally:
            os.close(self._descriptor)
            self._descriptor = -1


def start(folder: Path, *, durable: bool = True, attach: bool = True, patience: float = 60.0) -> Servers:
    """Attach to the running servers of the home `folder`, or start them.

    `durable=False` is for tests: fast, and everything is lost when the machine fails. With `attach=False`, servers that
    belong to another command raise Busy. `patience` is how many seconds we wait for another command that is just starting
    or stopping them. Raises ServersFailed. Call it in the main thread (processes.spawn tells why).
    """
    home = Home(folder)
    home.prepare()
    deadline = time.monotonic() + patience
    while True:
        descriptor = home.lock()
        if descriptor is not None:
            return _start_owned(home, descriptor, durable=durable)
        if not attach:
            raise Busy(_who_has(home))
        attached = _attach(home)
        if attached is not None:
            return attached
        if time.monotonic() > deadline:
            raise Busy(f"{_who_has(home)} and its servers did not get ready within {patience:.0f} s")
        time.sleep(0.05)


@contextlib.contextmanager
def running(folder: Path, *, durable: bool = True, attach: bool = True) -> Iterator[Servers]:
    """start() and stop() around a block."""
    servers = start(folder, durable=durable, attach=attach)
    try:
        yield servers
    finally:
        servers.stop()


def reset(folder: Path) -> None:
    """Empty a home: data, files, logs, key. Raises Busy while servers run in it; stale ones are stopped first."""
    home = Home(folder)
    if not home.folder.exists():
        return
    descriptor = home.lock()
    if descriptor is None:
        raise Busy(_who_has(home))
    try:
        _clear_stale(home)
        home.empty()
    finally:
        os.close(descriptor)


def _who_has(home: Home) -> str:
    record = home.record()
    who = f"`{record.command}` (process {record.owner.pid})" if record else "another command"
    return f"{home} is in use by {who}"


def _attach(home: Home) -> Servers | None:
    """The servers of a living owner, or None while it is starting or stopping."""
    descriptor = home.lock_attached(alone=False)
    if descriptor is None:  # the owner is about to stop
        return None
    record = home.record()
    if record is None or not (record.ready and record.owner.alive):
        os.close(descriptor)
        return None
    return Servers(
        home=home,
        sockets=Path(record.sockets),
        data=home.recorded_data() or home.folder / "postgres",
        owned=False,
        started_by=f"`{record.command}`, process {record.owner.pid}",
        _descriptor=descriptor,
    )


def _start_owned(home: Home, descriptor: int, *, durable: bool) -> Servers:
    servers: Servers | None = None
    try:
        _clear_stale(home)
        home.secret_key()  # made while we are alone
        home.payout_key()
        for log in home.logs.glob("*.log"):
            if log.stat().st_size > LOG_LIMIT:
                log.unlink()
        run_by = postgres.programs()
        data = postgres.data_folder(home, run_by)
        log = home.logs / "postgres.log"
        sockets = _sockets_folder(run_by.user)
        servers = Servers(home, sockets, data, owned=True, started_by="ourselves", _descriptor=descriptor)
        record = Record(owner=Identity.of(os.getpid()), command=_command_line(), sockets=str(sockets))
        home.write_record(record)
        # Redis first: PostgreSQL takes longer, so they come up side by side.
        servers._redis = redis.start(sockets, home.logs / "redis.log")
        record = replace(record, redis=Identity.of(servers._redis.pid))
        home.write_record(record)
        postgres.make_cluster(run_by, data, log, durable=durable)
        owner = data.stat()
        if run_by.user is not None and owner.st_uid != 0:
            run_by = replace(
                run_by, user=(owner.st_uid, owner.st_gid)
            )  # root takes over the home of an ordinary user
        elif run_by.user is None and owner.st_uid != os.geteuid():
            raise ServersFailed(f"{data} belongs to another user: run as that user, or set STANDBY_HOME")
        servers._postgres = postgres.start(run_by, data, sockets, log, durable=durable)
        record = replace(record, postgres=Identity.of(servers._postgres.pid))
        home.write_record(record)
        postgres.wait(servers._postgres, sockets, log)
        redis.wait(servers._redis, sockets, home.logs / "redis.log")
        home.write_record(replace(record, ready=True))
        return servers
    except BaseException:  # also Ctrl-C in the middle
        if servers is not None:
            servers.stop()
        else:
            os.close(descriptor)
        raise


def _clear_stale(home: Home) -> None:
    """Stop what an owner left behind that was killed, found by process id and start time. The caller holds the lock."""
    record = home.record()
    if record is None:
        return
    for name, identity, steps in (
        ("Redis", record.redis, [(signal.SIGTERM, 5.0)]),
        ("PostgreSQL", record.postgres, POSTGRES_STOP),
    ):
        if identity is not None and stop_stray(identity, *steps):
            print(f"standby: stopped a {name} left behind (process {identity.pid})", file=sys.stderr)
    sockets = Path(record.sockets)
    if sockets.name.startswith("standby-") and not sockets.is_symlink():
        shutil.rmtree(sockets, ignore_errors=True)
    home.forget_record()


def _sockets_folder(user: tuple[int, int] | None) -> Path:
    """A fresh folder with a short path, mode 0700, of the user that runs PostgreSQL (root may enter anyway)."""
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) + 1 + LONGEST_NAME > SOCKET_PATH_LIMIT or not re.fullmatch(r"[\w./-]+", base):
        base = "/tmp"  # noqa: S108  mkdtemp makes a name of its own in it; the path stands in addresses, so no spaces
    folder = Path(tempfile.mkdtemp(prefix="standby-", dir=base))
    if user is not None:
        os.chown(folder, *user)
    return folder


def _command_line() -> str:
    name = Path(sys.argv[0]).name or "python"
    return " ".join([name, *sys.argv[1:2]])
