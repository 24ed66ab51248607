"""A corpus of our own making: texts with a number to hide. Its near misses are in redaction_near_misses.py.

Made up from a fixed seed, so it is the same everywhere.
`python -m tests.tickets.redaction_corpus` prints the rates.
"""

import random
from collections import Counter
from dataclasses import dataclass

from stdnum import iban, luhn

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


if __name__ == "__main__":
    from tests.tickets.redaction_near_misses import near_misses  # it stands on this module

    listed = hits(20_000)
    missed = near_misses(80_000)
    slips = [hit for hit in listed if redact(hit.text).text != hit.expected]
    alarms = Counter(kind for kind, text in missed if redact(text).text != text)
    print(f"{len(slips)} of {len(listed)} hits not exactly as expected", *slips[:5], sep="\n")
    print(f"{alarms.total() / len(missed):.3%} of {len(missed)} near misses", dict(alarms))
