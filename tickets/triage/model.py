"""A trained model: a text in, the most likely label and how sure out. Numpy only; no scikit-learn is imported to use it.

Kept as bytes: a ZIP of numpy arrays and one JSON, read without pickle, so that it can hold figures and words and nothing
that runs.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tickets.triage.calibration import F64, sigmoid
from tickets.triage.features import BLOCKS, F32, Terms, Vocabulary, weights

FORMAT = 2
MAX_BYTES = 256 * 1024 * 1024  # unpacked: more is no model of ours


class InvalidModel(ValueError):
    """These bytes are no model of this format, or not the ones that were stored."""


@dataclass(frozen=True)
class Sureness:
    """How decisions become the probability that the choice is right: odds of a softmax at `temperature`, then a logistic curve.

    `constants` (labels,): of each label that may be chosen, since some are mixed up more often than others.
    """

    temperature: float
    slope: float
    constants: F64

    def of(self, decisions: F64) -> float:
        """Of one text's decisions (labels,)."""
        constant = self.constants[int(decisions.argmax())]
        return sigmoid(self.slope * float(odds(decisions[None, :], self.temperature)[0]) + float(constant))


@dataclass(frozen=True)
class Guess:
    """The most likely label, the probability that it is right, and whether that is enough to act on."""

    label: str
    probability: float
    sure: bool


@dataclass(frozen=True)
class Model:
    """`weights` (vocabulary.size, labels) and `bias` (labels,): linear decisions. What is as probable as `threshold` is
    sure.
    """

    labels: tuple[str, ...]
    vocabulary: Vocabulary
    weights: F32
    bias: F32
    sureness: Sureness
    threshold: float

    def decisions(self, text: str) -> F64:
        """(labels,): the higher, the more likely."""
        columns, values = weights(text, self.vocabulary)
        return np.asarray(values @ self.weights[columns] + self.bias, np.float64)

    def guess(self, text: str) -> Guess:
        """What the text is about. One of which not a single word is known is a guess that is never sure."""
        columns, values = weights(text, self.vocabulary)
        decisions = np.asarray(values @ self.weights[columns] + self.bias, np.float64)
        label = self.labels[int(decisions.argmax())]
        if not np.any(columns < len(self.vocabulary.blocks[0].idf)):
            return Guess(label, 0.0, sure=False)
        probability = self.sureness.of(decisions)
        return Guess(label, probability, sure=probability >= self.threshold)


def odds(decisions: F64, temperature: float) -> F64:
    """Logarithm of the odds of each row's best label, by a softmax at this temperature. (texts, labels) → (texts,)"""
    scaled = np.sort(np.asarray(decisions, np.float64) / temperature, axis=1)
    best, others = scaled[:, -1], scaled[:, :-1]
    top = others[:, -1]
    return np.asarray(best - top - np.log(np.exp(others - top[:, None]).sum(axis=1)), np.float64)


# --- As bytes ---------------------------------------------------------------------------------------------------------


def pack(model: Model) -> bytes:
    """The model as bytes, for unpack(). The same model gives the same bytes."""
    arrays: dict[str, npt.NDArray[Any]] = {"weights": model.weights, "bias": model.bias}
    arrays["constants"] = model.sureness.constants
    words: dict[str, Any] = {
        "format": FORMAT,
        "labels": model.labels,
        "terms": [list(block.column) for block in model.vocabulary.blocks],
        "sureness": [model.sureness.temperature, model.sureness.slope],
        "threshold": model.threshold,
    }
    arrays |= {f"idf{place}": block.idf for place, block in enumerate(model.vocabulary.blocks)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        _put(file, "model.json", json.dumps(words, ensure_ascii=False).encode())
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            _put(file, f"{name}.npy", content.getvalue())
    return out.getvalue()


def _put(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 1)  # ZipInfo: without the time of now


def checksum(content: bytes) -> str:
    """SHA-256, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def unpack(content: bytes, sha256: str) -> Model:
    """The model of these bytes. Raises InvalidModel when they are not the ones that were packed, or do not fit together."""
    if checksum(content) != sha256:
        raise InvalidModel("the checksum is another one")
    try:
        return _unpack(content)
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise InvalidModel(str(error)) from error


def _unpack(content: bytes) -> Model:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        if sum(entry.file_size for entry in file.infolist()) > MAX_BYTES:
            raise InvalidModel("too large")
        words = json.loads(file.read("model.json"))
        if words["format"] != FORMAT:
            raise InvalidModel(f"format {words['format']}, this program reads {FORMAT}")

        def array(name: str, shape: Sequence[int], kind: type = np.float32) -> Any:
            found = np.lib.format.read_array(io.BytesIO(file.read(f"{name}.npy")), allow_pickle=False)
            if found.dtype != kind or found.shape != tuple(shape):
                raise InvalidModel(f"{name} is {found.dtype}{found.shape}")
            return found

        if len(words["terms"]) != len(BLOCKS):
            raise InvalidModel("other blocks of terms")
        vocabulary = Vocabulary(
            tuple(
                Terms.of(terms, array(f"idf{place}", (len(terms),)))
                for place, terms in enumerate(words["terms"])
            )
        )
        labels = tuple(words["labels"])
        if len(labels) < 2:
            raise InvalidModel("fewer than two labels")
        return Model(
            labels=labels,
            vocabulary=vocabulary,
            weights=array("weights", (vocabulary.size, len(labels))),
            bias=array("bias", (len(labels),)),
            sureness=Sureness(
                temperature=float(words["sureness"][0]),
                slope=float(words["sureness"][1]),
                constants=array("constants", (len(labels),), np.float64),
            ),
            threshold=float(words["threshold"]),
        )
