"""How mail programs write an answer: each a function of (text, language) that gives a whole mail. All words are ours."""

import quopri
from base64 import encodebytes
from collections.abc import Callable

OLD = {
    "en": "Hello Carla,\n\nyour refund left us yesterday.\n\nLater & Co",
    "de": "Guten Tag Carla,\n\nIhre Erstattung ist gestern hinausgegangen.\n\nLater & Co",
}
WHEN = {"en": "Sun, Nov 22, 2026 at 2:05 PM", "de": "So., 22. Nov. 2026 um 14:05 Uhr"}
US = "help+abcdefghjkmn.abcdefghijklmnopqrstuvwx22@later.example"


def head(
    *more: str, subject: str = "Re: Refund", sender: str = "Carla Conti <carla@customers.example>"
) -> str:
    lines = [
        f"From: {sender}",
        "To: Later & Co <help@later.example>",
        f"Subject: {subject}",
        "Date: Sun, 22 Nov 2026 15:00:00 +0100",
        "Message-ID: <one@customers.example>",
        "MIME-Version: 1.0",
        *more,
    ]
    return "\n".join(lines) + "\n\n"


def wire(text: str, charset: str = "utf-8") -> bytes:
    return text.replace("\n", "\r\n").encode(charset)


def plain(text: str, charset: str = "utf-8", coding: str = "8bit", more: str = "", **heads: str) -> bytes:
    """One text part."""
    body = text.encode(charset)
    if coding == "quoted-printable":
        body = quopri.encodestring(body)
    elif coding == "base64":
        body = encodebytes(body)
    top = head(
        f"Content-Type: text/plain; charset={charset}{more}", f"Content-Transfer-Encoding: {coding}", **heads
    )
    return wire(top) + body.replace(b"\n", b"\r\n")


def multipart(kind: str, *parts: str, bound: str = "b1") -> str:
    """Parts with their heads, as text without the mail's head."""
    inside = "".join(f"--{bound}\n{part}\n" for part in parts)
    return f"{inside}--{bound}--\n"


def part(kind: str, text: str, *more: str) -> str:
    return "\n".join([f"Content-Type: {kind}", *more, "", text])


def mixed(kind: str, *parts: str, bound: str = "b1", **heads: str) -> bytes:
    top = head(f'Content-Type: multipart/{kind}; boundary="{bound}"', **heads)
    return wire(top + multipart(kind, *parts, bound=bound))


def quoted(language: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in OLD[language].splitlines())


def paragraphs(text: str, tag: str = "p") -> str:
    return "".join(f"<{tag}>{one.replace(chr(10), '<br>')}</{tag}>" for one in text.split("\n\n"))


def old_html(language: str) -> str:
    return paragraphs(OLD[language].replace("&", "&amp;"))


UTF8_TEXT, UTF8_HTML = "text/plain; charset=utf-8", "text/html; charset=utf-8"


def outlook_plain(text: str, language: str) -> bytes:
    words = {
        "de": "-----Ursprüngliche Nachricht-----\nVon: Later & Co <help@later.example>\nGesendet: Sonntag, 22. November 2026 14:05\n"
        "An: Carla Conti\nBetreff: Ihr Ticket S-7\n\n",
        "en": "-----Original Message-----\nFrom: Later & Co <help@later.example>\nSent: Sunday, November 22, 2026 2:05 PM\n"
        "To: Carla Conti\nSubject: Your ticket S-7\n\n",
    }
    return plain(f"{text}\n\n{words[language]}{OLD[language]}\n", "iso-8859-15", "quoted-printable")


def outlook_html(text: str, language: str) -> bytes:
    names = {"de": ("Von", "Gesendet", "An", "Betreff"), "en": ("From", "Sent", "To", "Subject")}[language]
    below = "".join(f"<b>{name}:</b> x<br>" for name in names)
    html = (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal{margin:0}</style></head><body>'
        f'<div class="WordSection1">{paragraphs(text)}</div><div id="appendonsend"></div><hr style="width:98%">'
        f'<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri">{below}</font></div><div>{old_html(language)}</div></body></html>'
    )
    return mixed("alternative", part(UTF8_HTML, html))


def outlook_web(text: str, language: str) -> bytes:
    words = {
        "de": "________________________________\nVon: Later & Co <help@later.example>\nGesendet: Sonntag, 22. November 2026 14:05\n"
        "An: Carla Conti <carla@customers.example>\nBetreff: Ihr Ticket\n\n",
        "en": "________________________________\nFrom: Later & Co <help@later.example>\nSent: Sunday, November 22, 2026 2:05 PM\n"
        "To: Carla Conti <carla@customers.example>\nSubject: Your ticket\n\n",
    }
    return plain(f"{text}\n\n{words[language]}{OLD[language]}\n", coding="base64")


def gmail(text: str, language: str) -> bytes:
    by = {
        "en": f"On {WHEN['en']} Later & Co <\n{US}> wrote:",
        "de": f"Am {WHEN['de']} schrieb Later & Co <\n{US}>:",
    }
    html = (
        f'<div dir="ltr">{paragraphs(text, "div")}</div><br><div class="gmail_quote gmail_quote_container">'
        f'<div dir="ltr" class="gmail_attr">{by[language]}</div><blockquote class="gmail_quote">{old_html(language)}</blockquote></div>'
    )
    return mixed(
        "alternative",
        part(UTF8_TEXT, f"{text}\n\n{by[language]}\n\n{quoted(language)}\n"),
        part(UTF8_HTML, html),
    )


def gmail_html_only(text: str, language: str) -> bytes:
    html = (
        f'<div dir="ltr">{paragraphs(text)}<div><br clear="all"></div><div class="gmail_signature">Carla Conti<br>Tel. 0123</div></div>'
        f'<div class="gmail_quote"><div class="gmail_attr">x wrote:</div><blockquote>{old_html(language)}</blockquote></div>'
    )
    return mixed("alternative", part(UTF8_HTML, html))


def apple(text: str, language: str) -> bytes:
    by = {
        "en": "On 22. Nov 2026, at 14:05, Later & Co <help@later.example> wrote:",
        "de": "Am 22.11.2026 um 14:05 schrieb Later & Co <help@later.example>:",
    }
    return plain(
        f"{text}\n\n> {by[language]}\n> \n{quoted(language)}\n",
        coding="quoted-printable",
        more=";\n\tformat=flowed; delsp=yes",
    )


def iphone(text: str, language: str) -> bytes:
    by = {
        "en": "Sent from my iPhone\n\n> On 22. Nov 2026, at 14:05, Later & Co <help@later.example> wrote:\n> ",
        "de": "Von meinem iPhone gesendet\n\n> Am 22.11.2026 um 14:05 schrieb Later & Co <help@later.example>:\n> ",
    }
    return plain(f"{text}\n\n{by[language]}\n{quoted(language)}\n", coding="quoted-printable")


def gmx(text: str, language: str) -> bytes:
    lines = "".join(f"<div>{line or '&nbsp;'}</div>" for line in text.split("\n"))
    html = (
        f'<html><body><div style="font-family: Verdana">{lines}<div>&nbsp;<div name="quote" style="margin:10px">'
        f'<div><b>Gesendet:</b>&nbsp;Sonntag<br><b>Von:</b>&nbsp;x<br></div><div name="quoted-content">{old_html(language)}</div>'
        "</div></div></div></body></html>"
    )
    return mixed("alternative", part(UTF8_HTML, html))


def webde(text: str, language: str) -> bytes:
    words = {"de": ("Gesendet", "Von", "An", "Betreff"), "en": ("Sent", "From", "To", "Subject")}[language]
    values = (
        "Sonntag, 22. November 2026 um 14:05 Uhr",
        '"Later & Co" <help@later.example>',
        "carla@customers.example",
        "Re: Refund",
    )
    below = "\n".join(f"{name}: {value}" for name, value in zip(words, values, strict=True))
    return plain(f"{text}\n \n\n{below}\n{OLD[language]}\n")


def mutt(text: str, language: str) -> bytes:
    by = {
        "en": "On Sun, Nov 22, 2026 at 02:05:11PM +0100, Later & Co wrote:",
        "de": "Am 22.11.2026 14:05 schrieb Later & Co:",
    }
    return plain(f"{text}\n\n{by[language]}\n{quoted(language)}\n\n-- \nCarla Conti\nhttps://carla.example\n")


def thunderbird(text: str, language: str) -> bytes:
    by = {"en": "On 22.11.26 14:05, Later & Co wrote:", "de": "Am 22.11.26 um 14:05 schrieb Later & Co:"}
    below = f"{text}\n\n{by[language]}\n{quoted(language)}\n"
    html = (
        f'<html><body>{paragraphs(text)}<div class="moz-cite-prefix">{by[language]}<br></div><blockquote type="cite">'
        f'{old_html(language)}</blockquote><pre class="moz-signature">-- \nCarla</pre></body></html>'
    )
    return mixed("alternative", part(UTF8_TEXT + "; format=flowed", below), part(UTF8_HTML, html))


STYLES: dict[str, Callable[[str, str], bytes]] = {
    one.__name__: one
    for one in (
        outlook_plain, outlook_html, outlook_web, gmail, gmail_html_only, apple, iphone, gmx, webde, mutt, thunderbird,
    )
}  # fmt: skip
