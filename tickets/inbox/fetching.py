"""Mail from an IMAP server: what lies in the folder is taken in and moved to another one; what failed stays, with a flag.

Two workers never fetch at once (an advisory lock), and would do no harm: a mail is taken in once. Nothing is deleted.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from imapclient import FLAGGED, IMAPClient
from imapclient.exceptions import IMAPClientError

from tickets.inbox.parsing import MAX_RAW
from tickets.inbox.taking import mail_failed, mail_take

logger = logging.getLogger(__name__)

PORTS = {"imaps": 993, "imap": 143}
SECONDS = 20  # a server is waited for
MOST = 100  # mails at one look
_LOCK = 7_305_527  # of this errand, among advisory locks: any number that nobody else has


@dataclass(frozen=True)
class Source:
    """imaps://user:password@host:port/folder; `imap` is for servers on the same machine only."""

    host: str
    port: int
    tls: bool
    user: str
    password: str
    folder: str

    @classmethod
    def of(cls, url: str) -> "Source":
        """Raises ValueError without the password in it."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname or not parts.username:
            raise ValueError("MAIL_IN_URL wants imaps://user:password@host/folder")
        return cls(
            host=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            tls=parts.scheme == "imaps",
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
            folder=unquote(parts.path.strip("/")) or "INBOX",
        )


def mail_fetch() -> int:
    """Take in what lies there, at most MOST. Returns how many. Safe to run twice: the second one does nothing meanwhile.

    Raises OSError or IMAPClientError when the server cannot be reached or refuses us.
    """
    source = Source.of(settings.MAIL_IN_URL)
    with _alone() as alone:
        return _fetch(source) if alone else 0


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other worker is at it. A lock of the connection, since each mail is a transaction of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        alone = cursor.fetchone() == (True,)
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _fetch(source: Source) -> int:
    with IMAPClient(source.host, source.port, ssl=source.tls, timeout=SECONDS) as server:
        server.login(source.user, source.password)
        if not server.folder_exists(settings.MAIL_IN_DONE):
            server.create_folder(settings.MAIL_IN_DONE)
        server.select_folder(source.folder)
        done = 0
        # A person who takes the flag away has the mail tried once more.
        for uid in server.search(["UNFLAGGED", "UNDELETED"])[:MOST]:
            done += _take(server, uid)
        return done


def _take(server: IMAPClient, uid: int) -> bool:
    # PEEK: whoever looks into the mailbox sees what is unread. No more than MAX_RAW, however large it is.
    found = server.fetch([uid], [f"BODY.PEEK[]<0.{MAX_RAW}>"]).get(uid, {})
    raw = next((value for name, value in found.items() if name.startswith(b"BODY[]")), None)
    if not isinstance(raw, bytes):  # somebody has moved it meanwhile
        return False
    try:
        mail_take(raw)
    except (OperationalError, InterfaceError):
        raise  # the database restarts: nothing is wrong with the mail
    except Exception as error:
        logger.exception("mail %s could not be taken in; it stays in the mailbox, flagged", uid)
        mail_failed(raw, type(error).__name__)
        server.add_flags([uid], [FLAGGED])
        return False
    _move(server, uid)
    return True


def _move(server: IMAPClient, uid: int) -> None:
    if server.has_capability("MOVE"):
        server.move([uid], settings.MAIL_IN_DONE)
        return
    server.copy([uid], settings.MAIL_IN_DONE)
    server.delete_messages([uid])
    server.expunge([uid] if server.has_capability("UIDPLUS") else None)


__all__ = ["IMAPClientError", "Source", "mail_fetch"]
