"""Compiles the message catalogues, locale/*/LC_MESSAGES/*.po, where they are newer than what was compiled.

    python -m config.catalogues

With Babel, so that nobody needs gettext's programs.
"""

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_catalogues(folder: Path = LOCALE) -> list[Path]:
    """Returns what was compiled. Raises babel.messages.pofile.PoFileError on a malformed catalogue."""
    done = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime > source.stat().st_mtime:
            continue
        with source.open("rb") as lines:
            catalogue = read_po(
                lines, locale=source.parent.parent.name, domain=source.stem, abort_invalid=True
            )
        draft = source.with_suffix(
            f".mo.{os.getpid()}"
        )  # renamed when whole: a running server may read at any moment
        with draft.open("wb") as sink:
            write_mo(sink, catalogue)
        draft.replace(target)
        done.append(target)
    return done


if __name__ == "__main__":
    for path in compile_catalogues():
        print(f"compiled {path}")
