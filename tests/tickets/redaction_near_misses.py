"""Near misses of our own making: texts with numbers that look like those to hide, and must stay as they are.

Made up from a fixed seed, so they are the same everywhere.
"""

import random
import uuid

from stdnum import ean, luhn

from tests.tickets.redaction_corpus import FRAMES, account, card, digits, grouped


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
