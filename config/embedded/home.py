"""The folder that holds one trial: data, logs, the key, the lock, and who runs its servers."""

import base64
import fcntl
import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from config.embedded.processes import Identity


class ServersFailed(Exception):
    """PostgreSQL or Redis could not be had; the message is a sentence for the reader, with the way out."""


class Busy(ServersFailed):
    """The home's servers belong to another running command; the message names it."""


@dataclass(frozen=True)
class Record:
    """Who runs the servers of a home and where they are, as written to servers.json."""

    owner: Identity
    command: str
    sockets: str
    ready: bool = False
    postgres: Identity | None = None
    redis: Identity | None = None

    @classmethod
    def from_json(cls, text: str) -> "Record":
        fields: dict[str, Any] = json.loads(text)
        for name in ("owner", "postgres", "redis"):
            if fields.get(name) is not None:
                fields[name] = Identity(**fields[name])
        return cls(**fields)


class Home:
    """One trial's folder. Making the object touches nothing; prepare() makes the folder."""

    # What is ours in the folder. A reset deletes these and nothing else: somebody may have named a folder with more in it.
    OWN = (
        "postgres",
        "postgres.new",
        "postgres-lies-at",
        "media",
        "mail",
        "logs",
        "beat",
        "secret-key",
        "secret-key.new",
        "payout-key",
        "payout-key.new",
        "push-key",
        "push-key.new",
        "servers.json",
        "servers.json.new",
        "attached.lock",
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.logs = self.folder / "logs"
        self.media = self.folder / "media"
        self.mail = self.folder / "mail"

    def __str__(self) -> str:
        return str(self.folder)

    def prepare(self) -> None:
        """Make the folder. Raises ServersFailed when it belongs to somebody else or cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if os.geteuid() == 0 and self.folder.stat().st_uid == 0:
                self.folder.chmod(
                    0o711
                )  # the unprivileged PostgreSQL must get through to its data, see postgres.py
            self.logs.mkdir(exist_ok=True, mode=0o700)
            self.media.mkdir(exist_ok=True, mode=0o700)
            self.mail.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise ServersFailed(
                f"{self.folder} cannot be used ({error.strerror}); set STANDBY_HOME to a folder of your own"
            ) from error
        if not os.access(self.logs, os.W_OK):
            raise ServersFailed(
                f"{self.folder} belongs to another user; run as that user, or set STANDBY_HOME to a folder of your own"
            )

    def secret_key(self) -> str:
        """Django's SECRET_KEY of this home, readable by its owner only. The first caller makes it and holds the lock."""
        return self._kept("secret-key", secrets.token_urlsafe(48))

    def payout_key(self) -> str:
        """The key that seals account numbers in this home's database (PAYOUT_KEYS), kept like the other one."""
        return self._kept("payout-key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    def push_key(self) -> str:
        """The private key of this home's calls to devices (PUSH_KEY), kept like the others."""
        key = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")
        return self._kept("push-key", base64.urlsafe_b64encode(key).decode().rstrip("="))

    def _kept(self, name: str, fresh: str) -> str:
        file = self.folder / name
        if not file.exists():
            draft = self.folder / f"{name}.new"
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as sink:
                sink.write(fresh)
            draft.replace(file)  # whole or not at all
        return file.read_text()

    # --- Who runs it ------------------------------------------------------------------------------------------------
    def lock(self) -> int | None:
        """The one lock of the home as an open descriptor, or None when somebody has it. Held until it is closed."""
        return _lock(self.folder / "servers.lock", fcntl.LOCK_EX)

    def lock_attached(self, *, alone: bool) -> int | None:
        """Shared by all attached commands; the owner asks for it alone, to see whether there are any."""
        return _lock(self.folder / "attached.lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH)

    def record(self) -> Record | None:
        """What the last owner wrote, or None. It may be stale: only the lock says whether an owner lives."""
        try:
            return Record.from_json((self.folder / "servers.json").read_text())
        except (OSError, ValueError, TypeError):
            return None

    def write_record(self, record: Record) -> None:
        draft = self.folder / "servers.json.new"
        draft.write_text(json.dumps(asdict(record), indent=1))
        draft.replace(self.folder / "servers.json")

    def forget_record(self) -> None:
        (self.folder / "servers.json").unlink(missing_ok=True)

    # --- Where PostgreSQL's data lies -------------------------------------------------------------------------------
    def recorded_data(self) -> Path | None:
        """The data folder written down when it was made outside the home, see postgres.py."""
        try:
            return Path((self.folder / "postgres-lies-at").read_text().strip())
        except OSError:
            return None

    def record_data(self, data: Path) -> None:
        (self.folder / "postgres-lies-at").write_text(f"{data}\n")

    def empty(self) -> None:
        """Delete everything that is ours in the folder. The caller holds the lock."""
        elsewhere = self.recorded_data()
        if elsewhere is not None:
            shutil.rmtree(elsewhere, ignore_errors=True)
        for name in self.OWN:
            path = self.folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _lock(file: Path, kind: int) -> int | None:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ServersFailed(
            f"{file} cannot be opened ({error.strerror}); is this home another user's?"
        ) from error
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
