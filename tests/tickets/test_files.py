"""Files and transactions: what is not committed leaves nothing on the disk, what is committed keeps its file."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import OperationalError, connection, transaction

from config.celery import app
from tests.cast import World
from tickets import files, timeline
from tickets.attachments import inspect
from tickets.conversation import customer_reply
from tickets.models import Attachment, Message, Ticket
from tickets.tasks import files_sweep

TEXT, OTHER = inspect("a.txt", b"one"), inspect("b.txt", b"two")
HOUR = 3600


@pytest.fixture
def disk(settings: Any, tmp_path: Path) -> Callable[[], list[str]]:
    """A function that says what the files on the disk hold, in order."""
    settings.MEDIA_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    }
    return lambda: sorted(path.read_text() for path in tmp_path.rglob("*") if path.is_file())


@pytest.fixture
def ticket(world: World) -> Ticket:
    return world.ticket()


pytestmark = pytest.mark.django_db(transaction=True)


class Stop(Exception):
    pass


def test_what_is_committed_stays(disk: Callable[[], list[str]], ticket: Ticket) -> None:
    customer_reply(ticket=ticket, body="", files=[TEXT, TEXT, OTHER])
    assert disk() == ["one", "one", "two"]
    assert [file.file.read() for file in Attachment.objects.order_by("pk")] == [b"one", b"one", b"two"]
    assert len(set(Attachment.objects.values_list("file", flat=True))) == 3


def test_a_rollback_leaves_no_file(
    disk: Callable[[], list[str]], ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer_reply(ticket=ticket, body="kept", files=[OTHER])
    create = Attachment.objects.create

    def stumble(**fields: Any) -> Attachment:
        if Attachment.objects.count() == 2:
            raise Stop
        return create(**fields)

    monkeypatch.setattr(Attachment.objects, "create", stumble)
    with pytest.raises(Stop):
        customer_reply(ticket=ticket, body="gone", files=[TEXT, TEXT])
    assert disk() == ["two"]
    assert Message.objects.filter(body="gone").count() == 0


def test_half_a_file_on_a_full_disk_goes_too(
    disk: Callable[[], list[str]], ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def full(storage: FileSystemStorage, name: str, content: Any) -> str:
        written.append(Path(storage.path(name)))
        written[0].parent.mkdir(parents=True)
        written[0].write_text("o")
        raise OSError("no space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    with pytest.raises(OSError, match="no space left"):
        customer_reply(ticket=ticket, body="", files=[TEXT])
    assert len(written) == 1
    assert disk() == []


def test_of_two_that_race_under_one_key_the_second_leaves_no_file(
    disk: Callable[[], list[str]], ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = customer_reply(ticket=ticket, body="", files=[TEXT], key="k")
    receipt, looks = timeline.receipt, []

    def too_early(*args: Any) -> Any:
        looks.append(args)
        return receipt(*args) if len(looks) > 1 else None

    monkeypatch.setattr(timeline, "receipt", too_early)
    assert customer_reply(ticket=ticket, body="", files=[TEXT], key="k") == first
    assert len(looks) == 2
    assert disk() == ["one"]


def test_what_fails_after_the_commit_takes_no_file_away(
    disk: Callable[[], list[str]], ticket: Ticket
) -> None:
    def later() -> None:
        with pytest.raises(RuntimeError), timeline.command():
            raise RuntimeError("another command, after the first")
        raise Stop

    def act() -> None:
        with timeline.command():
            name = files.write(b"one")
            Attachment.objects.create(message=ticket.messages.get(), file=name, name="a.txt", size=3)
            transaction.on_commit(later)

    with pytest.raises(Stop):
        act()
    assert Attachment.objects.count() == 1
    assert disk() == ["one"]


def test_a_lost_connection_at_the_commit_leaves_the_file_to_the_sweep(
    disk: Callable[[], list[str]], ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost() -> None:
        connection.connection.close()
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(connection, "_commit", lost)
    with pytest.raises(OperationalError):
        customer_reply(ticket=ticket, body="", files=[TEXT])
    assert disk() == ["one"]


def test_the_sweep_takes_what_is_old_and_has_no_row(disk: Callable[[], list[str]], ticket: Ticket) -> None:
    customer_reply(ticket=ticket, body="", files=[TEXT])
    kept = Path(Attachment.objects.get().file.path)
    # As a process leaves them that dies between writing and committing.
    young = Path(default_storage.path(files.write(b"young")))
    old = Path(default_storage.path(files.write(b"old")))
    elsewhere = kept.parents[2] / "2024" / "02" / "forgotten"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_text("of another month")
    for path, age in ((kept, 9 * HOUR), (young, HOUR - 60), (old, HOUR + 60), (elsewhere, HOUR + 60)):
        os.utime(path, (time.time() - age,) * 2)
    files_sweep()
    assert disk() == ["one", "young"]
    assert files.sweep() == 0


def test_a_sweep_of_nothing(disk: Callable[[], list[str]]) -> None:
    assert files.sweep() == 0


def test_beat_sweeps() -> None:
    beaten = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert files_sweep.name in beaten
    app.loader.import_default_modules()  # as a worker does; else it would depend on which tests ran before
    assert beaten <= set(app.tasks)
