"""What no person has written: automatic answers, lists, and reports that a mail did not arrive. Pure: no Django."""

import re
from email.message import EmailMessage

_BULK = ("bulk", "junk", "list", "auto_reply", "auto-reply")
_SPEAKERS = re.compile(
    r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)(?:[+-].*)?@", re.IGNORECASE
)


def automatic(message: EmailMessage, sender: str) -> str:
    """Why it is taken for a program's, in a word; empty when it may be a person's."""
    if message.get_content_type() == "multipart/report":
        return "report"
    auto = _head(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if auto and auto != "no":
        return "auto-submitted"
    if _head(message, "Precedence").strip().lower() in _BULK:
        return "precedence"
    for name in (
        "X-Auto-Response-Suppress",
        "X-Autoreply",
        "X-Autorespond",
        "List-Id",
        "List-Post",
        "Feedback-ID",
    ):
        if _head(message, name).strip():
            return name.lower()
    if _head(message, "Return-Path").strip() == "<>":
        return "return-path"
    return "sender" if _SPEAKERS.match(sender) else ""


def bounce(message: EmailMessage) -> str:
    """Why a mail of ours was not delivered, as its status and words; empty when this is no such report.

    Reports of a delay, or that all is well, are none.
    """
    if message.get_content_type() != "multipart/report":
        return ""
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        failed, says = False, ""
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if _head(block, "Action").strip().lower() == "failed":
                failed = True
                says = says or f"{_head(block, 'Status')} {_head(block, 'Diagnostic-Code')}"
        if failed:
            return " ".join(says.split())[:120] or "failed"
    return ""


def reported_ids(message: EmailMessage) -> list[str]:
    """Message-IDs of the mails that the report brings back, whole or by their headers."""
    found = []
    for part in message.walk():
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            inner = part.get_payload()
            if isinstance(inner, list):
                found += [_head(one, "Message-ID") for one in inner[:3]]
            elif isinstance(inner, str):
                found += re.findall(r"(?im)^message-id:\s*(<[^<>\s]{1,300}>)", inner[:20_000])
    return [one for one in found if one]


def _head(message: object, name: str) -> str:
    """A header as text; whatever is wrong with it makes it empty."""
    try:
        value = message[name]  # type: ignore[index]
        return "" if value is None else str(value)
    except Exception:  # noqa: BLE001  the parser of headers fails on some that strangers write
        return ""
