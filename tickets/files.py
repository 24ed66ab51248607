"""Files on the disk, which know no transactions: a rollback takes them back, and a sweep finds what a death has left.

A file is written before its row is committed, so that no row ever tells of a file that is not there.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db.models import FileField
from django.utils import timezone

from tickets.models import Attachment

FOLDER = "attachments"
ABANDONED = timedelta(hours=1)  # no transaction is open for so long: a file without a row will never get one


class _Written(threading.local):
    """Names of the files written since the command of this thread began; None outside of one."""

    names: list[str] | None = None


_written = _Written()


def write(content: bytes) -> str:
    """Store a file under a name that nobody can guess; returns the name, for `Attachment.file`.

    Within `taken_back` it goes again when that fails. Raises OSError when the disk does not take it.
    """
    field = _field()
    name = field.generate_filename(Attachment(), uuid.uuid4().hex)
    if _written.names is not None:
        _written.names.append(name)  # before it is written: a full disk leaves half a file
    return field.storage.save(name, ContentFile(content))


@contextmanager
def taken_back() -> Iterator[None]:
    """Delete what is written within if that fails. To be entered inside of the transaction.

    Inside, because a commit whose answer is lost may have been done, and what runs after a commit may fail too: then the
    file has to stay. If it was not done after all, the sweep finds the file.
    """
    outer, _written.names = _written.names, []
    try:
        yield
    except BaseException:
        for name in _written.names:
            with suppress(OSError):
                _field().storage.delete(name)
        raise
    finally:
        _written.names = outer


def sweep() -> int:
    """Delete files that no row tells of, and that are older than ABANDONED; returns how many. One query a folder.

    The files' storage belongs to one database: another one's files would all look abandoned.
    """
    storage, before, deleted = _field().storage, timezone.now() - ABANDONED, 0
    for folder, names in _folders(storage, FOLDER):
        # The rows are read after the folder, so a row that came meanwhile counts.
        known = set(
            Attachment.objects.filter(file__startswith=f"{folder}/").values_list("file", flat=True).iterator()
        )
        for name in names - known:
            with suppress(OSError):  # another sweep was faster
                if storage.get_modified_time(name) < before:
                    storage.delete(name)
                    deleted += 1
    return deleted


def _folders(storage: Storage, folder: str) -> Iterator[tuple[str, set[str]]]:
    """Each folder below, with the whole names of its files."""
    try:
        below, files = storage.listdir(folder)
    except FileNotFoundError:  # nobody has sent a file yet
        return
    if files:
        yield folder, {f"{folder}/{file}" for file in files}
    for each in below:
        yield from _folders(storage, f"{folder}/{each}")


def _field() -> FileField:
    field = Attachment._meta.get_field("file")
    assert isinstance(field, FileField)
    return field
