"""A corpus of our own making: texts with a number to hide, and near misses that must stay as they are.

Made up from a fixed seed, so it is the same everywhere.
`python -m tests.tickets.redaction_corpus` prints the rates.
"""

import random
import uuid
from collections import Counter
from dataclasses import dataclass

from stdnum import ean, iban, luhn

from tickets.redaction import redact

CARDS = [  # prefix, length
    *(("4", n) for n in (13, 16, 16, 16, 19)),
    *((prefix, 16) for prefix in ("51", "55", "2221", "2720", "2500")),
    *((prefix, 15) for prefix in ("34", "37")),
    *((prefix, 14) for prefix in ("300", "305", "36", "38")),
    *(("35" + rest, 16) for rest in ("28", "89")),
    *((prefix, n) for prefix in ("6011", "65", "62") for n in (16, 19)),
    *((prefix, n) for prefix in ("67", "5018") for n in (13, 15, 16, 18, 19)),
]
COUNTRIES = {
    "DE": 18,
    "AT": 16,
    "CH": 17,
    "NL": 0,
    "FR": 23,
    "ES": 20,
    "PL": 24,
    "BE": 12,
    "NO": 11,
    "GB": 0,
    "LU": 16,
}
UNSEEN = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u202c")
SPACES = (" ", "\u00a0", "\u202f", "\u2009", "\u3000", "  ", "\t")
DASHES = ("-", "\u2010", "\u2011", "\u2013", "\u2014", "\u2212", " - ")
DOTS = (".", "\u00b7", " . ")
SLASHES = ("/", "\\", "\u2044")
BREAKS = ("\n", "\r\n", "\n> ", " \n ", "\u2028")
# Zeros of ASCII, full width, Arabic, Persian, Devanagari, Bengali, mathematical bold.
SCRIPTS = "0\uff10\u0660\u06f0\u0966\u09e6\U0001d7ce"
FRAMES = [
    "{}",
    "Meine Karte ist {} und sie geht nicht.",
    "Guten Tag, bitte prüfen Sie {}.\nViele Grüße",
    "Kartennummer:{}",
    "Hello, my number is {}, please help!",
    "Please refund to {} (urgent)",
    "Nr. {}\n\nDanke, Jürgen Größmann",
    "Order 48291 paid with {} on Monday",
    "{}, gültig bis Ende des Jahres",
    "🙂 {} 🙂",
]


@dataclass(frozen=True)
class Hit:
    """A text, what must stand there instead of it, and the kind."""

    kind: str
    text: str
    expected: str


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def card(rng: random.Random) -> str:
    prefix, length = rng.choice(CARDS)
    body = prefix + digits(rng, length - len(prefix) - 1)
    return body + luhn.calc_check_digit(body)


def account(rng: random.Random) -> str:
    country, count = rng.choice(list(COUNTRIES.items()))
    if country == "NL":
        rest = rng.choice(["ABNA", "INGB", "RABO"]) + digits(rng, 10)
    elif country == "GB":
        rest = rng.choice(["NWBK", "BARC", "MIDL"]) + digits(rng, 14)
    else:
        rest = digits(rng, count)
    return country + iban.calc_check_digits(f"{country}00{rest}") + rest


def grouped(number: str) -> list[str]:
    sizes = [4, 6, 5] if len(number) == 15 else [4, 6, 4] if len(number) == 14 else [4] * 9
    groups = []
    for size in sizes:
        groups.append(number[:size])
        number = number[size:]
    return [group for group in groups if group]


def shaped(rng: random.Random, number: str) -> str:
    """The number in one of the listed shapes."""
    if not number.isdigit() and rng.random() < 0.3:
        number = number.lower()
    zero = rng.choice(SCRIPTS)
    if zero != "0":
        number = "".join(chr(ord(zero) + int(sign)) if sign.isdigit() else sign for sign in number)
    match rng.randrange(6):
        case 0:
            return number
        case 1:
            return rng.choice(SPACES + DASHES + DOTS + SLASHES).join(grouped(number))
        case 2:
            return rng.choice(SPACES + DASHES + DOTS + SLASHES + UNSEEN).join(number)
        case 3:
            cut = rng.randrange(1, len(number))
            return number[:cut] + rng.choice(BREAKS) + number[cut:]
        case 4:
            groups = grouped(number)
            cut = rng.randrange(1, len(groups))
            return " ".join(groups[:cut]) + rng.choice(BREAKS) + " ".join(groups[cut:])
        case _:
            return "".join(sign + rng.choice(("", *UNSEEN)) for sign in number[:-1]) + number[-1]


def hits(count: int = 1500, seed: int = 1) -> list[Hit]:
    rng = random.Random(seed)
    made = []
    for n in range(count):
        frame = rng.choice(FRAMES)
        if n % 3 == 0:
            number = account(rng)
            made.append(
                Hit("iban", frame.format(shaped(rng, number)), frame.format(f"[IBAN …{number[-4:]}]"))
            )
        elif n % 15 != 14:
            number = card(rng)
            made.append(
                Hit("card", frame.format(shaped(rng, number)), frame.format(f"[card …{number[-4:]}]"))
            )
        else:
            word = rng.choice(
                ["CVV", "cvc", "CVV2:", "Prüfziffer", "CVC ist", "card code", "Sicherheitscode lautet"]
            )
            code = digits(rng, rng.choice((3, 4)))
            made.append(Hit("cvv", frame.format(f"{word} {code}"), frame.format(f"{word} [CVV]")))
    return made


SHAPES = {
    **{f"groups by {sep!r}": (lambda number, sep=sep: sep.join(grouped(number))) for sep in SPACES + DASHES + DOTS + SLASHES},
    **{f"digits by {sep!r}": (lambda number, sep=sep: sep.join(number)) for sep in SPACES[:3] + DASHES[:2] + DOTS[:1]},
    **{f"unseen {ord(sep):04x}": (lambda number, sep=sep: sep.join(number)) for sep in UNSEEN},
    **{f"unseen {ord(sep):04x} and groups": (lambda number, sep=sep: f"{sep} ".join(grouped(number))) for sep in UNSEEN},
    **{
        f"line {place} by {cut!r}": (
            lambda number, cut=cut, place=place: " ".join(grouped(number)[:place]) + cut + " ".join(grouped(number)[place:])
        )
        for cut in BREAKS
        for place in (1, 2)
    },
    **{
        f"digits of {ord(zero):04x}": (
            lambda number, zero=zero: "".join(chr(ord(zero) + int(one)) if one.isdigit() else one for one in number)
        )
        for zero in SCRIPTS
    },
    "in small letters": str.lower,
}  # fmt: skip
NUMBERS = (
    ("card", "4111111111111111"),
    ("card", "5500005555555559"),
    ("card", "378282246310005"),
    ("card", "6011000990139424"),
    ("iban", "DE89370400440532013000"),
    ("iban", "AT611904300234573201"),
    ("iban", "GB82WEST12345698765432"),
)
CONTEXTS = ("Meine Nummer ist {}, bitte prüfen Sie das.", "Please refund it to {} as soon as you can.")
CODES = (
    "CVV", "CVC", "CVV2", "CVC2", "Prüfziffer", "Prüfnummer", "Kartenprüfnummer", "Sicherheitscode", "Sicherheitsnummer",
    "Kartencode", "card code", "security code", "card security code", "card verification value",
)  # fmt: skip
AFTER_CODE = (" ", ": ", " = ", " is ", " ist ", " lautet ", "\n")


def listed() -> list[Hit]:
    """Each listed shape of each number in a sentence of both languages, and each word for a check code: no two alike."""
    made = {}
    for kind, number in NUMBERS:
        mark = f"[{'card' if kind == 'card' else 'IBAN'} …{number[-4:]}]"
        for shape in SHAPES.values():
            for context in CONTEXTS:
                text = context.format(shape(number))
                made[text] = Hit(kind, text, context.format(mark))
    for word in CODES:
        for after in AFTER_CODE:
            made[f"{word}{after}"] = Hit("cvv", f"{word}{after}739.", f"{word}{after}[CVV].")
    return list(made.values())


def _phone(rng: random.Random) -> str:
    area = rng.choice(["30", "40", "89", "511", "221", "6021", "4131", "151", "171", "176"])
    rest = digits(rng, rng.randrange(6, 9))
    return rng.choice(
        [
            f"+49 {area} {rest}",
            f"+49{area}{rest}",
            f"0{area} / {rest}",
            f"0{area}-{rest}",
            f"0049 {area} {rest[:3]} {rest[3:]}",
            f"+43 664 {rest}",
            f"+44 20 {digits(rng, 4)} {digits(rng, 4)}",
            f"(0{area}) {rest[:4]}-{rest[4:]}",
            f"+1 {digits(rng, 3)}-{digits(rng, 3)}-{digits(rng, 4)}",
        ]
    )


def _order(rng: random.Random) -> str:
    return rng.choice(
        [
            digits(rng, rng.randrange(5, 13)),
            f"{rng.choice(('028', '302', '303', '304', '305', '306'))}-{digits(rng, 7)}-{digits(rng, 7)}",
            f"2026-{digits(rng, 6)}",
            f"SO{digits(rng, 10)}",
            f"R-{digits(rng, 4)}-{digits(rng, 6)}",
            f"{digits(rng, 8)}\n{digits(rng, 4)}",
            f"20261{digits(rng, 9)}",
        ]
    )


def _date(rng: random.Random) -> str:
    day, month, clock = (
        rng.randrange(10, 29),
        rng.randrange(10, 13),
        f"{rng.randrange(10, 24)}:{rng.randrange(10, 60)}",
    )
    return rng.choice(
        [
            f"{day}.{month}.2026 {clock} Uhr",
            f"2026-{month}-{day}T{clock}:{rng.randrange(10, 60)}.{digits(rng, 6)}Z",
            f"{day}.{month}.2026 - {day}.{month}.2027",
            f"2026{month}{day}{digits(rng, 6)}",
            f"17{digits(rng, 11)}",
            f"{month}/{day}/2026 {clock}, {month}/{day}/2027 {clock}",
        ]
    )


def _tracking(rng: random.Random) -> str:
    return rng.choice(
        [
            f"00340434{digits(rng, 12)}",
            f"JJD0003900{digits(rng, 10)}",
            f"1Z{digits(rng, 3)}AA1{digits(rng, 10)}",
            digits(rng, 12),
            f"0{digits(rng, 13)}",
            f"H100{digits(rng, 16)}",
            f"RR{digits(rng, 9)}DE",
            f"9400{digits(rng, 18)}",
            f"TBA{digits(rng, 12)}",
            f"CS{digits(rng, 10)}DE",
        ]
    )


def _amount(rng: random.Random) -> str:
    return rng.choice(
        [
            f"{rng.randrange(1, 999)}.{digits(rng, 3)},{digits(rng, 2)} EUR",
            f"EUR {rng.randrange(1, 99999)}.{digits(rng, 2)}",
            f"{rng.randrange(1, 9)}x {rng.randrange(1, 99)},99 = {rng.randrange(1, 999)},{digits(rng, 2)} €",
            f"£{rng.randrange(9)},{digits(rng, 3)}.{digits(rng, 2)}, VAT {digits(rng, 2)}.{digits(rng, 2)}",
        ]
    )


def _luhn_fails(rng: random.Random) -> str:
    number = card(rng)
    number = number[:-1] + str((int(number[-1]) + rng.randrange(1, 10)) % 10)
    return rng.choice([number, " ".join(grouped(number)), "-".join(grouped(number))])


def _wrong_iban(rng: random.Random) -> str:
    number = account(rng)
    wrong = f"{(int(number[2:4]) + rng.randrange(1, 90)) % 97:02d}"
    number = number[:2] + wrong + number[4:]
    return number if rng.random() < 0.5 else " ".join(grouped(number))


def _identifier(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _invoice(rng: random.Random) -> str:
    return rng.choice(
        [
            f"Rechnung {rng.randrange(2020, 2027)}/{digits(rng, 6)}",
            f"Rechnungsnummer RE-{digits(rng, 4)}-{digits(rng, 5)}",
            f"invoice INV{digits(rng, 9)}",
            f"invoice no. {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 3)}",
            f"Kundennummer {digits(rng, 10)}",
            f"Mahnung {digits(rng, 3)}.{digits(rng, 3)}.{digits(rng, 3)} vom {rng.randrange(1, 29)}.11.2026",
        ]
    )


def _book(rng: random.Random) -> str:
    body = f"978{rng.choice('01345')}{digits(rng, 8)}"
    number = body + ean.calc_check_digit(body)
    return rng.choice(
        [
            f"ISBN {number}",
            f"ISBN-13: {number[:3]}-{number[3]}-{number[4:8]}-{number[8:12]}-{number[12]}",
            f"EAN {number}",
            f"ISBN {digits(rng, 9)}X",
            f"ISSN {digits(rng, 4)}-{digits(rng, 4)}",
        ]
    )


def _device(rng: random.Random) -> str:
    """Of 15 or 19 digits with the cards' own check digit, but no issuer's."""
    imei, sim = f"86{digits(rng, 12)}", f"8949{digits(rng, 14)}"
    return rng.choice(
        [
            f"IMEI {imei}{luhn.calc_check_digit(imei)}",
            f"IMEI: {imei[:2]} {imei[2:8]} {imei[8:]} {luhn.calc_check_digit(imei)}",
            f"SIM {sim}{luhn.calc_check_digit(sim)}",
            f"Seriennummer SN{digits(rng, 12)}",
            f"Zählerstand {digits(rng, 6)},{digits(rng, 1)} kWh",
            f"MAC {':'.join(digits(rng, 2) for _ in range(6))}",
        ]
    )


def _office(rng: random.Random) -> str:
    return rng.choice(
        [
            f"USt-IdNr. DE{digits(rng, 9)}",
            f"Steuernummer {digits(rng, 2)}/{digits(rng, 3)}/{digits(rng, 5)}",
            f"BLZ {digits(rng, 3)} {digits(rng, 3)} {digits(rng, 2)}",
            "BIC COBADEFFXXX",
            f"HRB {digits(rng, 6)} B",
            f"VAT GB {digits(rng, 3)} {digits(rng, 4)} {digits(rng, 2)}",
            f"Gläubiger-ID DE98ZZZ0{digits(rng, 10)}",
        ]
    )


def _place(rng: random.Random) -> str:
    return rng.choice(
        [
            f"{digits(rng, 5)} Berlin, {digits(rng, 5)} Hamburg, {digits(rng, 5)} Köln",
            f"52.{digits(rng, 6)}, 13.{digits(rng, 6)}",
            f"192.168.{rng.randrange(256)}.{rng.randrange(256)}:{digits(rng, 4)}",
            f"Packstation {digits(rng, 3)}, Postnummer {digits(rng, 8)}",
            f"version {rng.randrange(9)}.{digits(rng, 2)}.{digits(rng, 4)}",
        ]
    )


def _check_code(rng: random.Random) -> str:
    """Words for a check code without one, and short numbers without such a word."""
    return rng.choice(
        [
            f"Where do I find the CVV? I have {digits(rng, 2)} of them.",
            f"Mein Code ist {digits(rng, 5)}, nicht die Prüfziffer.",
            f"PIN-Brief vom {rng.randrange(1, 29)}. Mai, Seite {digits(rng, 3)}",
            f"Fehler {digits(rng, 3)} beim Bezahlen",
            f"error {digits(rng, 4)} at check-out",
            f"CVV {digits(rng, 6)}",
        ]
    )


NEAR_MISSES = {
    "phone": _phone,
    "order": _order,
    "date": _date,
    "tracking": _tracking,
    "amount": _amount,
    "uuid": _identifier,
    "luhn fails": _luhn_fails,
    "wrong iban": _wrong_iban,
    "invoice": _invoice,
    "book": _book,
    "device": _device,
    "office": _office,
    "place": _place,
    "check code": _check_code,
}


def near_misses(count: int = 4200, seed: int = 2) -> list[tuple[str, str]]:
    """(what it is, text)."""
    rng = random.Random(seed)
    kinds = list(NEAR_MISSES)
    return [
        (kind, rng.choice(FRAMES).format(NEAR_MISSES[kind](rng)))
        for kind in (kinds[n % len(kinds)] for n in range(count))
    ]


if __name__ == "__main__":
    listed = hits(20_000)
    missed = near_misses(80_000)
    slips = [hit for hit in listed if redact(hit.text).text != hit.expected]
    alarms = Counter(kind for kind, text in missed if redact(text).text != text)
    print(f"{len(slips)} of {len(listed)} hits not exactly as expected", *slips[:5], sep="\n")
    print(f"{alarms.total() / len(missed):.3%} of {len(missed)} near misses", dict(alarms))
