"""A mail's HTML as text. What mail programs mark as quoted is left out. Pure: no Django.

selectolax parses as browsers do and never fails; the walk is iterative, so that deep nesting costs no stack.
"""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_CHARS = 1_000_000  # of HTML; Outlook writes 50 kB around one sentence
MAX_OPEN = (
    10_000  # elements that are never closed: the parser takes quadratic time for nesting, 0.3 s for these
)
_OPENS = re.compile(r"<(?!br|img|hr|meta|link|input|col|[/!?])", re.IGNORECASE)
_UNSEEN = ("script", "style", "head", "title", "template", "noscript", "object", "svg")
# Each program's own mark of what it quotes, or of its signature.
_QUOTED = (
    "blockquote[type=cite]",
    "div.gmail_quote",
    "div.gmail_quote_container",
    "div.gmail_signature",
    "div.gmail_attr",
    "div.moz-cite-prefix",
    "pre.moz-signature",
    "div.moz-signature",
    "div.yahoo_quoted",
    "div#yahoo_quoted",
    "blockquote.gmail_quote",
    "div[name=quote]",  # GMX, Web.de
    "div#Signature",
)
_FROM_HERE = ("div#divRplyFwdMsg", "div#appendonsend", "hr#stopSpelling")  # Outlook: it and all that follows
_APART = frozenset({"p", "ul", "ol", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "dl"})
_BLOCKS = _APART | frozenset(  # those of _APART have an empty line around them, too
    {
        "address",
        "article",
        "aside",
        "center",
        "dd",
        "div",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "header",
    }
    | {"hr", "li", "main", "nav", "section", "tr"}
)


def text_of(html: str) -> str:
    """What a reader sees, with line ends where blocks end; links as their text, and their address when it is another."""
    html = html[:MAX_CHARS]
    if len(_OPENS.findall(html)) - html.count("</") > MAX_OPEN:
        return " ".join(re.sub(r"<[^<>]{0,2000}>", " ", html).split())
    tree = LexborHTMLParser(html)
    body = tree.body
    if body is None:
        return ""
    tree.strip_tags(list(_UNSEEN), recursive=True)
    for selector in _FROM_HERE:
        for node in body.css(selector):
            _drop_from(node)
    for selector in _QUOTED:
        for node in body.css(selector):
            node.decompose(recursive=True)
    parts: list[str] = []
    _write(body, parts)
    text = "".join(parts).replace("\u00a0", " ")  # an empty line is one with such a blank in it
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _drop_from(node: LexborNode) -> None:
    following: LexborNode | None = node
    while following is not None:
        after = following.next
        following.decompose(recursive=True)
        following = after


def _write(body: LexborNode, parts: list[str]) -> None:
    """Depth first, with a stack of our own: (node, whether it is being left)."""
    stack: list[tuple[LexborNode, bool]] = [(body, False)]
    while stack:
        node, leaving = stack.pop()
        tag = node.tag or ""
        if tag == "-text":
            text = re.sub(r"[ \t\r\n\f]+", " ", node.text_content or "")
            if text.strip(" ") or (parts and not parts[-1].endswith(("\n", " "))):
                parts.append(text.lstrip(" ") if parts and parts[-1].endswith("\n") else text)
            continue
        if leaving:
            if tag == "a":
                _address(node, parts)
            if tag in _BLOCKS:
                _line_end(parts, 2 if tag in _APART else 1)
            continue
        if tag == "br":
            parts.append("\n")
            continue
        if tag in _BLOCKS:
            _line_end(parts, 2 if tag in _APART else 1)
            if tag == "li":
                parts.append("- ")
        elif tag in ("td", "th") and parts and not parts[-1].endswith(("\n", " ")):
            parts.append(" ")
        stack.append((node, True))
        children = []
        child = node.child
        while child is not None:
            children.append((child, False))
            child = child.next
        stack.extend(reversed(children))


def _line_end(parts: list[str], count: int) -> None:
    there = 0
    for part in reversed(parts):
        there += len(part) - len(part.rstrip("\n"))
        if part.strip("\n") or there >= count:
            break
    if parts and there < count:
        parts.append("\n" * (count - there))


def _address(node: LexborNode, parts: list[str]) -> None:
    href = (node.attributes.get("href") or "").strip()
    shown = (node.text() or "").strip()
    is_address = href.startswith(("http://", "https://"))
    if is_address and shown and not shown.startswith(("http://", "https://", "www.")):
        parts.append(f" ({href[:500]})")
