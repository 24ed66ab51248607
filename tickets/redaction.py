"""Takes payment cards, IBANs and card check codes out of a text before it is stored, logged or sent on.

    >>> redact("Karte 4111 1111 1111 1111, CVV 123").text
    'Karte [card …1111], CVV [CVV]'

What is read as a number: decimal digits of any script and the superscript, subscript and circled ones, with
spaces of any kind, line breaks, mail quoting, dashes, dots, slashes and invisible characters (zero width,
soft hyphen, direction marks, key caps) between them. Commas, colons and the like only between the groups
printed on a card (4-4-4-4, 4-6-5).

A number begins and ends where a group of digits does, so a part of a longer digit string is never taken.
Where two readings overlap, both go: a digit too many is lost rather than a card kept.

What is left alone although its digits would fit: "+" and up to 15 digits (E.164 telephone); an article number
with a valid check digit right after EAN, GTIN, ISBN or barcode; digits in groups of 3-7-7 (the best known
shop's order numbers); a UUID; the inside of an IBAN in capitals whose check digits are wrong.

An installation adds shapes of its own (`shapes`), such as its customer numbers; where it keeps them is tickets/redacting.py.

Pure: no Django. Time and memory are linear in the text.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from stdnum import ean, iban, luhn, numdb


@dataclass(frozen=True, slots=True)
class Redacted:
    """The text with marks in place of the numbers; the kinds found, each once, in the order of `KINDS`."""

    text: str
    found: tuple[str, ...]


KINDS = ("card", "iban", "cvv", "shape")


class BadShape(ValueError):
    """A shape that would hide too much, or never anything; says which, and why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one of an installation's own numbers looks like, and what stands in its place."""

    pattern: re.Pattern[str]
    mark: str


NO_SHAPES: tuple[Shape, ...] = ()

# Characters, as the inside of a regular expression's class. "[", "]" and "…" are in none of them: they fence
# the digits of a mark off from what stands beside it, so that a second run finds nothing new.
_SIGNS = (
    "\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff"
    "\u2776-\u277e\u2780-\u2788\u278a-\u2792\U0001f100-\U0001f10a"  # digits that \d does not know: ² ₂ ② ⑵ ❷
)
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef"
)
_DASHES = "\\-\u00ac\u058a\u1806\u2010-\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d_\u203f"
_DOTS = ".\u00b7\u2022\u2024\u2027\u2219\u22c5\u25cf\u30fb\u3002\uff0e\uff61\uff65"
_SLASHES = "/\\\\\u2044\u2215\u29f8\uff0f\uff3c"
_QUOTING = ">"  # a mail client puts it before the second half of a number broken over two lines
_GAP = f"[\\s{_UNSEEN}{_DASHES}{_DOTS}{_SLASHES}{_QUOTING}]"
_LOOSE = ",;:*'\"()=~#|&\u2019"
_ANY_GAP = f"{_GAP[:-1]}{_LOOSE}]"
_D = f"[\\d{_SIGNS}]"
_A = "[A-Za-z\uff21-\uff3a\uff41-\uff5a]"
_X = f"{_D[:-1]}{_A[1:]}"

# All repeats are possessive and the classes around them disjoint: nothing is ever tried a second way.
_THREE_DIGITS = re.compile(f"(?:[^\\d{_SIGNS}]*+{_D}){{3}}")
_RUN = re.compile(f"{_D}(?:{_ANY_GAP}*+{_D}){{12,}}+")
_GROUP = re.compile(f"\\d+|[{_SIGNS}]+")

# --- Cards ------------------------------------------------------------------------------------------------
# Issuer prefixes of ISO/IEC 7812 with the lengths they are issued in.
_ISSUERS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("4", (13, 16, 19)),  # Visa
    ("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),  # Mastercard
    ("3[47]", (15,)),  # American Express
    ("30[0-5]|3095|3[689]", (14, 16, 19)),  # Diners Club
    ("352[89]|35[3-8]", (16, 17, 18, 19)),  # JCB
    ("2131|1800", (15,)),  # JCB, old
    ("6011|64[4-9]|65|62|81", (16, 17, 18, 19)),  # Discover, UnionPay
    ("60[4-8]|636", (16, 17, 18, 19)),  # RuPay, UkrCard, InterPayment
    ("50[0-9]|5[678]|67|6304|6390", (13, 14, 15, 16, 17, 18, 19)),  # Maestro and the girocard that carries it
    ("220[0-5]", (16, 17, 18, 19)),  # Mir, Borica
    ("63[789]|82|9792|9860|8600", (16,)),  # InstaPayment, RuPay, Troy, Humo, Uzcard
)
_ISSUER = re.compile("|".join(f"({prefixes})" for prefixes, _ in _ISSUERS))
_LENGTHS = ((), *(lengths[::-1] for _, lengths in _ISSUERS))  # by number of the regular expression's group
_LONGEST = 19
_PRINTED = {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (8, 8)}
_LOOSE_GAP = re.compile(f"[{_LOOSE}]")
_PHONE_DIGITS = 15  # E.164
# Not one of digits alone: that could be a card with more digits around it.
_UUID = re.compile(r"(?=[\d-]*[a-fA-F])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ARTICLE = re.compile(
    r"(?i)(?:EAN|GTIN|ISBN|barcode|strichcode)\W{0,3}(?:13|nr|nummer|no|number|code)?\W{0,3}\Z"
)
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_SINGLE = bytes.maketrans(b"0123456789", bytes(range(10)))
# The country of "DE45 5001 0517 …" in capitals, touching the digits: enough to know a mistyped IBAN.
_IBAN_HEAD = re.compile(r"(?<![A-Z])[A-Z]{2}\Z")


def _ascii(digits: str) -> str:
    """The same digits in ASCII."""
    return digits if digits.isascii() else "".join(str(unicodedata.digit(sign)) for sign in digits)


def _segments(text: str) -> Iterator[list[tuple[int, int]]]:
    """Lists of neighbouring digit groups (start, end), no group longer than a card."""
    for run in _RUN.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        too_long = [n for n, (start, end) in enumerate(groups) if end - start > _LONGEST]
        begin = 0
        for n in (*too_long, len(groups)):
            if n > begin:
                yield groups[begin:n]
            begin = n + 1


def _not_a_card(text: str, groups: list[tuple[int, int]], first: int, last: int) -> bool:
    """Whether the Luhn-valid groups `first` to `last` are something else. Called for few: it may cost."""
    start, end = groups[first][0], groups[last][1]
    shape = tuple(b - a for a, b in groups[first : last + 1])
    if shape == (7, 7) and first and groups[first - 1][1] - groups[first - 1][0] == 3:
        return True
    if "-" in text[start:end]:  # no part of a UUID has 13 digits
        around = _UUID.finditer(text, max(0, start - 35), end + 35)
        if any(code.start() < end and start < code.end() for code in around):
            return True
    if _LOOSE_GAP.search(text, start, end):
        gaps = {text[groups[n][1] : groups[n + 1][0]] for n in range(first, last)}
        if len(gaps) > 1 or len(gaps.pop()) > 1 or shape not in _PRINTED:
            return True
    plus = text[groups[0][0] - 1 : groups[0][0]] in ("+", "\uff0b") and last < _PHONE_DIGITS
    # No country's code begins with 0, and nobody parts a phone number so loosely.
    phone = plus and _ascii(text[groups[0][0]]) != "0" and not _LOOSE_GAP.search(text, groups[0][0], end)
    if phone and sum(b - a for a, b in groups[: last + 1]) <= _PHONE_DIGITS:
        return True
    if first == last and end - start == 13 and _ARTICLE.search(text[max(0, start - 24) : start]):
        return bool(ean.is_valid(_ascii(text[start:end])))
    return False


def _mistyped_iban_end(text: str, start: int) -> int:
    """Where a mistyped IBAN with digits from `start` on ends, or 0. A right one is gone by now."""
    head = _IBAN_HEAD.search(text, max(0, start - 3), start)
    shape = _iban_shape(head[0]) if head and head[0] != "NO" else None  # "NO" is also "number"
    whole = shape.match(text, start - 2) if shape else None
    return whole.end() if whole else 0


def _cards(text: str) -> Iterator[tuple[int, int]]:
    """Spans (start, end) of card numbers, ascending; they may overlap."""
    for groups in _segments(text):
        digits = _ascii("".join([text[a:b] for a, b in groups]))
        bounds = [0, *accumulate([b - a for a, b in groups])]
        ends = dict(zip(bounds[1:], range(len(groups)), strict=True))  # digits up to a group's end → group
        # Luhn sums of all windows at once: running sums of the digits with every other one doubled, for
        # either parity. A window's sum is the difference of two of them, whatever its length.
        raw = digits.encode()
        odd, even = bytearray(raw.translate(_DOUBLED)), bytearray(raw.translate(_SINGLE))
        odd[1::2], even[1::2] = even[1::2], odd[1::2]
        sums = (list(accumulate(odd, initial=0)), list(accumulate(even, initial=0)))
        iban_end = None
        covered = 0
        for first, (offset, (start, _)) in enumerate(zip(bounds, groups, strict=False)):
            issuer = _ISSUER.match(digits, offset)
            if issuer is None:
                continue
            for length in _LENGTHS[issuer.lastindex or 0]:  # the longest first: the shorter ones lie within
                end = offset + length
                total = sums[end & 1]
                if end <= covered or (last := ends.get(end)) is None or (total[end] - total[offset]) % 10:
                    continue
                # python-stdnum judges; for what overlaps a card already judged, the sums above are enough.
                if offset >= covered and not luhn.is_valid(digits[offset:end]):
                    continue
                if iban_end is None:
                    iban_end = _mistyped_iban_end(text, groups[0][0])
                stop = groups[last][1]
                if stop <= iban_end or _not_a_card(text, groups, first, last):
                    continue
                covered = end
                yield start, stop
                break


# --- IBAN -------------------------------------------------------------------------------------------------
# Country and check digits, read backwards: in prose digits are rarer than letters, so there is less to try.
_IBAN_START = re.compile(f"(?={_D}{_GAP}*+{_D}{_GAP}*+({_A}{_GAP}*+{_A})){_D}")
_UNSEEN_ONLY = re.compile(f"[{_UNSEEN}]+")
_NOT_WRITTEN = re.compile(f"{_GAP}+")
_SHAPE = re.compile(r"(\d+)!([nac])")


@cache
def _iban_shape(country: str) -> re.Pattern[str] | None:
    """What this country's IBAN looks like by stdnum's registry, gaps allowed; None if it has none."""
    properties = numdb.get("iban").info(country)[0][1]
    if "bban" not in properties:
        return None
    signs = {"n": _D, "a": _A, "c": _X}
    parts = [f"(?:{_GAP}*+{signs[sign]}){{{count}}}+" for count, sign in _SHAPE.findall(properties["bban"])]
    return re.compile(f"{_A}{_GAP}*+{_A}(?:{_GAP}*+{_D}){{2}}{''.join(parts)}(?!{_D}|(?<={_A}){_A})")


def _written_plain(text: str) -> str:
    """An IBAN without gaps, in ASCII capitals."""
    plain = _NOT_WRITTEN.sub("", text)
    if not plain.isascii():
        values = ((sign, unicodedata.digit(sign, None)) for sign in plain)
        plain = "".join(unicodedata.normalize("NFKC", sign) if n is None else str(n) for sign, n in values)
    return plain.upper()


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    """Spans (start, end) of IBANs, ascending; they may overlap."""
    starts = [(len(text) - head.end(1), head[1][::-1]) for head in _IBAN_START.finditer(text[::-1])]
    for start, country in reversed(starts):
        parted = len(country) > 2 and not _UNSEEN_ONLY.fullmatch(country, 1, len(country) - 1)
        if parted and text[max(0, start - 1) : start].isalpha():
            continue  # "ist R-58…": the end of one word and the start of another
        shape = _iban_shape(_written_plain(country))
        whole = shape.match(text, start) if shape else None
        # Without the national rules: what only a national check digit spoils is still somebody's IBAN.
        if whole and iban.is_valid(_written_plain(whole[0]), check_country=False):
            yield whole.span()


# --- Check code -------------------------------------------------------------------------------------------
_BETWEEN = f"[{_UNSEEN}]*+"
_CODE = f"{_D}(?:{_BETWEEN}{_D}){{2,3}}+(?!{_BETWEEN}{_D})|{_D}(?:[ \u00a0]{_D}){{2,3}}+(?![ \u00a0]?{_D})"
_CODE_WORD = (
    r"(?:cvv2?|cvc2?|cvn2?|(?:karten)?pr(?:ü|u\u0308|ue)f(?:ziffern?|nummer|code|zahl)|sicherheits(?:code|nummer|ziffern?)"
    r"|kartencode|(?:card|credit\ card)[ -](?:security[ -]|verification[ -])?(?:code|value)|security[ -]code)"
)
_FILLER = (
    rf"(?:[\s{_UNSEEN}:=#.,(\"'\-\u2013\u2014/]|\b(?:is|ist|lautet|war|was|number|nummer|nr|no|code|the|my|der|die|mein|meine"
    r"|karte|card|of|on|auf|hinten|back)\b){0,16}+"
)
_CHECK_CODE = re.compile(
    rf"(?i:(?<![^\W\d_])(?<!\[){_CODE_WORD}(?![^\W\d_]){_FILLER})({_CODE})"  # "CVV: 123"
    rf"|(?<!{_D})(?<![.,…])({_CODE})(?=[ (]{{1,2}}(?i:cvv|cvc)2?\b)"  # "123 (CVV)"
)


_CODE_HINTS = ("cvv", "cvc", "cvn", "fziffer", "fnummer", "fzahl", "code", "card", "sicherheits")


def _check_codes(text: str) -> Iterator[tuple[int, int]]:
    """Spans (start, end) of the three or four digits next to CVV, Prüfziffer, card code and their like."""
    lower = text.lower()
    if not any(hint in lower for hint in _CODE_HINTS):  # a twentieth of the cost of the expression
        return
    for match in _CHECK_CODE.finditer(text):
        yield match.span(match.lastindex or 0)


# --- All of them ------------------------------------------------------------------------------------------
def _replace(text: str, spans: Iterator[tuple[int, int]], mark: Callable[[str], str]) -> str:
    """The text with each span, overlapping ones taken as one, replaced by mark(what stood there)."""
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    if not merged:
        return text
    parts: list[str] = []
    done = 0
    for start, end in merged:
        parts += (text[done:start], mark(text[start:end]))
        done = end
    return "".join((*parts, text[done:]))


def _last_four(written: str) -> str:
    """The last four letters or digits, in ASCII."""
    return _written_plain(written)[-4:]


_STEPS: tuple[tuple[str, Callable[[str], Iterator[tuple[int, int]]], Callable[[str], str]], ...] = (
    # First: the digits of an IBAN may look like a card's.
    ("iban", _ibans, lambda written: f"[IBAN …{_last_four(written)}]"),
    ("card", _cards, lambda written: f"[card …{_last_four(written)}]"),
    ("cvv", _check_codes, lambda _: "[CVV]"),
)


_PLACES = {"#": "[0-9]", "@": "[A-Za-z]", "*": "[0-9A-Za-z]"}
_OWN_SHAPE = re.compile(r"[A-Za-z0-9#@*/._ -]{3,40}")
_OWN_NAME = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+)*")


def shapes(wanted: Mapping[str, str]) -> tuple[Shape, ...]:
    """Shapes of an installation's own: shape → what is said instead, as {"LC-########": "customer number"}.

    `#` is a digit, `@` a letter, `*` either; all else stands for itself, letters in either case. It begins and ends where a
    word does. Raises BadShape: without three places, one of them a digit, it would hide common words; a name with digits in
    it could be taken for a number once more.
    """
    found = []
    for shape, name in wanted.items():
        places = [one for one in shape if one in _PLACES]
        if not _OWN_SHAPE.fullmatch(shape) or len(places) < 3 or "#" not in places:
            raise BadShape(f"{shape!r} wants 3 to 40 signs, of which three are #, @ or *, one of them #")
        if not _OWN_NAME.fullmatch(name) or len(name) > 40:
            raise BadShape(f"{name!r} of {shape!r} wants a word or some, without digits")
        inside = "".join(_PLACES.get(one) or re.escape(one) for one in shape)
        found.append(Shape(re.compile(rf"(?i)(?<![^\W_]){inside}(?![^\W_])"), f"[{name}]"))
    return tuple(found)


def redact(text: str, own: tuple[Shape, ...] = NO_SHAPES) -> Redacted:
    """Replace card numbers by `[card …1234]`, IBANs by `[IBAN …5678]`, card check codes by `[CVV]`, and what has one of `own`
    shapes by its name.

    No other character changes, and redact(redact(x).text).text == redact(x).text. Raises nothing on any str.
    """
    found: set[str] = set()
    for shape in own:
        text, hits = shape.pattern.subn(shape.mark, text)
        if hits:
            found.add("shape")
    if not _THREE_DIGITS.match(text):
        return Redacted(text, tuple(found))
    before = None
    # What a mark has parted is looked at once more. Each round that changes something leaves fewer digits.
    while text != before:
        before = text
        for kind, spans, mark in _STEPS:
            after = _replace(text, spans(text), mark)
            if after != text:
                found.add(kind)
                text = after
    return Redacted(text, tuple(kind for kind in KINDS if kind in found))
