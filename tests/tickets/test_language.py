"""Which language a ticket is in: real sentences, greetings, and what is no language at all."""

import csv
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.stack import PROJECT
from tickets import language
from tickets.language import LANGUAGES, MAX_CHARS, detect

GERMAN = [
    "Meine Karte wurde am Automaten eingezogen, was soll ich tun?",
    "Guten Tag, ich warte seit zwei Wochen auf meine Bestellung.",
    "Können Sie mir bitte die Rechnung noch einmal schicken?",
    "Ich möchte mit einem Menschen sprechen.",
    "Die App stürzt beim Öffnen ab, seit dem letzten Update.",
    "Warum wurde mir die Gebühr zweimal berechnet?",
    "Bitte um Rückruf",
    "wo ist mein Paket",
    "Vielen Dank für die schnelle Hilfe!",
    "LOGIN GEHT NICHT MEHR",
    "Ich habe ein Problem mit dem Login in der App, the screen stays black",
    "Mein Geld ist immer noch nicht da, das ist eine Frechheit",
    "Hallo zusammen, meine Bestellnummer lautet 482913 und die Größe passt leider nicht.",
    "Guten Morgen",
    "Grüß Gott",
]
ENGLISH = [
    "My card was swallowed by the machine, what should I do?",
    "Hello, I have been waiting for my order for two weeks.",
    "Could you please send me the invoice again?",
    "I want to talk to a person.",
    "The app crashes when I open it since the last update.",
    "Why was I charged the fee twice?",
    "Please call me back",
    "where is my order",
    "Thank you so much for the quick help!",
    "LOGIN DOES NOT WORK ANYMORE",
    "I paid at the Müller store in München and the refund has not arrived",
    "My money still has not arrived, this is ridiculous",
    "Hi there, my order number is 482913 and unfortunately the size does not fit.",
    "Good morning",
    "Thank you",
]
NO_LANGUAGE = [
    "",
    " ",
    "ok",
    "Hi",
    "PIN?",
    "🙂🙂🙂",
    "123 456",
    "4711-AB-99",
    "\x00\x01\xff\xfe",
    "\ud800",
    "\u200b" * 50,
]
NO_LANGUAGE += [
    "max@beispiel.de",
    "https://example.org/wo-ist-mein-paket",
    "こんにちは、注文はどこですか",
    "Где мой заказ?",
]


@pytest.mark.parametrize("text", GERMAN)
def test_german(text):
    assert detect(text, default="en") == "de"


@pytest.mark.parametrize("text", ENGLISH)
def test_english(text):
    assert detect(text, default="de") == "en"


@pytest.mark.parametrize("text", NO_LANGUAGE)
@pytest.mark.parametrize("default", ["en", "de", "fr"])
def test_undecided_is_the_default(text, default):
    assert detect(text, default=default) == default


@pytest.mark.parametrize("wanted", LANGUAGES)
def test_short_questions_of_customers(wanted):
    """Our own, 3 to 8 words each. The share that has to be right; docs/triage.md has what was measured."""
    with (PROJECT / "dispatch" / "demo" / "questions.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file) if row["language"] == wanted]
    short = [text for text in texts if 3 <= len(text.split()) <= 8]
    assert len(short) >= 200
    assert sum(detect(text, default="none") == wanted for text in short) >= 0.99 * len(short)


def test_the_default_is_english():
    assert detect("") == "en"


@given(
    st.one_of(
        st.text(),
        st.binary().map(lambda junk: junk.decode("latin-1")),
        st.text(st.characters(categories=["Cs", "Co"])),
    )
)
def test_never_raises_and_answers_a_language(text):
    assert detect(text) in LANGUAGES


def test_loads_once_and_late(monkeypatch):
    from py3langid.langid import LanguageIdentifier

    language._identifier.cache_clear()
    loads = []
    real = LanguageIdentifier.from_model_file

    def counted(*args, **kwargs):
        loads.append(threading.get_ident())
        return real(*args, **kwargs)

    monkeypatch.setattr(LanguageIdentifier, "from_model_file", counted)
    detect("ok")
    assert loads == []
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(detect("Wo ist mein Paket geblieben?")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["de"] * 8
    assert len(loads) == 1


def test_importing_loads_no_model():
    import subprocess

    code = "import sys, tickets.language; sys.exit('py3langid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_the_beginning_of_a_long_text_is_read():
    text = "My card is blocked. " * (MAX_CHARS // 20) + "Meine Karte ist gesperrt. " * 1000
    assert detect(text, default="de") == "en"
