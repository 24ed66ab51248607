"""Labelled tickets from a CSV file, as people and programs write them. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TEXT = ("text", "question", "message", "body", "utterance", "ticket")
LABEL = ("category", "label", "topic", "intent", "class")
DELIMITERS = ",;\t|"
MAX_LABEL = 80  # characters


class InvalidLabels(ValueError):
    """The file cannot be read as labelled tickets; its words say where and why."""


@dataclass(frozen=True)
class Labelled:
    """Texts and their labels, in the order of the file. `empty`: how many rows were left out because one of the two was
    missing.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    empty: int = 0

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.labels)


def read(content: bytes) -> Labelled:
    """Read a file with a head line that names a column of TEXT and one of LABEL, in any order and case, others beside them.

    UTF-8 with or without a mark, UTF-16 with one; commas, semicolons, tabs or bars; quoted fields with line breaks in them.
    Raises InvalidLabels.
    """
    text = _decoded(content)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return _read(rows)
    except csv.Error as error:
        raise InvalidLabels(f"line {rows.line_num}: {error}") from error


def _decoded(content: bytes) -> str:
    coding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(coding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidLabels(f"line {line}: not UTF-8 ({error.reason})") from error
    if "\x00" in text:
        raise InvalidLabels("there are NUL signs in it: this is no text file")
    return text


def _read(rows: Iterable[Sequence[str]]) -> Labelled:
    lines = iter(rows)
    head = next((row for row in lines if any(cell.strip() for cell in row)), None)
    if head is None:
        raise InvalidLabels("the file is empty")
    text_at, label_at = _column(head, TEXT), _column(head, LABEL)
    texts, labels, empty = [], [], 0
    for number, row in enumerate(lines, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(head):
            raise InvalidLabels(f"row {number} has {len(row)} columns, the head line {len(head)}")
        text, label = row[text_at].strip(), row[label_at].strip()
        if not text or not label:
            empty += 1
        elif len(label) > MAX_LABEL:
            raise InvalidLabels(f"row {number}: a label of more than {MAX_LABEL} characters")
        else:
            texts.append(text)
            labels.append(label)
    if not texts:
        raise InvalidLabels("there is no labelled text in it")
    return Labelled(tuple(texts), tuple(labels), empty)


def _column(head: Sequence[str], names: Sequence[str]) -> int:
    """Place of the one column that has one of these names. The earlier names win. Raises InvalidLabels."""
    said = [cell.strip().lower() for cell in head]
    for name in names:
        if said.count(name) > 1:
            raise InvalidLabels(f"the head line has “{name}” twice")
        if name in said:
            return said.index(name)
    raise InvalidLabels(f"no column is called {' or '.join(names)}; the head line has: {', '.join(said)}")
