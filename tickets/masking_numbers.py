"""Telephone numbers and dates of birth in a text. A part of tickets/masking.py: pure."""

import re
from collections.abc import Iterator

import phonenumbers

_GAP = "[ \u00a0\u202f\\t()/.\\-\u2010-\u2013]"
# Digits in groups, at least six and no more than E.164 allows; not what follows "…", a decimal point, or, without a plus, letters.
_CANDIDATE = re.compile(
    rf"(?:(?<![\w…@#])(?<!… )(?<![\d][.,:/\-])|(?<![…@#])(?=\+))(?:\+{_GAP}{{0,2}}|\(\+?)?\d(?:{_GAP}{{0,3}}\d){{5,40}}(?!\w|[.,:/\-]\d|[ \u00a0]?(?:€|%|EUR|Euro|USD|£|\$)(?!\w))"
)
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-] ?\d{1,2}[./-] ?(?:19|20)?\d{2}|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2})(?!\d)"
)
_REGIONS = ("DE", "GB", "AT", "CH")
_SPACE = re.compile(r"[ \u00a0\t]+")
_ANEW = re.compile(r"0\d\d|\+\d|\(0\d{2}")
_D = re.compile(r"\d")
_MANY = 30  # candidates of a text that are looked at closely; whoever writes more digits writes no numbers of people
_AMERICAN = re.compile(r"(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}")
_CALLED = re.compile(
    r"(?:\b(?:tel|fon|phone|telephone|telefon|mobil|mobile|handy|cell|whatsapp|fax|rückruf|hotline)(?:nummer|nr|[ -]number|[ -]no)?"
    r"|\b(?:call|ring|text|phone|reach) me (?:back )?(?:on|at|under)|\bmy number|\bmeine (?:\w{0,8}nummer)|erreichbar unter"
    r"|(?:erreichen|anrufen|rufen) (?:sie )?(?:mich )?(?:\w{1,9} )?(?:unter|an unter)|\bich bin unter)"
    r"\W{0,3}(?:is|ist|lautet|unter|on|at|:)?\W{0,3}\Z",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"(?:\b(?:order|invoice|ticket|customer|reference|ref|tracking|parcel|contract|article|item|case|account|serial|voucher|code"
    r"|transaction|payment|purchase|imei|ean|isbn|barcode|receipt|booking|membership|shipment|model|part|id|nr|no)"
    r"|\b(?:bestell|auftrag|rechnung|vorgang|kunden|referenz|sendung|paket|vertrag|artikel|konto|serien|gutschein|transaktion|mandat"
    r"|beleg|ticket|liefer|buchung|mitglied|versand|modell|akten|kassenbon|bon)\w*)"
    r"[\W_]{0,3}(?:number|no|nr|nummer|id|code|key|kennung|zeichen)?[\W_]{0,4}(?:is|ist|lautet|war|was)?[\W_]{0,3}\Z",
    re.IGNORECASE,
)


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Spans of telephone numbers: with a country's code, German, Austrian, Swiss, British and American ones, and whatever a word
    says to be one."""
    begin, looked = 0, 0
    while looked < _MANY and (found := _CANDIDATE.search(text, begin)):
        looked += 1
        start, end = found.span()
        if date := _DATE.search(text, start, end):
            # What stands before a date may be a number, and what comes after it another.
            end = start + len(text[start : date.start()].rstrip(" \u00a0\t()/.-"))
            begin = date.end()
            if sum(letter.isdigit() for letter in text[start:end]) < 6:
                continue
        else:
            begin = end
        if stop := _number_end(text, start, end):
            yield start, stop
            begin = max(stop, min(begin, stop + 1))
        elif not date and (gap := re.search(r"[ \u00a0\t]", text[start:end])):
            begin = start + gap.end()  # not from here, perhaps from its next group


def _number_end(text: str, start: int, end: int) -> int:
    """Where a number that begins at `start` ends, at `end` or before; 0 when there is none."""
    before = text[max(0, start - 40) : start]
    called = _CALLED.search(before) is not None
    if not called and _ORDERED.search(before):
        return 0
    gaps = [(start + gap.start(), start + gap.end()) for gap in _SPACE.finditer(text[start:end])]
    # A group like 030 or +49 begins the next number, if what stands before it is one; else the longest is meant.
    anew = [gap for gap, group in gaps if _ANEW.match(text, group) and len(_D.findall(text, group, end)) > 6]
    stops = [*anew, end, *(gap for gap, _group in reversed(gaps))]
    for stop in stops:
        written = text[start:stop].rstrip(" \u00a0\t()/.-")
        digits = sum(letter.isdigit() for letter in written)
        if digits < 6:
            continue
        if digits <= 15 and (called or _is_number(written)):
            return start + len(written)
    return 0


def _is_number(written: str) -> bool:
    head = written.lstrip("( ")
    if _AMERICAN.fullmatch(written):
        return True
    if head.startswith(("+", "00")):
        return sum(letter.isdigit() for letter in head) >= 8 and _valid(head, "DE", possible=head[0] == "+")
    return head[:1] == "0" and any(_valid(written, region) for region in _REGIONS)


def _valid(written: str, region: str, *, possible: bool = False) -> bool:
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number) if possible else phonenumbers.is_valid_number(number)


def phone_mark(written: str) -> str:
    """What remains: the country's code if it was written, and the last two digits."""
    digits = "".join(letter for letter in written if letter.isdigit())
    if written.lstrip("( ").startswith(("+", "00")):
        try:
            return f"+{phonenumbers.parse(written.lstrip('( '), 'DE').country_code} … {digits[-2:]}"
        except phonenumbers.NumberParseException:
            pass
    return f"… {digits[-2:]}"


# --- Dates of birth ---------------------------------------------------------------------------------------------------

_MONTH = (
    r"(?:jan(?:uar|uary|\.)?|jän(?:ner)?|feb(?:ruar|ruary|\.)?|märz|maerz|march|mar\.?|mär\.?|apr(?:il|\.)?|mai|may|jun[ie]?|jul[iy]?"
    r"|aug(?:ust|\.)?|sep(?:t|tember|\.)?|o[kc]t(?:ober|\.)?|nov(?:ember|\.)?|de[zc](?:ember|\.)?)"
)
_YEAR = r"(?:19\d\d|20(?:0\d|1[0-5])|[’']?\d\d(?!\d))"  # whoever is younger has no customer's account
_BIRTH_DATE = (
    rf"(?:\d{{1,2}}[./-] ?\d{{1,2}}[./-] ?{_YEAR}|(?:19\d\d|20(?:0\d|1[0-5]))[./-]\d{{1,2}}[./-]\d{{1,2}}"
    rf"|\d{{1,2}}(?:\.|st|nd|rd|th)? ?(?:of )?{_MONTH},? {_YEAR}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR})(?![\d./-]\d|\d)"
)
_BORN_WORD = r"(?:geboren(?:e[rsmn]?)?|geb(?:\.|(?= ?(?:am|:)))|geburtsdatum|geburtstag|geburtsdaten|born|date of birth|birth ?date|birthday|birthdate|dob|d\.o\.b\.?)"
_BORN = re.compile(
    rf"(?<!\w){_BORN_WORD}(?!\w)[^\d\n]{{0,25}}?({_BIRTH_DATE})|(?<![\w.])\*\s?({_BIRTH_DATE})"
    rf"|(?<![\d.])({_BIRTH_DATE})[^\d\n]{{0,12}}?(?<!\w){_BORN_WORD}(?!\w)",
    re.IGNORECASE,
)
_BORN_HINTS = ("geb", "born", "birth", "dob", "d.o.b", "*")


def birth_dates(text: str) -> Iterator[tuple[int, int]]:
    """Spans of dates beside a word that says that somebody was born then. A date alone is one of a purchase."""
    lower = text.lower()
    if not any(hint in lower for hint in _BORN_HINTS):
        return
    for match in _BORN.finditer(text):
        yield match.span(match.lastindex or 0)
