"""What a model is worth, as figures and as a table. Pure."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tickets.triage.calibration import Flags, Share, calibration_error, interval, judged, threshold_for
from tickets.triage.labelled import Labelled
from tickets.triage.model import Model

if TYPE_CHECKING:
    from tickets.triage.learning import Learned


def report(learned: "Learned", given: Labelled, precision: float) -> dict[str, Any]:
    """Of a training: what held-out texts say. Coverage and its precision are crossed: no fold has chosen its own threshold."""
    held = learned.held_out
    chosen = [held.labels[place] for place in held.chosen]
    return {
        "texts": len(given.texts),
        "labels": len(held.labels),
        "accuracy": float(learned.right.mean()),
        "target_precision": precision,
        "threshold": learned.model.threshold,
        **_shared(learned.share(precision)),
        "calibration_error": calibration_error(held.probability, learned.right),
        "seconds": round(learned.seconds, 1),
        "per_label": _table(given.labels, chosen, held.probability >= learned.model.threshold),
    }


def evaluation(model: Model, given: Labelled, precision: float) -> dict[str, Any]:
    """Of a file that the model has not seen, at the threshold that the model came with.

    Rows whose label the model does not know are counted, and wrong: it cannot but err on them. `coverage_found` is what a
    threshold chosen on this very file would reach; it flatters, and is there to compare with such figures of others.
    """
    begun = time.perf_counter()
    guesses = [model.guess(text) for text in given.texts]
    took = time.perf_counter() - begun
    right = np.array([guess.label == label for guess, label in zip(guesses, given.labels, strict=True)])
    probability = np.array([guess.probability for guess in guesses])
    low, high = interval(int(right.sum()), len(right))
    strange = sorted(set(given.labels) - set(model.labels))
    found = judged(probability, right, threshold_for(probability, right, precision))
    return {
        "texts": len(given.texts),
        "left_out": given.empty,
        "labels": len(given.counts),
        "unknown_labels": strange,
        "unknown_texts": sum(given.counts[label] for label in strange),
        "accuracy": float(right.mean()),
        "accuracy_interval": [low, high],
        "target_precision": precision,
        "threshold": model.threshold,
        **_shared(judged(probability, right, model.threshold)),
        "coverage_found": found.coverage,
        "calibration_error": calibration_error(probability, right),
        "microseconds_per_text": round(took / len(guesses) * 1e6, 1),
        "per_label": _table(given.labels, [guess.label for guess in guesses], probability >= model.threshold),
    }


def _shared(share: Share) -> dict[str, Any]:
    return {
        "coverage": share.coverage,
        "precision": share.precision,
        "precision_interval": list(interval(share.right, share.sure)),
        "sure": share.sure,
        "sure_right": share.right,
    }


def _table(wanted: Sequence[str], chosen: Sequence[str], sure: Flags) -> dict[str, dict[str, Any]]:
    """Label → how many texts have it, which share of them was found, which share of what was said to be it is; and the sure
    ones.
    """
    rows: dict[str, dict[str, Any]] = {}
    one, other = np.array(wanted), np.array(chosen)
    for label in sorted(set(wanted)):
        is_it, said = one == label, other == label
        taken = is_it & sure
        rows[label] = {
            "texts": int(is_it.sum()),
            "recall": float((said & is_it).sum() / is_it.sum()),
            "precision": float((said & is_it).sum() / said.sum()) if said.any() else None,
            "coverage": float(taken.sum() / is_it.sum()),
            "sure_right": float((said & taken).sum() / taken.sum()) if taken.any() else None,
        }
    return rows


def as_text(figures: Mapping[str, Any], *, held_out: str) -> str:
    """The figures for people. `held_out`: in words, on which texts they were taken."""
    low, high = figures["precision_interval"]
    lines = [
        f"{figures['texts']} texts, {figures['labels']} labels; {held_out}",
        f"accuracy            {figures['accuracy']:7.2%}",
        f"sure of             {figures['coverage']:7.2%}   threshold {figures['threshold']:.4f}",
        f"right, when sure    {figures['precision']:7.2%}   95 % interval {low:.2%} to {high:.2%}",
        f"                              {figures['sure_right']} of {figures['sure']}, wanted {figures['target_precision']:.1%}",
        f"calibration error   {figures['calibration_error']:7.4f}",
    ]
    if figures.get("unknown_labels"):
        lines.append(
            f"{figures['unknown_texts']} texts have labels that the model does not know: "
            + ", ".join(figures["unknown_labels"])
        )
    width = max(len(label) for label in figures["per_label"])
    lines += ["", f"{'label':<{width}}  texts  found  is it  sure   right when sure"]
    for label, row in figures["per_label"].items():
        lines.append(
            f"{label:<{width}}  {row['texts']:5}  {row['recall']:5.0%}  {_percent(row['precision'])}  {row['coverage']:4.0%}"
            f"   {_percent(row['sure_right'])}"
        )
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "    –" if share is None else f"{share:5.0%}"
