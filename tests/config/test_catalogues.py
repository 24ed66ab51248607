"""Message catalogues are compiled without gettext's programs, only when they changed."""

import gettext
import os
from pathlib import Path

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
