"""What somebody has written anew in a mail: without the quoted history below it, signatures and the like.

Ours and no library's, because a customer's words must neither be lost nor stop the worker: mail-parser-reply 1.36 takes minutes
for 60 kB of "On ", quotequail 0.5.4 cuts away answers that stand between quoted lines. Here each line is looked at a bounded
number of times. When in doubt, text stays.

Pure: no Django.
"""

import re

_MONTHS_DAYS = r"\d{1,4}[./-]\d{1,2}[./-]?\d{0,4}|\d{1,2}:\d{2}"
# "On … wrote:" and its kin, on up to three lines that were joined with blanks.
_ATTRIBUTIONS = (
    re.compile(
        r"^(?:On|Am|Den|Le)\s.{6,300}\s(?:wrote|schrieb|schrieben|a écrit)\b.{0,200}:$", re.IGNORECASE
    ),
    re.compile(r"^.{2,200}\b(?:wrote|schrieb) (?:on|am)\s.{4,100}:$", re.IGNORECASE),
    re.compile(r"^.{0,100}<[^<>\s]{3,100}@[^<>\s]{3,100}>.{0,60}\b(?:wrote|schrieb):$", re.IGNORECASE),
)
_HAS_TIME = re.compile(_MONTHS_DAYS)
_SEPARATOR = re.compile(
    r"^[-_*= ]{2,60}(?:Original Message|Ursprüngliche Nachricht|Originalnachricht|Original-Nachricht|"
    r"Forwarded message|Weitergeleitete Nachricht|Reply message|Begin forwarded message|"
    r"Antwort oberhalb dieser Zeile)[-_*= ]{0,60}$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^[_=]{20,}$")
_HEADER = re.compile(
    r"^\*?(From|Von|Sent|Gesendet|Date|Datum|To|An|Subject|Betreff|Cc|Reply-To|Antwort an)\s?:\*?\s",
    re.IGNORECASE,
)
_WHO = {"from", "von"}
_OTHERS = {"sent", "gesendet", "date", "datum", "to", "an", "subject", "betreff"}
_DEVICE = re.compile(
    r"^(?:Sent from (?:my |Mail for |Outlook for |Yahoo Mail)|Von meinem .{2,40} gesendet|"
    r"Gesendet von (?:meinem |Mail für |Outlook für )|"
    r"Get Outlook for|Outlook für (?:iOS|Android) beziehen|Diese Nachricht wurde von meinem|Gesendet mit der |"
    r"Sent with the |Gesendet aus der )",
    re.IGNORECASE,
)
_DELIMITER = re.compile(r"^--\s?$")
_SHORT = 12  # lines of a signature at most; more is a text that happens to have a line of dashes
_JOINED = 3  # lines over which mail programs break an attribution


def cut(text: str) -> str:
    """What was written anew. The whole text when nothing else would be left of it."""
    lines = text.splitlines()
    lines = _without_history(lines)
    lines = _without_signature(lines)
    lines = _without_quotes_at_the_end(lines)
    lines = _without_signature(lines)
    return "\n".join(lines).strip()


def _without_history(lines: list[str]) -> list[str]:
    """Up to where a mail program says that an older mail begins, unless somebody has answered within it."""
    for number, line in enumerate(lines):
        stripped = line.strip()
        if not stripped:
            continue
        if _SEPARATOR.match(stripped) or _header_block(lines, number):
            return lines[:number]
        if _RULE.match(stripped) and _header_block(lines, _next(lines, number + 1)):
            return lines[:number]
        length = _attribution(lines, number)
        if length:
            rest = lines[number + length :]
            first = next((one for one in rest if one.strip()), "")
            if first.lstrip().startswith(">") or not first:
                # Answers that stand between the quotes stay, and the quotes with them.
                return lines[:number] + _without_quotes_at_the_end(rest)
            if _HAS_TIME.search(" ".join(lines[number : number + length])):
                return lines[:number]
    return lines


def _next(lines: list[str], number: int) -> int:
    while number < len(lines) and not lines[number].strip():
        number += 1
    return number


def _attribution(lines: list[str], number: int) -> int:
    """How many lines from this one on are "On … wrote:"; 0 when they are not."""
    if lines[number].lstrip().startswith(">") or len(lines[number]) > 400:
        return 0
    joined = ""
    for length in range(1, _JOINED + 1):
        if number + length > len(lines) or not lines[number + length - 1].strip():
            return 0
        joined = f"{joined} {lines[number + length - 1].strip()}".strip()
        if len(joined) > 600:
            return 0
        if joined.endswith(":") and any(pattern.match(joined) for pattern in _ATTRIBUTIONS):
            return length
    return 0


def _header_block(lines: list[str], number: int) -> bool:
    """Whether three lines of a mail's header begin here, with who has sent it."""
    if number >= len(lines) or not _HEADER.match(lines[number].strip() + " "):
        return False
    names = set()
    for line in lines[number : number + 8]:
        found = _HEADER.match(line.strip() + " ")
        if found:
            names.add(found[1].lower())
        elif not line.strip() and len(names) < 3:
            break
    return bool(names & _WHO) and len(names & _OTHERS) >= 2


def _without_quotes_at_the_end(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith(">")):
        end -= 1
    kept = lines[:end]
    # Some programs put the attribution, or a line of their own, between the text and what it quotes.
    for back in range(1, min(_JOINED, len(kept)) + 1):
        start = len(kept) - back
        if kept[start].strip() and _attribution(kept, start) == back:
            return kept[:start]
    return kept


def _without_signature(lines: list[str]) -> list[str]:
    """Without what stands below "-- ", and without the line that a telephone writes."""
    for number in range(len(lines) - 1, -1, -1):
        if _DELIMITER.match(lines[number]):
            if len(lines) - number - 1 <= _SHORT and any(line.strip() for line in lines[:number]):
                lines = lines[:number]
            break
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    lines = lines[:end]
    if len(lines) > 1 and _DEVICE.match(lines[-1].strip()):
        lines = lines[:-1]
    return lines
