"""A mail as it comes off the wire, read: who, what was written anew, and the files. Whatever bytes come, nothing is raised.

    >>> read(b"From: Carla <carla@home.example>\\r\\nSubject: Refund\\r\\n\\r\\nWhere is it?\\r\\n").text
    'Where is it?'

Pure: no Django. Files are only taken out; tickets/attachments.py says which are let in.
"""

import email
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import getaddresses

from tickets.inbox import history, pages, programs

MAX_RAW = 30 * 1024 * 1024  # bytes that are looked at; a longer mail loses its end, which is files
MAX_TEXT = 200_000  # characters of a part that are looked at
MAX_WRITTEN = 8000  # characters of `text`
MAX_PARTS = 100
MAX_FILES = 20  # taken out of a mail
MAX_SUBJECT = 200
MAX_IDS = 50  # Message-IDs in References

_REPLY_PREFIX = re.compile(r"^(?:\s*(?:re|aw|antw|fw|fwd|wg|sv)\s*(?:\[\d+\])?\s*:)+\s*", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,188}")
_LATIN = ("iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii")
_NOT_FILES = ("text/calendar", "application/ms-tnef", "application/pgp-signature", "application/pkcs7-signature",
              "application/x-pkcs7-signature", "message/delivery-status", "application/pgp-encrypted")  # fmt: skip


@dataclass(frozen=True)
class File:
    """A file as its sender calls it. `content_type` is the sender's claim."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """`sender` is an address in lower case, empty when there is none; it proves nothing."""

    key: str  # SHA-256 in hexadecimal digits of Message-ID and sender, or of all of it: the same mail has the same
    sender: str
    name: str
    subject: str  # without "Re:"
    text: str  # at most MAX_WRITTEN characters
    shortened: bool  # something of the text was left out
    files: tuple[File, ...]
    message_id: str  # "<…>"; empty when it has none that is one
    answers: tuple[str, ...]  # Message-IDs of In-Reply-To and References
    recipients: tuple[str, ...]  # addresses of To, Cc, Delivered-To and the like
    automatic: str  # why it is taken for a program's; empty for a person's
    bounce: str  # why a mail of ours did not arrive; empty when it says no such thing
    bounced: tuple[str, ...]  # Message-IDs of mails that came back


def read(raw: bytes) -> Mail:
    """Read a mail of at most MAX_RAW bytes; of a longer one the beginning."""
    message = _message(raw[:MAX_RAW])
    name, sender = _sender(message)
    ids = _ids(message, "Message-ID")[:1]
    message_id = ids[0] if ids else ""
    seed = f"{message_id}\n{sender}".encode("utf-8", "replace") if message_id else raw
    bounce = programs.bounce(message)
    text, found = ("", []) if bounce else _content(message)
    written = history.cut(text) or text.strip()
    return Mail(
        key=hashlib.sha256(seed).hexdigest(),
        sender=sender,
        name=name,
        subject=_subject(message),
        text=written[:MAX_WRITTEN].rstrip(),
        shortened=len(written) > MAX_WRITTEN or len(text) >= MAX_TEXT,
        files=tuple(found),
        message_id=message_id,
        answers=tuple(dict.fromkeys(_ids(message, "In-Reply-To") + _ids(message, "References")))[:MAX_IDS],
        recipients=_recipients(message),
        automatic=programs.automatic(message, sender),
        bounce=bounce,
        bounced=tuple(_id for one in programs.reported_ids(message) for _id in _ids_in(one))
        if bounce
        else (),
    )


def _message(raw: bytes) -> EmailMessage:
    try:
        return email.message_from_bytes(raw, policy=policy.default)
    except Exception:  # noqa: BLE001  the standard library's parser fails on some bytes, each in its own way
        # Then what is not ASCII is left out of the headers, and all of the rest is text.
        message = EmailMessage()
        head, _, body = raw.partition(b"\n\n")
        found = re.search(rb"(?im)^from:[^\r\n]{1,300}", head)
        if found and (address := _ADDRESS.search(found[0].decode("ascii", "ignore"))):
            message["From"] = address[0]
        message.set_content(_clean(body.decode("utf-8", "replace"))[:MAX_TEXT])
        return message


def _head(message: EmailMessage, name: str, most: int = 2000) -> str:
    """A header in one line. One that the parser fails on is taken as it stands."""
    try:
        value = str(message[name] or "")
    except Exception:  # noqa: BLE001  see _message
        value = next((str(text) for head, text in message._headers if head.lower() == name.lower()), "")  # type: ignore[attr-defined]
    return " ".join(_clean(value[:most]).split())


def _sender(message: EmailMessage) -> tuple[str, str]:
    """(name, address in lower case) of From, else of Sender or Reply-To."""
    for header in ("From", "Sender", "Reply-To"):
        text = _head(message, header)
        try:
            pairs = getaddresses([text])
        except Exception:  # noqa: BLE001  see _message
            pairs = []
        for name, address in pairs:
            if _ADDRESS.fullmatch(address):
                return _clean(name).strip()[:120], address.lower()
        if found := _ADDRESS.search(text):
            return "", found[0].rstrip(".").lower()
    return "", ""


def _subject(message: EmailMessage) -> str:
    return _REPLY_PREFIX.sub("", _head(message, "Subject"))[:MAX_SUBJECT].strip()


def _recipients(message: EmailMessage) -> tuple[str, ...]:
    found: list[str] = []
    for header in ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"):
        found += _ADDRESS.findall(_head(message, header, 20_000))
    return tuple(dict.fromkeys(one.lower() for one in found))[:MAX_IDS]


def _ids(message: EmailMessage, name: str) -> list[str]:
    return _ids_in(_head(message, name, 20_000))


def _ids_in(text: str) -> list[str]:
    return re.findall(r"<[^<>\s]{1,296}>", text)


# --- Content ----------------------------------------------------------------------------------------------------------


def _content(message: EmailMessage) -> tuple[str, list[File]]:
    """(text, files): the first text/plain, or where it has none, HTML as text; further texts that stand in the mail follow."""
    plain: list[str] = []
    html: list[str] = []
    files: list[File] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        if kind in _NOT_FILES:
            continue
        name = _file_name(part)
        attached = _disposition(part) == "attachment" or (bool(name) and not kind.startswith("text/"))
        if kind in ("text/plain", "text/html") and not attached:
            (plain if kind == "text/plain" else html).append(_text(part))
        elif len(files) < MAX_FILES and (name or attached or not kind.startswith(("text/", "message/"))):
            files.append(File(name or _named(kind), kind, _bytes(part)))
    text = "\n\n".join(one.strip() for one in plain if one.strip())
    if not text:
        text = "\n\n".join(pages.text_of(one) for one in html)
    return _clean(text)[:MAX_TEXT], files


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    """Parts without parts, in order; forwarded mails are looked into no further than their text."""
    stack, count = [message], 0
    while stack and count < MAX_PARTS:
        part = stack.pop()
        count += 1
        payload = part.get_payload()
        if isinstance(payload, list) and part.get_content_maintype() == "multipart":
            stack.extend(one for one in reversed(payload) if isinstance(one, EmailMessage))
        elif not isinstance(payload, list):
            yield part


def _disposition(part: EmailMessage) -> str:
    try:
        return part.get_content_disposition() or ""
    except Exception:  # noqa: BLE001  see _message
        return ""


def _file_name(part: EmailMessage) -> str:
    try:
        return _clean(part.get_filename() or "").strip()[:200]
    except Exception:  # noqa: BLE001  see _message
        return "file"


def _named(kind: str) -> str:
    """A name for a file that has none: its extension is what it says to be."""
    known = {"image/jpeg": "jpg", "text/plain": "txt"}
    return f"file.{known.get(kind, re.sub(r'[^a-z0-9]', '', kind.rpartition('/')[2].lower())[:8])}"


def _bytes(part: EmailMessage) -> bytes:
    try:
        found = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001  see _message
        return b""
    return found if isinstance(found, bytes) else b""


def _text(part: EmailMessage) -> str:
    content = _bytes(part)[: 4 * MAX_TEXT * 4]
    try:
        charset = str(part.get_content_charset() or "utf-8")
    except Exception:  # noqa: BLE001  see _message
        charset = "utf-8"
    if charset.lower() in _LATIN:
        # Many programs call so whatever they have. All of windows-1252 is also what Latin-1 means in mails.
        charset = "utf-8" if _is_utf8(content) else "cp1252"
    for name in (charset, "utf-8", "cp1252"):
        try:
            return _flowed(part, content.decode(name))
        except (UnicodeError, LookupError, ValueError, TypeError):
            continue
    return content.decode("utf-8", "replace")


def _is_utf8(content: bytes) -> bool:
    """UTF-8 that is more than ASCII: bytes of another charset hardly ever look like it."""
    try:
        return not content.decode("utf-8").isascii()
    except UnicodeDecodeError:
        return False


def _flowed(part: EmailMessage, text: str) -> str:
    """Lines that a program broke for the way (RFC 3676) made one again."""
    try:
        if part.get_content_type() != "text/plain" or str(part.get_param("format", "")).lower() != "flowed":
            return text
        space = "" if str(part.get_param("delsp", "")).lower() == "yes" else " "
    except Exception:  # noqa: BLE001  see _message
        return text
    out: list[str] = []
    open_line = False
    for line in text.splitlines():
        quoted = line.startswith(">")
        own = line[1:] if line.startswith(" ") else line
        if open_line and not quoted and out:
            out[-1] = out[-1].rstrip(" ") + space + own
        else:
            out.append(own)
        open_line = own.endswith(" ") and own != "-- " and not quoted
    return "\n".join(out)


def _clean(text: str) -> str:
    """Without what no database takes or nobody sees: control characters, lone surrogates, a byte order mark."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u00a0", " ")
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "�" if "\ud800" <= sign <= "\udfff" else sign
        for sign in text
        if sign in "\n\t" or (unicodedata.category(sign) != "Cc" and sign != "\ufeff")
    )
