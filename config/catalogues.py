"""The message catalogues, locale/*/LC_MESSAGES/*.po: compile them, and keep them complete.

    python -m config.catalogues            compile those that are newer than what was compiled
    python -m config.catalogues check      say which texts of code and templates have no translation; ends with 1 if any
    python -m config.catalogues update     write the missing ones into the catalogues, without a text, and drop unused ones

With Babel, so that nobody needs gettext's programs.
"""

import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
CODE = ("agents", "config", "dispatch", "tickets")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
WIDTH = 120
HEADER = """\
# English is the source. Customers and agents are addressed formally. `python -m config.catalogues update` sorts by file.
msgid ""
msgstr ""
"Project-Id-Version: standby\\n"
"Language: {locale}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""
_STRING = r"""\s*u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s*"""
_CALL = re.compile(rf"\b(?:(?:n|p|np)?gettext|_)\({_STRING}(?:,{_STRING})*(?:,\s*count\s*)?\)")


def compile_catalogues(folder: Path = LOCALE) -> list[Path]:
    """Returns what was compiled. Raises babel.messages.pofile.PoFileError on a malformed catalogue."""
    done = []
    for source in sources(folder):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime > source.stat().st_mtime:
            continue
        # Renamed when whole: a running server may read at any moment.
        draft = source.with_suffix(f".mo.{os.getpid()}")
        with draft.open("wb") as sink:
            write_mo(sink, read(source))
        draft.replace(target)
        done.append(target)
    return done


def sources(folder: Path = LOCALE) -> list[Path]:
    """The catalogues in a folder."""
    return sorted(folder.glob("*/LC_MESSAGES/*.po"))


def read(source: Path) -> Catalog:
    """One catalogue. Raises PoFileError."""
    with source.open("rb") as lines:
        return read_po(lines, locale=source.parent.parent.name, domain=source.stem, abort_invalid=True)


def used() -> Catalog:
    """All texts of code and templates, with the files they stand in (no line numbers: those would change every day)."""
    found = Catalog(charset="utf-8")
    for path, text in _texts():
        lines = io.BytesIO(text.encode())
        for _line, message, comments, context in extract("python", lines, KEYWORDS, ["Translators:"]):
            flags = ["python-format"] if _has_placeholder(message) else []
            place = [(path.relative_to(ROOT).as_posix(), 0)]
            found.add(message, locations=place, auto_comments=comments, context=context, flags=flags)
    return found


def _texts() -> Iterator[tuple[Path, str]]:
    """(path, Python source or what Django's own extraction makes of a template)."""
    # Without settings: only the extraction's text is wanted. The first import of Django in this module.
    from django.utils.translation.template import templatize  # noqa: PLC0415  as said above

    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text()
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            yield path, _as_python(templatize(path.read_text(), origin=str(path)))


def _as_python(templatized: str) -> str:
    """The calls in what Django writes for xgettext; around them it leaves crossed-out letters that are no Python."""
    return "\n".join(call.group() for call in _CALL.finditer(templatized))


def _has_placeholder(message: str | tuple[str, ...]) -> bool:
    return "%(" in (message if isinstance(message, str) else "".join(message))


def missing(catalogue: Catalog, wanted: Catalog) -> list[str]:
    """What is wanted and has no translation, or one whose placeholders differ, as lines to print."""
    lines = []
    for message in wanted:
        if not message.id:
            continue
        here = catalogue.get(message.id, message.context)
        texts = here.string if here is not None else ""
        whole = all(texts) if isinstance(texts, (tuple, list)) else bool(texts)
        places = ", ".join(path for path, _line in message.locations)
        if here is None or not whole or here.fuzzy:
            lines.append(f"not translated: {message.id!r} ({places})")
        elif errors := list(here.check(catalogue)):
            lines.append(f"wrong: {message.id!r} ({places}): {errors[0]}")
    return lines


def update(source: Path, wanted: Catalog) -> None:
    """Write the catalogue anew, sorted by file: what is wanted, with the translations there are."""
    catalogue = read(source)
    catalogue.update(wanted, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    with source.open("wb") as sink:
        # A header of our own: Babel's has dates, which would differ at each call.
        sink.write(HEADER.format(locale=catalogue.locale, plurals=catalogue.plural_forms).encode())
        write_po(sink, catalogue, width=WIDTH, sort_by_file=True, omit_header=True, include_lineno=False)


def main() -> int:
    if sys.argv[1:] == ["check"]:
        wanted = used()
        complaints = [
            f"{source.relative_to(ROOT)}: {line}"
            for source in sources()
            for line in missing(read(source), wanted)
        ]
        print("\n".join(complaints), end="\n" if complaints else "")
        return 1 if complaints else 0
    if sys.argv[1:] == ["update"]:
        for source in sources():
            update(source, used())
        return 0
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    for path in compile_catalogues():
        print(f"compiled {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
