"""A text as weights of its words and letters: TF-IDF as scikit-learn's TfidfVectorizer computes it, without importing it.

Three blocks of terms, each of length 1 by itself: words and pairs of neighbours; pairs of words that stand apart, in either
order; and
runs of letters within a word and its two spaces. tests/tickets/triage/test_features.py holds them to scikit-learn's. Pure:
numpy and scipy only.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

# scipy is imported where a corpus is learned from: every process weighs texts, one learns.
if TYPE_CHECKING:
    from scipy.sparse import csr_array

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

MAX_CHARS = (
    2000  # of a text; what it is about stands at its beginning, and nobody can make the machine busy with one
)
APART = range(2, 6)  # words from one to the other
LETTERS = range(2, 5)  # of a run

_WORD = re.compile(r"\b\w+\b")


def words(text: str) -> Counter[str]:
    """Words and pairs of neighbours, with how often they occur."""
    found = _WORD.findall(text[:MAX_CHARS].lower())
    counts = Counter(found)
    counts.update(f"{a} {b}" for a, b in pairwise(found))
    return counts


def apart(text: str) -> Counter[str]:
    """Pairs of words with one to four others between them, by alphabet: what is said in one sentence, in whatever order."""
    found = _WORD.findall(text[:MAX_CHARS].lower())
    return Counter(
        f"{a}_{b}" if a < b else f"{b}_{a}"
        for distance in APART
        for a, b in zip(found, found[distance:], strict=False)
    )


def letters(text: str) -> Counter[str]:
    """Runs of 2 to 4 signs within a word that has a space on both sides; a shorter word is one run."""
    counts: Counter[str] = Counter()
    for word, times in Counter(text[:MAX_CHARS].lower().split()).items():
        for run in _runs(f" {word} "):
            counts[run] += times
    return counts


def _runs(padded: str) -> Iterator[str]:
    long = len(padded)
    for size in LETTERS:
        if size >= long:
            yield padded
            return
        for start in range(long - size + 1):
            yield padded[start : start + size]


BLOCKS = (words, apart, letters)
AT_LEAST = (1, 2, 2)  # texts in which a term of each block must occur to be learned


@dataclass(frozen=True)
class Terms:
    """The terms of one block in their order, and the weight of each: the rarer in the texts learned from, the higher."""

    column: Mapping[str, int]
    idf: F32

    @classmethod
    def of(cls, terms: Sequence[str], idf: F32) -> Terms:
        return cls({term: place for place, term in enumerate(terms)}, idf)


@dataclass(frozen=True)
class Vocabulary:
    """Terms of each block, in the order of BLOCKS; the columns of each begin after those of the one before."""

    blocks: tuple[Terms, ...]

    @property
    def size(self) -> int:
        return sum(len(block.idf) for block in self.blocks)


class Corpus:
    """Texts whose terms are counted once, for vocabularies and weights of any part of them.

    `rows` of its methods are places of texts. Terms are numbered over all blocks, block after block, each in alphabetical
    order.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        from scipy.sparse import csr_array  # noqa: PLC0415  see above

        self.terms: list[list[str]] = []
        tables = []
        for count in BLOCKS:
            counted = [count(text) for text in texts]
            terms = sorted(set[str]().union(*counted))
            number = {term: place for place, term in enumerate(terms)}
            columns = [number[term] for one in counted for term in one]
            times = np.fromiter(
                (times for one in counted for times in one.values()), np.float32, len(columns)
            )
            ends = np.cumsum([0, *(len(one) for one in counted)])
            table = csr_array((1 + np.log(times), columns, ends), shape=(len(texts), len(terms)))
            table.sort_indices()
            self.terms.append(terms)
            tables.append(table)
        self._tables = tables

    def learn(self, rows: I64, *, at_least: Sequence[int] = AT_LEAST) -> Weighing:
        """Which terms these texts have often enough, and how rare each is among them. Raises ValueError when none is left."""
        parts = []
        for table, least in zip(self._tables, at_least, strict=True):
            occurs = np.bincount(table[rows].indices, minlength=table.shape[1])
            kept = np.flatnonzero(occurs >= least)
            parts.append((kept, (np.log((1 + len(rows)) / (1 + occurs[kept])) + 1).astype(np.float32)))
        if not any(len(kept) for kept, _idf in parts):
            raise ValueError("no term occurs in enough texts")
        return Weighing(self, tuple(parts))


@dataclass(frozen=True)
class Weighing:
    """What a part of a corpus has taught: of each block the numbers of the terms, and their idf."""

    corpus: Corpus
    parts: tuple[tuple[I64, F32], ...]

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(
            tuple(
                Terms.of([terms[place] for place in kept], idf)
                for terms, (kept, idf) in zip(self.corpus.terms, self.parts, strict=True)
            )
        )

    def matrix(self, rows: I64) -> csr_array:
        """Weights of these texts of the corpus: (rows, vocabulary.size), float32, indices of 32 bits as scikit-learn wants
        them.
        """
        from scipy.sparse import csr_array, diags_array, hstack  # noqa: PLC0415  see above

        blocks = []
        for table, (kept, idf) in zip(self.corpus._tables, self.parts, strict=True):
            block = table[rows][:, kept] @ diags_array(idf)
            length = np.sqrt(np.asarray(block.power(2).sum(axis=1)).ravel())
            blocks.append(diags_array(1 / np.where(length > 0, length, 1)) @ block)
        table = csr_array(hstack(blocks, format="csr"), dtype=np.float32)
        table.indices, table.indptr = table.indices.astype(np.int32), table.indptr.astype(np.int32)
        return table


def weights(text: str, vocabulary: Vocabulary) -> tuple[I32, F32]:
    """Columns of the terms of a text, and their weights. Both empty when nothing of it is known."""
    row = tuple(_weighed(count(text), block) for count, block in zip(BLOCKS, vocabulary.blocks, strict=True))
    return _joined(row, vocabulary)


def _weighed(counts: Mapping[str, int], block: Terms) -> tuple[list[int], F32]:
    """(1 + ln count) · idf, divided by the length of it all."""
    columns, times = [], []
    for term, count in counts.items():
        column = block.column.get(term)
        if column is not None:
            columns.append(column)
            times.append(1.0 if count == 1 else 1.0 + math.log(count))
    values = np.array(times, np.float32) * block.idf[columns] if columns else np.zeros(0, np.float32)
    length = math.sqrt(float(values @ values))
    return columns, values / np.float32(length) if length else values


def _joined(row: Sequence[tuple[list[int], F32]], vocabulary: Vocabulary) -> tuple[I32, F32]:
    columns: list[int] = []
    before = 0
    for (own, _values), block in zip(row, vocabulary.blocks, strict=True):
        columns += [before + column for column in own]
        before += len(block.idf)
    return np.array(columns, np.int32), np.concatenate([values for _own, values in row])
