"""Learning a model from labelled texts, and judging it on texts that it has not seen. The only file that imports scikit-learn.

Linear support vector machines, one a label, on the weights of features.py. How sure a decision is, and from where on it is
sure enough, is learned from decisions on held-out texts: each fold's by a machine that learned from the others. Pure.
"""

import hashlib
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from tickets.triage.calibration import F64, NEVER, Flags, Share, crossed, judged, threshold_for
from tickets.triage.features import F32, I64, Corpus, Weighing
from tickets.triage.labelled import InvalidLabels, Labelled
from tickets.triage.model import Guess, Model, Sureness, odds

FOLDS = 10
OUTER_FOLDS = 10  # of nested()
PRECISION = 0.98
PENALTY = 0.6  # C of the machines; found by cross-validation, see docs/triage.md
NEAR_ENOUGH = 1.0  # tolerance: with a hundredth of it the held-out figures are the same, and it takes half as long again
# Standard errors by which the share at the threshold must be above what is wanted: the lowest point at which a jagged curve
# was high enough is a lucky one, and new texts fall some hundredths of a percent short of it.
CAUTION = 0.3
TEMPERATURES = (0.1, 0.2)
LEANING = 0.1  # C of the labels' own constants: how much has to be seen of one until it counts
LOWEST = -9.0  # decision for a label that a fold's machine has not met


@dataclass(frozen=True)
class HeldOut:
    """What was said of each text by a machine that had not seen it: (texts,) each. `chosen` are places in `labels`."""

    labels: tuple[str, ...]
    digest: npt.NDArray[np.uint64]
    chosen: I64
    probability: F64
    fold: I64


@dataclass(frozen=True)
class Learned:
    """A model of all texts, what was held out on the way, and seconds of a processor that it took."""

    model: Model
    held_out: HeldOut
    right: Flags
    seconds: float

    def share(self, precision: float) -> Share:
        """Coverage and precision on held-out texts, each fold judged by a threshold that the others chose."""
        return crossed(self.held_out.probability, self.right, self.held_out.fold, precision, caution=CAUTION)


def digest(text: str) -> int:
    """64 bits that tell a text again, whatever its spaces and capitals."""
    return int.from_bytes(hashlib.sha256(" ".join(text.casefold().split()).encode()).digest()[:8], "big")


def learn(given: Labelled, *, precision: float = PRECISION, folds: int = FOLDS) -> Learned:
    """Learn from all of it. The same input gives the same model. Raises InvalidLabels for fewer than two labels.

    A text's fold comes from the text itself: equal ones are never on both sides, and are in the same fold next time.
    """
    begun = time.process_time()
    labels = tuple(sorted(given.counts))
    if len(labels) < 2:
        raise InvalidLabels("there must be two labels at least")
    place = {label: number for number, label in enumerate(labels)}
    wanted = np.array([place[label] for label in given.labels], np.int64)
    marks = np.array([digest(text) for text in given.texts], np.uint64)
    fold = (marks % np.uint64(folds)).astype(np.int64)
    corpus = Corpus(given.texts)
    decisions = np.full((len(wanted), len(labels)), LOWEST)
    for one in range(folds):
        out, rest = np.flatnonzero(fold == one), np.flatnonzero(fold != one)
        if len(out) and len(np.unique(wanted[rest])) > 1:
            weighing, weights, bias = _fit(corpus, rest, wanted, len(labels))
            decisions[out] = weighing.matrix(out) @ weights + bias
    chosen = decisions.argmax(axis=1)
    right = chosen == wanted
    probability = _crossed_sureness(decisions, right, fold)
    weighing, weights, bias = _fit(corpus, np.arange(len(wanted)), wanted, len(labels))
    threshold = threshold_for(probability, right, precision, caution=CAUTION)
    model = Model(labels, weighing.vocabulary(), weights, bias, _sureness(decisions, right), threshold)
    held_out = HeldOut(labels, marks, chosen, probability, fold)
    return Learned(model, held_out, right, time.process_time() - begun)


def nested(
    given: Labelled,
    *,
    precision: float = PRECISION,
    folds: int = OUTER_FOLDS,
    say: Callable[[str], None] = print,
) -> tuple[Share, int]:
    """learn() without one fold, threshold and all, judged on that fold; the sum of all folds, and how many were right at
    all.
    """
    total, right_at_all = Share(0, 0, 0), 0
    fold = np.array([digest(text) // FOLDS % folds for text in given.texts])  # other folds than those within
    for one in range(folds):
        inner, outer = _part(given, fold != one), _part(given, fold == one)
        if not outer.texts:
            continue
        learned = learn(inner, precision=precision)
        guesses = [learned.model.guess(text) for text in outer.texts]
        right = np.array([g.label == label for g, label in zip(guesses, outer.labels, strict=True)])
        total += judged(np.array([g.probability for g in guesses]), right, learned.model.threshold)
        right_at_all += int(right.sum())
        say(f"fold {one + 1} of {folds}: right {right.mean():.4f}, {learned.seconds:.1f} s to learn")
    return total, right_at_all


def _part(given: Labelled, which: Flags) -> Labelled:
    return Labelled(tuple(_of(given.texts, which)), tuple(_of(given.labels, which)))


def _of(items: Sequence[str], which: Flags) -> list[str]:
    return [items[number] for number in np.flatnonzero(which).tolist()]


def _fit(corpus: Corpus, rows: I64, wanted: I64, labels: int) -> tuple[Weighing, F32, F32]:
    """From these texts: how terms weigh, weights (terms, labels) and bias (labels,)."""
    weighing = corpus.learn(rows)
    machine = LinearSVC(C=PENALTY, tol=NEAR_ENOUGH, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # what it can do is measured
        machine.fit(weighing.matrix(rows), wanted[rows])
    coef, intercept = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:  # one machine for two labels
        coef, intercept = np.vstack([-coef, coef]), np.concatenate([-intercept, intercept])
    weights = np.zeros((coef.shape[1], labels), np.float32)
    bias = np.full(labels, LOWEST, np.float32)
    weights[:, machine.classes_] = coef.T
    bias[machine.classes_] = intercept
    return weighing, weights, bias


def _crossed_sureness(decisions: F64, right: Flags, fold: I64) -> F64:
    """The probability of each text's choice, by a curve that the other folds have drawn."""
    found = np.zeros(len(right))
    for one in np.unique(fold):
        here = fold == one
        curve = _sureness(decisions[~here], right[~here])
        found[here] = [curve.of(row) for row in decisions[here]]
    return found


def _sureness(decisions: F64, right: Flags) -> Sureness:
    """The curve under which what was seen of right and wrong is most likely, labels' own constants drawn towards one."""
    labels = decisions.shape[1]
    best, found = -np.inf, Sureness(TEMPERATURES[0], 1.0, np.zeros(labels))
    if right.all() or not right.any():
        return found
    own = csr_array(np.eye(labels)[decisions.argmax(axis=1)])
    for temperature in TEMPERATURES:
        seen = hstack([csr_array(odds(decisions, temperature)[:, None]), own], format="csr")
        curve = LogisticRegression(C=LEANING, max_iter=300).fit(seen, right)
        likely = float(curve.predict_log_proba(seen)[np.arange(len(right)), right.astype(int)].mean())
        if likely > best and curve.coef_[0, 0] > 0:
            best = likely
            found = Sureness(
                temperature, float(curve.coef_[0, 0]), curve.coef_[0, 1:] + float(curve.intercept_[0])
            )
    return found


# --- Old and new ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What two models make of the same texts, neither having seen them. `old` and `new`: shares at each one's own threshold."""

    texts: int
    old_right: int
    new_right: int
    old: Share
    new: Share

    @property
    def worse(self) -> bool:
        """Fewer are right, or more of what it is sure of is wrong than was, by share."""
        return self.new_right < self.old_right or (
            self.new.precision < self.old.precision
            and self.new.sure - self.new.right > self.old.sure - self.old.right
        )


def compare(given: Labelled, learned: Learned, old: Model, before: HeldOut) -> Verdict:
    """Learned anew against the old model, on all texts of today.

    A text that the old one learned from counts by what was held out then, in the same fold as now; a newer one is put to it.
    """
    known = {int(mark): number for number, mark in enumerate(before.digest)}
    guesses = []
    for text, mark in zip(given.texts, learned.held_out.digest, strict=True):
        number = known.get(int(mark))
        if number is None:
            guesses.append(old.guess(text))
        else:
            probability = float(before.probability[number])
            label = before.labels[int(before.chosen[number])]
            guesses.append(Guess(label, probability, sure=probability >= old.threshold))
    right = np.array([guess.label == label for guess, label in zip(guesses, given.labels, strict=True)])
    return Verdict(
        texts=len(right),
        old_right=int(right.sum()),
        new_right=int(learned.right.sum()),
        old=judged(np.array([guess.probability for guess in guesses]), right, min(old.threshold, NEVER)),
        new=judged(learned.held_out.probability, learned.right, learned.model.threshold),
    )
