"""Builds tests/tickets/mails: mails of our own making, and the text that is to be read from each.

python -m tests.tickets.mail_corpus writes the files anew. The test holds them to what stands here.
"""

from base64 import encodebytes
from pathlib import Path

from tests.tickets.mail_styles import (
    OLD,
    STYLES,
    US,
    UTF8_HTML,
    UTF8_TEXT,
    head,
    mixed,
    multipart,
    part,
    plain,
    quoted,
    wire,
)

FOLDER = Path(__file__).parent / "mails"

TEXTS = {
    "en": {
        "short": "Thank you, it has arrived.",
        "long": "Hello,\n\nthe refund for order A-17 is not there yet.\nOn Monday I wrote about it already.\n\n"
        "Could you look again?\n\nBest regards\nCarla",
    },
    "de": {
        "short": "Danke, sie ist angekommen.",
        "long": "Guten Tag,\n\ndie Erstattung über 20 € für die Größe 38 fehlt noch.\nAm Montag schrieb ich schon darüber.\n\n"
        "Könnten Sie bitte nachsehen?\n\nViele Grüße\nCarla",
    },
}
# What no person has written, and mails of which little is left: name → (mail, text).
PNG = encodebytes(b"\x89PNG\r\n\x1a\n" + b"0" * 40).decode()
ODD: dict[str, tuple[bytes, str]] = {
    "inline_answers": (
        plain("On 22.11.26 14:05, Later & Co wrote:\n> Which order?\n\nA-17\n\n> Which size?\n\n38\n\n> Later & Co\n"),
        "> Which order?\n\nA-17\n\n> Which size?\n\n38",
    ),
    "below_the_quote": (
        plain(f"Am 22.11.26 um 14:05 schrieb Later & Co:\n{quoted('de')}\n\nDanke!\n"),
        f"{quoted('de')}\n\nDanke!",
    ),
    "only_quotes": (plain(f"{quoted('en')}\n"), quoted("en")),
    "wrote_in_a_sentence": (
        plain("On Monday the shop wrote to me:\nyour card is blocked.\nWhat now?\n"),
        "On Monday the shop wrote to me:\nyour card is blocked.\nWhat now?",
    ),
    "from_in_a_sentence": (plain("From: the shop\nit came broken.\n"), "From: the shop\nit came broken."),
    "dashes_in_a_text": (plain("One\n--\n" + "line\n" * 14), "One\n--\n" + "\n".join(["line"] * 14)),
    "signature": (plain("Where is it?\n-- \nCarla Conti\nTel. 0123\n"), "Where is it?"),
    "signature_stripped": (plain("Where is it?\n--\nCarla Conti\n"), "Where is it?"),
    "android": (plain("Wo ist sie?\n\nGesendet von meinem Galaxy\n"), "Wo ist sie?"),
    "outlook_ios": (plain("Wo ist sie?\n\nOutlook für iOS beziehen\n"), "Wo ist sie?"),
    "forwarded": (
        plain("See below.\n\n---------- Forwarded message ----------\nFrom: x <x@shop.example>\n\nold\n"),
        "See below.",
    ),
    "empty": (plain("\n\n"), ""),
    "latin1": (plain("Größe 38 für Käthe", "iso-8859-1"), "Größe 38 für Käthe"),
    "cp1252_called_latin1": (
        wire(head("Content-Type: text/plain; charset=iso-8859-1")) + "20 € – „gut“".encode("cp1252"),
        "20 € – „gut“",
    ),
    "utf8_called_ascii": (
        wire(head("Content-Type: text/plain; charset=us-ascii") + "Größe 38"),
        "Größe 38",
    ),
    "utf8_called_latin1": (
        wire(head("Content-Type: text/plain; charset=iso-8859-1") + "Größe 38"),
        "Größe 38",
    ),
    "no_charset": (wire(head("Content-Type: text/plain") + "Größe 38"), "Größe 38"),
    "unknown_charset": (wire(head("Content-Type: text/plain; charset=x-klingon") + "Größe 38"), "Größe 38"),
    "utf16": (plain("Größe 38", "utf-16", "base64"), "Größe 38"),
    "broken_base64": (
        wire(head("Content-Type: text/plain", "Content-Transfer-Encoding: base64") + "SGVsbG8gdGhlcmU"),
        "Hello there",
    ),
    "no_mime": (b"From: carla@customers.example\r\n\r\nHello\r\n", "Hello"),
    "no_header_at_all": (b"\r\nHello\r\n", "Hello"),
    "bare_line_feeds": (b"From: carla@customers.example\nSubject: x\n\nHello\nthere\n", "Hello\nthere"),
    "bare_returns": (b"From: carla@customers.example\r\n\r\nHello\rthere\r", "Hello\nthere"),
    "bytes_in_headers": (
        "From: Käthe <carla@customers.example>\r\nSubject: Größe\r\n\r\nHello".encode("latin-1"),
        "Hello",
    ),
    "nul_and_controls": (wire(head() + "Hel\x00lo\x07 there\ufeff"), "Hello there"),
    "no_closing_boundary": (
        wire(head('Content-Type: multipart/mixed; boundary="b1"') + f"--b1\n{part(UTF8_TEXT, 'Hello')}\n"),
        "Hello",
    ),
    "wrong_boundary": (
        wire(head('Content-Type: multipart/mixed; boundary="b2"') + multipart("mixed", part(UTF8_TEXT, "x"))),
        "",
    ),
    "nested": (
        mixed(
            "mixed",
            'Content-Type: multipart/related; boundary="b2"\n\n'
            + multipart(
                "related",
                'Content-Type: multipart/alternative; boundary="b3"\n\n'
                + multipart("alternative", part(UTF8_TEXT, "Deep"), part(UTF8_HTML, "<p>No</p>"), bound="b3"),
                bound="b2",
            ),
        ),
        "Deep",
    ),
    "two_texts": (mixed("mixed", part(UTF8_TEXT, "One"), part(UTF8_TEXT, "Two")), "One\n\nTwo"),
    "calendar": (
        mixed("alternative", part(UTF8_TEXT, "Come"), part("text/calendar; method=REQUEST", "BEGIN:VCALENDAR")),
        "Come",
    ),
    "tnef": (
        mixed("mixed", part(UTF8_TEXT, "See"), part('application/ms-tnef; name="winmail.dat"', "x")),
        "See",
    ),
    "picture": (
        mixed("mixed", part(UTF8_TEXT, "See"), part('image/png; name="a.png"', PNG, "Content-Transfer-Encoding: base64")),
        "See",
    ),
    "attached_text": (
        mixed("mixed", part(UTF8_TEXT, "See"), part(UTF8_TEXT, "no", 'Content-Disposition: attachment; filename="a.txt"')),
        "See",
    ),
    "forwarded_whole": (
        mixed("mixed", part(UTF8_TEXT, "See"), part("message/rfc822", "From: x@shop.example\n\nold")),
        "See",
    ),
    "html_entities": (mixed("mixed", part(UTF8_HTML, "<p>Gr&ouml;&szlig;e&nbsp;38 &lt;b&gt;</p>")), "Größe 38 <b>"),
    "html_list_and_table": (
        mixed("mixed", part(UTF8_HTML, "<ul><li>one<li>two</ul><table><tr><td>a</td><td>b</td></tr></table>")),
        "- one\n- two\n\na b",
    ),
    "html_link": (
        mixed("mixed", part(UTF8_HTML, '<a href="https://shop.example/x">here</a>, <a href="mailto:a@b.example">me</a>')),
        "here (https://shop.example/x), me",
    ),
    "html_script_and_style": (
        mixed("mixed", part(UTF8_HTML, "<style>p{}</style><script>alert(1)</script><p>Hi</p><!-- no -->")),
        "Hi",
    ),
    "html_broken": (mixed("mixed", part(UTF8_HTML, "<p>One<p>Two</div></b><td>Three")), "One\n\nTwoThree"),
    "html_beside_empty_text": (
        mixed("alternative", part(UTF8_TEXT, " \n"), part(UTF8_HTML, "<p>Hi</p>")),
        "Hi",
    ),
    "flowed": (
        plain("This was broken \nfor the way.\n\nNot this.\n", more="; format=flowed"),
        "This was broken for the way.\n\nNot this.",
    ),
    "address_of_the_ticket": (plain(f"Hi\n\nAm 22.11.26 um 14:05 schrieb\nLater & Co <{US}>:\n\n{OLD['de']}\n"), "Hi"),
}  # fmt: skip


def corpus() -> dict[str, tuple[bytes, str]]:
    """Name → (mail, the text to be read from it)."""
    written = {
        f"{style}_{language}_{length}": (make(text, language), text)
        for style, make in STYLES.items()
        for language, texts in TEXTS.items()
        for length, text in texts.items()
    }
    return written | {f"odd_{name}": one for name, one in ODD.items()}


def write() -> None:
    """The files, and no others."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.eml"):
        old.unlink()
    for name, (raw, _text) in corpus().items():
        (FOLDER / f"{name}.eml").write_bytes(raw)


if __name__ == "__main__":
    write()
