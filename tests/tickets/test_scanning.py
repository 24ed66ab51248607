"""The virus scanner: a real program; what it does not call clean is not let in, by any door."""

import io
import logging
import os
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from config import doctor
from tests.cast import World
from tests.untouched import nothing_changed
from tickets import scanning
from tickets.attachments import FileInfected, FileNotScanned, FileTypeNotAllowed, inspect
from tickets.inbox.taking import mail_take
from tickets.models import Attachment, MailIn, Ticket

BAD = b"X5O! a virus, for the test's scanner\n"
SCANNER = """#!/bin/sh
env >"$0.environment"
content=$(cat)
printf '%s\\n' "$content" >"$0.seen"
case $content in
    *X5O*) echo "stream: found"; exit 1 ;;
    *slow*) sleep 60 & echo $! >"$0.child"; wait ;;
    *odd*) exit 2 ;;
esac
"""


@pytest.fixture
def scanner(settings: Any, tmp_path: Path) -> Path:
    program = tmp_path / "the scanner"
    program.write_text(SCANNER)
    program.chmod(0o700)
    settings.SCAN_COMMAND = [str(program), "-"]
    return program


def test_what_is_clean_is_let_in_and_the_scanner_gets_it_as_it_came(
    scanner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    assert inspect("brief.txt", b"Card 4111 1111 1111 1111").content == b"Card [card \xe2\x80\xa61111]"
    assert Path(f"{scanner}.seen").read_bytes() == b"Card 4111 1111 1111 1111\n"
    assert "hush" not in Path(f"{scanner}.environment").read_text()


def test_what_is_infected_is_refused_and_logged_without_its_name(
    scanner: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(FileInfected) as refused:
        inspect("Lindqvist.txt", BAD)
    assert (refused.value.status, refused.value.code) == (422, "infected")
    assert "the virus scanner found something in a file of 37 bytes" in caplog.text
    assert "Lindqvist" not in caplog.text


def test_a_scanner_that_does_not_answer_lets_nothing_in(
    scanner: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "SECONDS", 0.3)
    for content in (b"odd", b"slow"):
        with pytest.raises(FileNotScanned) as refused:
            inspect("a.txt", content)
        assert (refused.value.status, refused.value.code) == (503, "not_scanned")
    child = int(Path(f"{scanner}.child").read_text())
    assert _gone(child)  # what it had started ends with it
    scanner.chmod(0o600)
    for command in ([str(scanner)], ["/nowhere/scanner"]):
        settings.SCAN_COMMAND = command
        with pytest.raises(FileNotScanned):
            inspect("a.txt", b"hello")


def _gone(process: int) -> bool:
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        if " Z " in Path(f"/proc/{process}/stat").read_text():  # nobody has asked for its end yet
            return True
        time.sleep(0.02)
    return False


def test_a_scanner_that_reads_nothing_is_asked_all_the_same(settings: Any) -> None:
    settings.SCAN_COMMAND = ["true"]
    assert scanning.scan(b"x" * 1_000_000) is scanning.Verdict.CLEAN


def test_what_is_refused_anyway_is_not_shown_to_it(scanner: Path) -> None:
    with pytest.raises(FileTypeNotAllowed):
        inspect("a.exe", BAD)
    assert not Path(f"{scanner}.seen").exists()


@pytest.mark.django_db
class TestDoors:
    """Each of them goes through `inspect`."""

    def test_the_form_and_the_api(self, world: World, scanner: Path, client: Client) -> None:
        with nothing_changed():
            page = client.post("/", {"text": "Look", "files": _upload(BAD)})
            assert "The virus scanner found something in this file." in page.content.decode()
            answer = client.post("/api/v1/tickets", {"text": "Look", "files": _upload(BAD)})
            assert (answer.status_code, answer.json()["code"]) == (422, "infected")
            answer = client.post("/api/v1/tickets", {"text": "Look", "files": _upload(b"odd")})
            assert (answer.status_code, answer.json()["code"]) == (503, "not_scanned")

    def test_mail(self, world: World, scanner: Path) -> None:
        mail_take(_mail(BAD))
        assert Ticket.objects.count() == 1
        assert not Attachment.objects.exists()
        assert MailIn.objects.get().left_out == [["a.txt", "The virus scanner found something in this file."]]
        # Nothing is wrong with this one: whoever has it tries again.
        with pytest.raises(FileNotScanned):
            mail_take(_mail(b"odd", 2))
        assert Ticket.objects.count() == 1
        scanner.write_text("#!/bin/sh\nexit 0\n")
        mail_take(_mail(b"odd", 2))
        assert Ticket.objects.count() == 2
        assert Attachment.objects.get().name == "a.txt"

    def test_the_doctor_asks_it(self, scanner: Path, settings: Any) -> None:
        assert _found() == ("ok", "the scanner answers.")
        settings.SCAN_COMMAND = ["false"]
        assert _found()[0] == "failure"
        settings.SCAN_COMMAND = []
        assert _found() == ("ok", "No SCAN_COMMAND: files are not scanned for viruses.")


def _found() -> tuple[str, str]:
    (one,) = doctor._scanner()
    return one.level, one.says


def _upload(content: bytes) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = "a.txt"
    return file


def _mail(content: bytes, number: int = 1) -> bytes:
    letter = EmailMessage()
    letter["From"], letter["To"] = "carla@customers.example", "help@later.example"
    letter["Subject"], letter["Message-ID"] = "A file", f"<{number}@customers.example>"
    letter.set_content("Please look at this file, it is important to me.")
    letter.add_attachment(content, maintype="text", subtype="plain", filename="a.txt")
    return letter.as_bytes()
