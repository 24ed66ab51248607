"""`triage`, `triage_train`: microseconds a ticket's text, and seconds of a training, in a process of its own on one thread.

Texts are the demo's questions. Ours: a model's guess, and learn() with its ten folds. Floor: scikit-learn's own vectorizers
and machine on words and runs of letters, asked one text at a time; and one fit of them, without folds or threshold.
"""

import time
from typing import Any

from bench import ground
from bench.ground import Plan, Row, row
from config import embedded

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def measure(plan: Plan, servers: embedded.Servers) -> list[Row]:  # noqa: ARG001  every row has this signature
    found: dict[str, list[dict[str, float]]] = {"floor": [], "ours": []}
    for number in range(plan.rounds):
        for side, each in found.items():
            ground.say(f"  round {number + 1}/{plan.rounds}: triage, {side}")
            wish = {"side": side, "texts": plan.size(624, 120)}
            each.append(ground.child("triage", wish, ONE_THREAD, seconds=600.0))
    ours, floor = found["ours"], found["floor"]
    return [
        row(name, unit, [one[name] for one in ours], [one[name] for one in floor], notes=notes)
        for name, unit, notes in (
            ("triage", "µs", "a text; floor is scikit-learn's pipeline, one text at a time"),
            ("triage_train", "s", "624 texts, ten folds; floor is one fit of that pipeline"),
        )
    ]


def main(side: str, texts: int) -> dict[str, float]:
    """In the child."""
    from dispatch.demo.triage import questions
    from tickets.triage.labelled import Labelled

    given = questions()
    step = max(len(given.texts) // texts, 1)
    part = Labelled(given.texts[::step], given.labels[::step])
    begun = time.perf_counter()
    guess = {"ours": _ours, "floor": _floor}[side](part)
    trained = time.perf_counter() - begun
    guess(part.texts[0])
    begun = time.perf_counter()
    for text in part.texts:
        guess(text)
    each = (time.perf_counter() - begun) / len(part.texts)
    return {"triage": each * 1e6, "triage_train": trained}


def _ours(given: Any) -> Any:
    from tickets.triage.learning import learn

    return learn(given, precision=0.9).model.guess


def _floor(given: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True)
    pipeline = make_pipeline(make_union(words, letters), LinearSVC()).fit(given.texts, given.labels)
    return lambda text: pipeline.decision_function([text])
