"""Web, worker and beat as real processes on a database of their own, for browser tests, replay tests and measuring.

with live_stack("faults") as stack:
    httpx.get(stack.base_url)
    stack.sql("SELECT count(*) FROM tickets_ticket")
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg2
from redis import Redis

from config.embedded.postgres import ServersFailed, programs
from config.stack import PROJECT, Program, Stack, beat, listen, matcher, names, simulator, web, worker
from tests import ground

TEMPLATES = PROJECT / ".pytest_cache" / "templates"
LOCK = 7_302_118  # advisory lock: one process makes the template, the others wait for it


def url_of(database: str) -> str:
    """Address of another database on the run's PostgreSQL."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}"))


@contextlib.contextmanager
def connection(url: str) -> Iterator[Any]:
    """A plain connection that commits each statement."""
    opened = psycopg2.connect(url)
    opened.autocommit = True
    try:
        yield opened
    finally:
        opened.close()


def run_manage(environment: Mapping[str, str], *words: str, seconds: float = 300.0) -> str:
    """Run a manage.py command with `environment` added; returns what it printed, fails with what it complained about."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"manage.py {' '.join(words)}: {done.stdout}\n{done.stderr}"
    return done.stdout


def migrated_template() -> str:
    """Name of a database with all migrations applied, made when first asked for and kept as long as the server.

    Nobody may stay connected to it: CREATE DATABASE … TEMPLATE refuses then. Migrating takes longer than most tests (Django
    draws all models anew at each step), so the next run of the tests plays in what this one has kept of it.
    """
    mark = _schema_mark()
    name = f"standby_template_{mark}"
    with connection(url_of("postgres")) as admin, admin.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # gone with the connection
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}_new WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}_new")
            copy = TEMPLATES / f"{mark}-{admin.server_version}.sql"
            if not _play(copy, url_of(f"{name}_new")):
                environment = {
                    "DATABASE_URL": url_of(f"{name}_new"),
                    "DJANGO_SETTINGS_MODULE": "config.settings",
                }
                run_manage(environment, "migrate", "--verbosity", "0")
                _keep(copy, url_of(f"{name}_new"))
            cursor.execute(f"ALTER DATABASE {name}_new RENAME TO {name}")
    return name


def fresh_database(name: str) -> str:
    """Make the database `name` anew, migrated and empty; returns its address. Some 0.1 s after the first time."""
    template = migrated_template()
    with connection(url_of("postgres")) as admin, admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return url_of(name)


def drop_database(name: str) -> None:
    """Drop it, whoever is connected."""
    with connection(url_of("postgres")) as admin, admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _schema_mark() -> str:
    """Of all that a migrated database follows from: types and permissions come from models and packages."""
    digest = hashlib.sha256()
    for pattern in (
        "*/migrations/*.py",
        "*/models/*.py",
        "*/apps.py",
        "config/settings.py",
        "requirements*.txt",
    ):
        for file in sorted(PROJECT.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:10]


def _play(copy: Path, url: str) -> bool:
    """Whether there was a copy, and the empty database at `url` is what was kept."""
    words = [
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set",
        "ON_ERROR_STOP=1",
        "--output",
        os.devnull,
    ]
    return copy.exists() and _postgres("psql", *words, "--dbname", url, "--file", str(copy))


def _keep(copy: Path, url: str) -> None:
    """Keep this database for the next run, if PostgreSQL's programs are here and fit the server; and no other."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    draft = copy.with_suffix(f".{os.getpid()}")  # another run may be at it too
    if _postgres("pg_dump", "--no-owner", "--no-privileges", "--dbname", url, "--file", str(draft)):
        for old in copy.parent.glob("*.sql"):
            old.unlink(missing_ok=True)
        draft.rename(copy)
    draft.unlink(missing_ok=True)


def _postgres(program: str, *words: str) -> bool:
    """Whether one of PostgreSQL's programs was there and did it."""
    try:
        path = programs().path(program)
        return subprocess.run([path, *words], capture_output=True, check=False).returncode == 0
    except (OSError, ServersFailed):
        return False


@dataclass
class LiveStack:
    """The running processes and the ways to look into them."""

    processes: Stack
    database_url: str
    redis_url: str
    environment: Mapping[str, str]  # what the processes have beyond our own environment
    logs: Path

    @property
    def base_url(self) -> str:
        return self.processes.base_url

    @property
    def socket_url(self) -> str:
        """The same for websockets."""
        return self.base_url.replace("http://", "ws://", 1)

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; returns its rows, if it has any. Not Django's connection, so no test database is involved."""
        with connection(self.database_url) as opened, opened.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def manage(self, *words: str) -> str:
        """Run a manage.py command on the stack's database; returns what it printed."""
        return run_manage(self.environment, *words)

    def send(self, sent: signal.Signals) -> None:
        """To those processes that work without being asked."""
        for name in {"matcher", "worker", "beat"} & self.processes.pids.keys():
            os.kill(self.processes.pids[name], sent)

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Nothing happens by itself until the end of the block: no clock of ours runs out while a page is looked at."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)

    def log(self, name: str) -> str:
        """What web, worker or beat wrote so far."""
        return (self.logs / f"{name}.log").read_text(errors="replace")

    def marks(self) -> dict[str, int]:
        """How long each process's log is now, in bytes; for logs_since()."""
        return {path.stem: path.stat().st_size for path in self.logs.glob("*.log")}

    def logs_since(self, marks: Mapping[str, int]) -> str:
        """What all processes wrote since marks(), each under its name; for the report of a test that failed."""
        told = []
        for path in sorted(self.logs.glob("*.log")):
            text = path.read_bytes()[marks.get(path.stem, 0) :].decode(errors="replace").strip()
            if text:
                told.append(f"--- {path.stem}\n{text}")
        return "\n".join(told)

    def standing(self) -> str:
        """Where things stand now, when something has not happened that should: who works or waits in PostgreSQL, locks by a
        number, what lies in Celery's queues, what the processes do, the newest tickets."""
        redis = Redis.from_url(self.redis_url, socket_timeout=5)
        told = [f"queue {name}: {redis.llen(name)}" for name in ("match", "default", "simulate")]
        for name, pid in self.processes.pids.items():
            told.append(f"{name}: {psutil.Process(pid).status()}")
        for query in STANDING.split(";"):
            told += [str(row) for row in self.sql(query)]
        return "\n".join(told)


STANDING = """
SELECT pid, state, wait_event_type, wait_event, now() - xact_start, left(query, 120) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
SELECT pid, mode, granted, classid, objid FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
SELECT id, public_id, state, topic_id, created_at, waiting_since, flagged_at, last_seq FROM tickets_ticket
ORDER BY id DESC LIMIT 5;
SELECT id, ticket_id, agent_id, state, made_at, expires_at FROM dispatch_offer ORDER BY id DESC LIMIT 5;
SELECT id, agent_id, state, ended_at, lost_at, units, units_taken FROM agents_shift ORDER BY id DESC LIMIT 5;
SELECT now(), kind, heard_at FROM dispatch_pulse
"""

_open: set[int] = set()  # Redis numbers of the stacks that this process has under way


@contextlib.contextmanager
def redis_of_its_own() -> Iterator[str]:
    """Address of a numbered database of the run's Redis, empty, that no other stack of this process has until the end of the
    block. What one stack did not take out of its queues is nothing for the next one."""
    number = ground.stack_number(_open)
    _open.add(number)
    try:
        Redis.from_url(ground.redis_url(number)).flushdb()
        yield ground.redis_url(number)
    finally:
        _open.discard(number)


@contextlib.contextmanager
def live_stack(
    name: str,
    *,
    settings: Mapping[str, str] | None = None,
    web_processes: int = 1,
    matchers: int = 1,
    with_worker: bool = True,
    with_beat: bool = True,
    with_simulator: bool = False,
) -> Iterator[LiveStack]:
    """Start web, worker and beat on the fresh database `stack_<name>_<xdist worker>` and a free port of the loopback.

    `settings` are added to the environment. Call it in the main thread.
    """
    database = f"stack_{name}_{ground.worker()}"
    folder = Path(tempfile.mkdtemp(prefix=f"{ground.STACK_PREFIX}{name}-"))
    with redis_of_its_own() as redis_url, listen(0) as listener:
        port = listener.getsockname()[1]
        environment = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": fresh_database(database),
            "REDIS_URL": redis_url,
            "REDIS_PREFIX": f"standby-{database}",
            "MEDIA_ROOT": str(folder / "media"),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "STANDBY_TRIAL": "1",
            **(settings or {}),
        }
        programs: list[Program] = [web(listener, name) for name in names("web", web_processes)]
        if with_worker:
            programs += [*(matcher(name) for name in names("matcher", matchers)), worker()]
        programs += [simulator()] if with_simulator else []
        programs += [beat(folder)] if with_beat else []
        processes = Stack(programs, environment, folder / "logs", listener)
        try:
            processes.start()
            processes.wait()
            urls = environment["DATABASE_URL"], environment["REDIS_URL"]
            yield LiveStack(processes, *urls, environment, folder / "logs")
        finally:
            processes.stop()
            drop_database(database)
            shutil.rmtree(folder, ignore_errors=True)
