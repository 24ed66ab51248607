"""Message catalogues are compiled without gettext's programs, only when they changed."""

import gettext
import os
from pathlib import Path

from babel.messages.catalog import Catalog

from config import catalogues
from config.catalogues import compile_catalogues

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
