"""Versions of the model: trained, stored, compared with the live one, made live. Imports scikit-learn: for commands and the
worker only.
"""

import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Max

from tickets import kept, timeline, topics
from tickets.models import TriageModel
from tickets.triage import labels
from tickets.triage.labelled import InvalidLabels, Labelled
from tickets.triage.learning import PRECISION, HeldOut, Learned, Verdict, compare, learn
from tickets.triage.model import InvalidModel, checksum, pack, unpack
from tickets.triage.report import report

TRAINING = 0x7269616765  # of the advisory lock: one training at a time
KEPT_CONTENTS = 5  # versions whose bytes are kept; of older ones the figures stay


class TrainingUnderWay(Exception):
    """Somebody else trains just now."""


@dataclass(frozen=True)
class Trained:
    version: TriageModel
    learned: Learned


def train_file(given: Labelled, *, precision: float = PRECISION, anyway: bool = False) -> Trained:
    """Learn from a file, whose rows take the place of the last file's, and from what agents have corrected since. Outermost.

    What a person trains from a file goes live: they have seen its figures. Where no label is a topic here, it would leave every
    ticket to people, so unless `anyway` it is only stored, to be evaluated: neither the live model nor the rows that the next
    one learns from are touched. Raises InvalidLabels, TrainingUnderWay.
    """
    with _alone():
        if not anyway and len(strangers(given.counts)) == len(given.counts) > 1:
            learned = learn(given, precision=precision)
            return Trained(
                _store(learned, given, 0, precision, verdict={"why": "no_topics"}, live=False), learned
            )
        with timeline.command():
            labels.of_file_replace(given)
            known, last = labels.known()
            if len(known.counts) < 2:
                raise InvalidLabels("there must be two labels at least")
        learned = learn(known, precision=precision)
        return Trained(_store(learned, known, last, precision, verdict={"why": "file"}, live=True), learned)


def retrain(*, anew: bool = False) -> Trained | None:
    """Learn from all labels; live is what is not worse than what is. None when nothing is new, unless `anew`, or too little.

    Outermost. Raises TrainingUnderWay.
    """
    with _alone():
        old = TriageModel.objects.filter(live=True).first()
        newest = TriageModel.objects.order_by("-version").first()
        known, last = labels.known()
        if len(known.counts) < 2 or (newest is not None and newest.last_label >= labels.last() and not anew):
            return None
        precision = old.precision if old else PRECISION
        learned = learn(known, precision=precision)
        live, verdict = _judged(known, learned, old)
        return Trained(_store(learned, known, last, precision, verdict=verdict, live=live), learned)


def _judged(known: Labelled, learned: Learned, old: TriageModel | None) -> tuple[bool, dict[str, Any]]:
    if old is None:
        return True, {"why": "first"}
    try:
        before = unpack(bytes(old.content), old.sha256)
        found = compare(known, learned, before, held_out_unpack(bytes(old.held_out), old.held_out_sha256))
    except InvalidModel:
        return True, {"why": "unreadable", "than": old.version}
    return not found.worse, {"why": "worse" if found.worse else "not_worse", "than": old.version} | _figures(
        found
    )


def _figures(found: Verdict) -> dict[str, Any]:
    return asdict(found)


def _store(
    learned: Learned, known: Labelled, last: int, precision: float, *, verdict: dict[str, Any], live: bool
) -> TriageModel:
    content, held_out = pack(learned.model), held_out_pack(learned.held_out)
    told = report(learned, known, precision)
    with timeline.command():
        if live:
            TriageModel.objects.filter(live=True).update(live=False)
        number = (TriageModel.objects.aggregate(last=Max("version"))["last"] or 0) + 1
        made = TriageModel.objects.create(
            version=number,
            live=live,
            content=content,
            held_out=held_out,
            sha256=checksum(content),
            held_out_sha256=checksum(held_out),
            texts=len(known.texts),
            labels=len(learned.model.labels),
            last_label=last,
            precision=precision,
            threshold=learned.model.threshold,
            accuracy=told["accuracy"],
            coverage=told["coverage"],
            report=told,
            verdict=verdict,
        )
        TriageModel.objects.filter(live=False, version__lte=number - KEPT_CONTENTS).update(
            content=b"", held_out=b""
        )
    kept.forget("triage")
    return made


class _alone:  # noqa: N801  a context manager, read as a word
    """Holds the lock of trainings, over transactions. Raises TrainingUnderWay."""

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [TRAINING])
            if not cursor.fetchone()[0]:
                raise TrainingUnderWay

    def __exit__(self, *_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [TRAINING])


def strangers(labels: Iterable[str]) -> list[str]:
    """Labels that are no topic offered here: texts about them are left to people."""
    return [label for label in labels if topics.find(label) is None]


# --- What was held out, as bytes ----------------------------------------------------------------------------------------


def held_out_pack(held_out: HeldOut) -> bytes:
    """For held_out_unpack()."""
    out = io.BytesIO()
    np.savez_compressed(
        out,
        labels=np.array(held_out.labels),  # of one length each, as numpy keeps texts: no pickle
        digest=held_out.digest,
        chosen=held_out.chosen.astype(np.int32),
        probability=held_out.probability,
        fold=held_out.fold.astype(np.int8),
    )
    return out.getvalue()


def held_out_unpack(content: bytes, sha256: str) -> HeldOut:
    """Raises InvalidModel."""
    if checksum(content) != sha256:
        raise InvalidModel("the checksum of what was held out is another one")
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        return HeldOut(
            labels=tuple(str(one) for one in found["labels"]),
            digest=found["digest"],
            chosen=found["chosen"].astype(np.int64),
            probability=found["probability"],
            fold=found["fold"].astype(np.int64),
        )
