"""A post office of packages: a real SMTP server (aiosmtpd) takes what we send, a real IMAP one (pymap) holds what we get."""

import contextlib
import email
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from imapclient import IMAPClient

INBOX = "INBOX"


class PostOffice:
    """`arrived`: mails to customers, in order. `deliver`: a customer's mail goes into the mailbox that we fetch from."""

    def __init__(self, smtp_port: int, imap_port: int) -> None:
        self.smtp_port = smtp_port
        self.imap_port = imap_port
        self.arrived: list[EmailMessage] = []
        self.refuses = ""  # what the SMTP server answers instead, if anything

    @property
    def url(self) -> str:
        return f"imap://carrier:pigeon@127.0.0.1:{self.imap_port}/{INBOX}"

    @contextlib.contextmanager
    def mailbox(self) -> Iterator[IMAPClient]:
        with IMAPClient("127.0.0.1", self.imap_port, ssl=False, timeout=20) as server:
            server.login("carrier", "pigeon")
            yield server

    def deliver(self, *raws: bytes) -> None:
        with self.mailbox() as server:
            for raw in raws:
                server.append(INBOX, raw)

    def lies_in(self, folder: str, *flags: str) -> int:
        """How many mails a folder holds, of those with these flags."""
        with self.mailbox() as server:
            if not server.folder_exists(folder):
                return 0
            server.select_folder(folder)
            return len(server.search(list(flags) or ["ALL"]))

    def clear(self) -> None:
        self.arrived.clear()
        self.refuses = ""
        with self.mailbox() as server:
            for name in (INBOX, "Handled"):
                if not server.folder_exists(name):
                    continue
                server.select_folder(name)
                if found := server.search():
                    server.delete_messages(found)
                    server.expunge()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        if self.refuses:
            return self.refuses
        message = email.message_from_bytes(envelope.original_content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.arrived.append(message)
        return "250 OK"


@contextlib.contextmanager
def post_office() -> Iterator[PostOffice]:
    """Both servers, until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        imap_port = free.getsockname()[1]
    office = PostOffice(0, imap_port)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        office.smtp_port = free.getsockname()[1]
    smtp = Controller(office, hostname="127.0.0.1", port=office.smtp_port)
    smtp.start()
    imap = subprocess.Popen(
        [sys.executable, "-c", "from pymap.main import main; main()", "--host", "127.0.0.1", "--port", str(imap_port),
         "--no-tls", "dict", "--demo-data", "--demo-user", "carrier", "--demo-password", "pigeon"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(400):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", imap_port), 1):
                break
            assert imap.poll() is None, "the IMAP server has ended"
            time.sleep(0.05)
        yield office
    finally:
        smtp.stop()
        imap.terminate()
        imap.wait(10)
