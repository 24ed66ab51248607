"""Files of customers and agents: what is let in, and in which shape it is kept.

Nothing of the sender's claim is trusted: the extension is looked up in a short list, the content has to be
what the extension says, pictures are decoded and written anew (which drops EXIF, GPS, comments, profiles and
whatever hangs on behind), texts are strict UTF-8, without card numbers and the like, as are names. PDFs are kept
as they are: serve everything as attachment, with nosniff. All of it comes through `inspect`, and so past the virus
scanner, if there is one.

No models, no storage.
"""

import hashlib
import io
import re
import unicodedata
from dataclasses import dataclass
from math import ceil
from pathlib import PurePosixPath
from typing import ClassVar

import puremagic
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from tickets import scanning
from tickets.errors import Refusal
from tickets.redacting import redacted

MAX_FILES = 5  # a message
MAX_BYTES = 5 * 1024 * 1024  # a file, as received
MAX_BYTES_A_DAY = 100 * 1024 * 1024  # of one ticket's customer, as stored
MAX_PIXELS = 40_000_000  # decoded, width x height: 160 MB of memory at four bytes a pixel
MAX_SIDE = 4096  # pixels; larger pictures are scaled down, keeping their proportions
MAX_NAME = 100  # characters, extension included
JPEG_QUALITY = 88

# Extension → content type. Pictures go through Pillow under the name in _PICTURES and no other decoder.
TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "pdf": "application/pdf",
    "txt": "text/plain",
}
_PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
_ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_NO_CLAIM = {"", "application/octet-stream", "binary/octet-stream", "application/x-download"}


class FileRefused(Refusal):
    """A file, or their number, is not let in; nothing is stored. `code` of the subclass says why."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "file_refused"
    default_detail: ClassVar[str | Promise] = _("This file cannot be accepted.")


class FileEmpty(FileRefused):
    code = "empty"
    default_detail = _("This file is empty.")


class FileTooLarge(FileRefused):
    """More bytes than MAX_BYTES, or a picture of more pixels than MAX_PIXELS (a decompression bomb, too)."""

    status = 413
    code = "too_large"
    default_detail = _("This file is too large: 5 MB and 40 megapixels at most.")


class FileTypeNotAllowed(FileRefused):
    status = 415
    code = "type_not_allowed"
    default_detail = _("Only PNG, JPEG, WebP, GIF, PDF and plain text files can be sent.")


class FileTypeMismatch(FileRefused):
    """The content, or the type declared by the sender, is not what the extension says."""

    status = 415
    code = "type_mismatch"
    default_detail = _("The content of this file does not fit its name.")


class BrokenImage(FileRefused):
    code = "broken_image"
    default_detail = _("This picture is damaged and cannot be opened.")


class FileInfected(FileRefused):
    code = "infected"
    default_detail = _("The virus scanner found something in this file.")


class FileNotScanned(FileRefused):
    """The scanner did not say that it is clean. Not the file's fault: the same one may be let in later."""

    status = 503
    code = "not_scanned"
    default_detail = _(
        "This file could not be checked for viruses. Please try again later, or write without it."
    )


class TooManyFiles(FileRefused):
    code = "too_many_files"
    default_detail = _("Too many files: five a message at most.")


class TooMuchADay(FileRefused):
    """More than MAX_BYTES_A_DAY of one ticket's customer within a day. The text alone is taken."""

    status = 429
    code = "too_much_a_day"
    default_detail = _("Too many files within a day: 100 MB a ticket at most. Please send them tomorrow.")

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.retry_after = max(ceil(seconds), 1)


# Of the files of one request; a ticket's day is another matter.
FILE_REFUSALS = (
    FileEmpty,
    FileTooLarge,
    FileTypeNotAllowed,
    FileTypeMismatch,
    BrokenImage,
    FileInfected,
    FileNotScanned,
    TooManyFiles,
)


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file as it is to be stored. `sha256` is the hexadecimal digest of `content`."""

    name: str
    content_type: str
    content: bytes
    sha256: str


def check_count(count: int) -> None:
    """Raise TooManyFiles if a message carries more than MAX_FILES."""
    if count > MAX_FILES:
        raise TooManyFiles


def inspect(name: str, content: bytes, declared_type: str | None = None) -> Inspected:
    """Check an uploaded file and give back what to store of it.

    `declared_type`: the Content-Type of the sender, if any; it may only agree. A picture near MAX_PIXELS
    takes seconds of CPU, and the scanner its time: never call it on the event loop. Raises a FileRefused.
    """
    if not content:
        raise FileEmpty
    if len(content) > MAX_BYTES:
        raise FileTooLarge
    name = _redacted_name(name)
    content_type = TYPES.get(_extension(name))
    if content_type is None:
        raise FileTypeNotAllowed
    declared = (declared_type or "").partition(";")[0].strip().lower()
    if declared not in _NO_CLAIM and _ALIASES.get(declared, declared) != content_type:
        raise FileTypeMismatch
    found = _types_by_content(content)
    if content_type == "text/plain":
        if found & set(TYPES.values()) - {"text/plain"} or not _is_plain_text(content):
            raise FileTypeMismatch
    elif content_type not in found or (
        content_type == "application/pdf" and not content.startswith(b"%PDF-")
    ):
        raise FileTypeMismatch
    _scan(content)  # as it came, and before a decoder has it
    if content_type in _PICTURES:
        content = _written_anew(content, _PICTURES[content_type])
    elif content_type == "text/plain":
        content = redacted(content.decode()).text.encode()
    return Inspected(name, content_type, content, hashlib.sha256(content).hexdigest())


def _redacted_name(name: str) -> str:
    """The last part of a path, fit for a header and a disk: NFC, ≤ MAX_NAME characters, never empty, redacted.

    Control characters, direction overrides and other invisible ones go; letters of all scripts stay. A cap shortens the stem,
    not the extension. Card numbers and the like go before the cap, which would leave the beginning of one; only the stem is
    looked at for them: no extension that is let in has a digit.
    """
    stem, tail = _parted(name)
    return _capped(redacted(stem).text, tail)


def _parted(name: str) -> tuple[str, str]:
    """Stem, never empty, and extension with its dot, or nothing."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(" " if sign.isspace() else sign for sign in name)
    name = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C")
    name = re.sub(r'[<>:"|?*;%]', "_", name)
    name = re.sub(r" +", " ", name).strip(". ")
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    stem = stem.strip(". ") or "file"
    if re.fullmatch(r"(?i)con|prn|aux|nul|(?:com|lpt)\d", stem.partition(".")[0].strip()):
        stem = f"_{stem}"  # devices on Windows, whatever the extension
    return stem, f".{extension}"[:20] if dot else ""


def _capped(stem: str, tail: str) -> str:
    return stem[: MAX_NAME - len(tail)].rstrip(". ") + tail


def _scan(content: bytes) -> None:
    verdict = scanning.scan(content)
    if verdict is scanning.Verdict.INFECTED:
        raise FileInfected
    if verdict is not scanning.Verdict.CLEAN:
        raise FileNotScanned


def _extension(name: str) -> str:
    return PurePosixPath(name).suffix[1:].lower()


def _types_by_content(content: bytes) -> set[str]:
    """Content types whose signature the content bears."""
    try:
        return {match.mime_type for match in puremagic.magic_string(content)}
    except (puremagic.PureError, ValueError):
        return set()


def _is_plain_text(content: bytes) -> bool:
    """UTF-8 without NUL and other control characters; a byte order mark, tabs and line ends are fine."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]", text)


def _written_anew(content: bytes, decoder: str) -> bytes:
    """The picture decoded, turned as its EXIF says, bounded to MAX_SIDE and encoded again without metadata.

    Of an animation the first frame is kept. Raises FileTooLarge, BrokenImage.
    """
    try:
        with Image.open(io.BytesIO(content), formats=(decoder,)) as opened:
            if opened.width * opened.height > MAX_PIXELS:  # known from the header: nothing is decoded yet
                raise FileTooLarge
            opened.draft(
                None, (MAX_SIDE, MAX_SIDE)
            )  # JPEG only: decodes at a smaller scale where that suffices
            opened.load()
            picture = ImageOps.exif_transpose(opened)
            return _encoded(picture, decoder)
    except FileRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise FileTooLarge from None
    except Exception:  # noqa: BLE001 - decoders fed by strangers raise anything: struct.error, SyntaxError …
        raise BrokenImage from None


def _encoded(picture: Image.Image, encoder: str) -> bytes:
    """The bare pixels (and a palette's transparency) as a file. Colour profiles go too: they name devices."""
    if encoder == "JPEG" and picture.mode not in ("L", "RGB"):
        picture = picture.convert("RGB")
    if encoder == "WEBP" and picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGBA")
    if max(picture.size) > MAX_SIDE:
        if picture.mode == "P":
            picture = picture.convert("RGBA")
        picture.thumbnail((MAX_SIDE, MAX_SIDE))
    else:
        picture = picture.copy()
    # The encoders write comments, profiles and resolutions that they find here.
    picture.info = {key: value for key, value in picture.info.items() if key == "transparency"}
    out = io.BytesIO()
    if encoder == "JPEG":
        picture.save(out, encoder, quality=JPEG_QUALITY)
    elif encoder == "WEBP":
        picture.save(out, encoder, quality=JPEG_QUALITY, method=2, exif=b"", xmp=b"")
    else:
        picture.save(out, encoder)
    return out.getvalue()
