"""Message catalogues are compiled without gettext's programs, only when they changed."""

import gettext
import os
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.apps import apps
from django.utils.translation import gettext as translated
from django.utils.translation import override, trans_real
from rest_framework.fields import EmailField

from agents.models import EntryKind
from config import catalogues, foreign_texts
from config.catalogues import compile_catalogues
from tickets.models import MailIn, TicketState, TriageLabel

# How German addresses people whom it calls "du": pronouns, and what begins a sentence and asks them for something.
DU = re.compile(r"\b(du|dein\w*|dir|dich|bist|hast|kannst|möchtest|musst)\b", re.IGNORECASE)
ASKED = (
    "Gib|Wähle?|Versuche? es|Bestätige|Melde|Klicke?|Lade|Prüfe|Überprüfe|Nutze|Benutze|Verwende|Stelle? sicher|Lass|Rufe?"
    "|Folge|Habe?"
)
ASKS = re.compile(rf"(^|[.!?:,] |\b[Bb]itte )({ASKED})\b(?! (Sie|ich|wir)\b)", re.IGNORECASE | re.MULTILINE)

SOURCE = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Offer"\nmsgstr "Angebot"\n'
)


def test_compiles_what_is_newer(tmp_path: Path) -> None:
    source = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(SOURCE)
    target = source.with_suffix(".mo")
    os.utime(source, (1, 1))
    assert compile_catalogues(tmp_path) == [target]
    assert gettext.translation("django", str(tmp_path), ["de"]).gettext("Offer") == "Angebot"
    assert compile_catalogues(tmp_path) == []
    source.write_text(SOURCE.replace("Angebot", "Vorschlag"))
    later = target.stat().st_mtime + 1
    os.utime(source, (later, later))
    assert compile_catalogues(tmp_path) == [target]
    assert sorted(path.name for path in source.parent.iterdir()) == ["django.mo", "django.po"]


def test_no_folder_is_no_error(tmp_path: Path) -> None:
    assert compile_catalogues(tmp_path / "none") == []


def test_texts_of_code_and_templates_are_found() -> None:
    found = {message.id: [path for path, _line in message.locations] for message in catalogues.used()}
    assert found["Please write a message."] == ["tickets/errors.py"]
    assert found["Skip to content"] == ["templates/base.html"]
    assert found[("about an hour", "about %(hours)d hours")] == ["tickets/templatetags/conversation.py"]
    assert "%(name)s is with you" in found
    assert (
        "We give %(name)s a moment to come back. If not, somebody else takes over, and you keep your place."
        in found
    )


def test_a_text_without_translation_is_told() -> None:
    wanted = Catalog()
    wanted.add("Hello", locations=[("a.py", 0)])
    wanted.add("%(count)d tickets", locations=[("b.html", 0)], flags=["python-format"])
    german = Catalog(locale="de")
    german.add("%(count)d tickets", "%(number)d Tickets", flags=["python-format"])
    told = catalogues.missing(german, wanted)
    assert told[0] == "not translated: 'Hello' (a.py)"
    assert told[1].startswith("wrong: '%(count)d tickets' (b.html)")
    german = Catalog(locale="de")
    german.add("Hello", "Hallo")
    german.add("%(count)d tickets", "%(count)d Tickets", flags=["python-format"])
    assert catalogues.missing(german, wanted) == []


def informal(text: str) -> bool:
    return bool(DU.search(text) or ASKS.search(text))


@pytest.mark.parametrize(
    "text",
    [
        "Gib eine gültige E-Mail Adresse an.",
        "Bitte wähle nur eine aus.",
        "Ein Fehler. Versuche es noch einmal.",
        "Dann schicken wir dir einen Link.",
        "Dein Konto",
    ],
)
def test_what_is_informal_is_known(text: str) -> None:
    assert informal(text)


def test_nobody_is_called_du() -> None:
    """Whoever wrote the text: what Django makes of its own catalogue, those of its apps, and ours, which is merged last."""
    merged = trans_real.translation("de")._catalog
    texts = {key: merged[key] for key in merged.keys() if key}  # noqa: SIM118  it has no iteration
    assert len(texts) > 3000
    assert {key: text for key, text in texts.items() if informal(text)} == {}


def test_our_texts_win_over_those_of_apps() -> None:
    for text in (*foreign_texts.ALLAUTH, *foreign_texts.REST_FRAMEWORK):
        with override("de"):
            assert translated(text) != text
    with override("de"):
        assert EmailField().error_messages["invalid"] == "Bitte geben Sie eine gültige E-Mail-Adresse ein."


def test_one_english_word_is_two_german_ones() -> None:
    with override("de"):
        assert (EntryKind.WAITING.label, TicketState.WAITING.label) == ("Wartezeit", "wartet")
        mail, label = MailIn._meta.get_field("sender"), TriageLabel._meta.get_field("source")
        assert (str(mail.verbose_name), str(label.verbose_name)) == ("von", "aus")


def test_the_list_of_foreign_texts_is_of_texts_that_are_there() -> None:
    """An app that words a text anew brings its own German with it: then the list is to be looked at again."""
    theirs = {
        key
        for name in ("allauth", "rest_framework")
        for key in gettext.translation("django", locale_of(name), ["de"])._catalog  # type: ignore[attr-defined]
    }
    assert set(foreign_texts.ALLAUTH) | set(foreign_texts.REST_FRAMEWORK) <= theirs


def locale_of(app: str) -> str:
    return str(Path(apps.get_app_config(app).path) / "locale")
