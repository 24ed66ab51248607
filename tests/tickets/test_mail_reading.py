"""What is read from a mail: each of the corpus exactly; whatever bytes come, nothing is raised, and all is bounded."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.tickets.mail_corpus import FOLDER, corpus
from tests.tickets.mail_styles import head, mixed, part, plain, wire
from tickets.inbox import history, pages, parsing

CORPUS = corpus()


@pytest.mark.parametrize("name", sorted(CORPUS))
def test_the_text_of_each(name: str) -> None:
    raw, text = CORPUS[name]
    assert (FOLDER / f"{name}.eml").read_bytes() == raw, "python -m tests.tickets.mail_corpus"
    assert parsing.read(raw).text == text


def test_the_corpus_is_what_it_says() -> None:
    assert {one.stem for one in FOLDER.glob("*.eml")} == set(CORPUS)
    assert len(CORPUS) >= 60
    assert len({raw for raw, _text in CORPUS.values()}) == len(CORPUS)


def test_the_head() -> None:
    mail = parsing.read(
        plain(
            "x",
            subject="AW: Re[2]: WG: =?utf-8?q?Gr=C3=B6=C3=9Fe?= 38",
            sender='"Conti, Carla" <Carla@Customers.Example>',
        )
    )
    assert (mail.sender, mail.name, mail.subject) == ("carla@customers.example", "Conti, Carla", "Größe 38")
    assert (mail.message_id, mail.recipients) == ("<one@customers.example>", ("help@later.example",))


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("carla@customers.example", "carla@customers.example"),
        ("<carla@customers.example", "carla@customers.example"),
        ("Carla (at work) <carla@customers.example>", "carla@customers.example"),
        ("=?utf-8?b?////?= <carla@customers.example>", "carla@customers.example"),
        ("nobody", ""),
        ("", ""),
        ("a@b@c <<>>", ""),
    ],
)  # fmt: skip
def test_who(sender: str, address: str) -> None:
    assert parsing.read(wire(f"From: {sender}\n\nx")).sender == address


def test_files_are_taken_out() -> None:
    mail = parsing.read(CORPUS["odd_picture"][0])
    assert [(file.name, file.content_type, file.content[:8]) for file in mail.files] == [
        ("a.png", "image/png", b"\x89PNG\r\n\x1a\n")
    ]
    assert [file.name for file in parsing.read(CORPUS["odd_attached_text"][0]).files] == ["a.txt"]
    for name in ("calendar", "tnef"):
        assert parsing.read(CORPUS[f"odd_{name}"][0]).files == ()


def test_the_same_mail_has_the_same_key() -> None:
    one, again = plain("x"), b"Received: by other\r\n" + plain("x")
    assert parsing.read(one).key == parsing.read(again).key
    assert parsing.read(plain("x", sender="eve@evil.example")).key != parsing.read(one).key
    without = wire("From: a@b.example\n\nx")
    assert parsing.read(without).key == parsing.read(without).key != parsing.read(without + b"y").key


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("Auto-Submitted: auto-replied", "auto-submitted"),
        ("Precedence: bulk", "precedence"),
        ("X-Auto-Response-Suppress: All", "x-auto-response-suppress"),
        ("List-Id: <news.shop.example>", "list-id"),
        ("Return-Path: <>", "return-path"),
        ("Auto-Submitted: no", ""),
        ("Precedence: first-class", ""),
    ],
)
def test_what_programs_write(header: str, why: str) -> None:
    assert parsing.read(wire(head(header) + "I am away")).automatic == why


@pytest.mark.parametrize("sender", ["MAILER-DAEMON@x.example", "noreply@x.example", "no-reply+7@x.example"])
def test_who_is_a_program(sender: str) -> None:
    assert parsing.read(wire(f"From: {sender}\n\nx")).automatic == "sender"


def report(action: str, returned: str = "message/rfc822") -> bytes:
    return mixed(
        "report; report-type=delivery-status",
        part("text/plain", "It did not arrive."),
        part(
            "message/delivery-status",
            f"Reporting-MTA: dns; x\n\nAction: {action}\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 No such user\n",
        ),
        part(returned, "Message-ID: <ours@standby>\nSubject: x\n\n"),
    )


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_that_a_mail_came_back(returned: str) -> None:
    mail = parsing.read(report("failed", returned))
    assert (mail.bounce, mail.bounced) == ("5.1.1 smtp; 550 No such user", ("<ours@standby>",))
    assert parsing.read(report("delayed", returned)).bounce == ""


def test_long_ones_are_bounded() -> None:
    mail = parsing.read(plain("word " * 50_000))
    assert (len(mail.text), mail.shortened) == (7999, True)
    assert not parsing.read(plain("word")).shortened


# Bytes that look like mails, more often than chance would have them.
PIECES = st.sampled_from(
    [b"From: ", b"a@b.example", b"\r\n", b"\n", b"\r\n\r\n", b"Content-Type: ", b"text/html", b"multipart/mixed; boundary=b",
     b"--b", b"--b--", b"=?utf-8?b?", b"?=", b"Content-Transfer-Encoding: base64", b"message/rfc822", b"; charset=\xff",
     b"<div>", b"</p>", b"> ", b"Subject: ", b"References: <", b"multipart/report", b"message/delivery-status",
     b"Action: failed",
     b'; filename*0*=utf-8\'\'%ff', b"Content-Disposition: attachment", b"Am 1.1. schrieb x:", b"-- ", b"\x00", b"\xed\xa0\x80"]
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(PIECES | st.binary(max_size=12), max_size=40).map(b"".join))
@example(b"")
def test_no_bytes_raise(raw: bytes) -> None:
    mail = parsing.read(raw)
    assert len(mail.text) <= parsing.MAX_WRITTEN
    assert len(mail.subject) <= parsing.MAX_SUBJECT
    assert len(mail.files) <= parsing.MAX_FILES
    for text in (mail.text, mail.subject, mail.name, mail.sender, *(file.name for file in mail.files)):
        text.encode("utf-8")
        assert "\x00" not in text
    assert len(mail.key) == 64


@given(st.text(max_size=300))
def test_cutting_adds_nothing(text: str) -> None:
    kept = history.cut(text)
    assert set(kept.splitlines()) <= {line.strip() for line in text.splitlines()} | set(text.splitlines()) | {
        ""
    }
    assert history.cut(kept) in (kept, history.cut(kept))


@given(st.text(alphabet="<>/abdivpr =\"'&;! \n", max_size=200))
def test_no_page_raises(html: str) -> None:
    assert "<script" not in pages.text_of(f"<p>{html}</p>")
