"""A model says what scikit-learn would say, goes through bytes unchanged, and trusts no bytes."""

import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from tests.tickets.triage.small import labelled, learned
from tickets.triage.calibration import softmax
from tickets.triage.features import Corpus
from tickets.triage.learning import NEAR_ENOUGH, PENALTY
from tickets.triage.model import InvalidModel, Model, Sureness, checksum, odds, pack, unpack


def test_decisions_are_those_of_scikit_learn() -> None:
    given, model = labelled(), learned().model
    corpus, rows = Corpus(given.texts), np.arange(len(given.texts))
    table = corpus.learn(rows).matrix(rows)
    machine = LinearSVC(C=PENALTY, tol=NEAR_ENOUGH, random_state=0).fit(table, given.labels)
    theirs = machine.decision_function(table)
    ours = np.array([model.decisions(text) for text in given.texts])
    assert list(model.labels) == list(machine.classes_)
    np.testing.assert_allclose(ours[:, 1], theirs, atol=1e-4)
    np.testing.assert_allclose(ours[:, 0], -theirs, atol=1e-4)


def test_probabilities_are_those_of_scikit_learns_predict_proba() -> None:
    draw = np.random.default_rng(1)
    decisions = draw.normal(size=(200, 5))
    right = draw.random(200) < 0.8
    seen = odds(decisions, 0.2)[:, None]
    curve = LogisticRegression().fit(seen, right)
    ours = Sureness(0.2, float(curve.coef_[0, 0]), np.full(5, curve.intercept_[0]))
    theirs = curve.predict_proba(seen)[:, 1]
    np.testing.assert_allclose([ours.of(row) for row in decisions], theirs, atol=1e-12)


def test_odds_are_those_of_the_softmax() -> None:
    decisions = np.array([[0.3, -0.2, 0.1], [1.0, 0.5, -1.0]])
    best = softmax(decisions, 0.5).max(axis=1)
    np.testing.assert_allclose(odds(decisions, 0.5), np.log(best / (1 - best)))


def test_a_text_of_which_no_word_is_known_is_never_sure() -> None:
    guess = learned().model.guess("xyzzy qqq")
    assert (guess.probability, guess.sure) == (0.0, False)
    assert learned().model.guess("").sure is False


def test_what_is_known_is_recognised() -> None:
    guess = learned().model.guess("Where is my money back?")
    assert guess.label == "refund"
    assert guess.sure
    assert guess.probability > 0.9


@given(st.text())
@settings(max_examples=30)
def test_any_text_gets_an_answer(text: str) -> None:
    guess = learned().model.guess(text)
    assert guess.label in {"refund", "card"}
    assert 0.0 <= guess.probability <= 1.0


def same(one: Model, other: Model) -> bool:
    return pack(one) == pack(other)


def test_bytes_bring_the_model_back() -> None:
    model = learned().model
    content = pack(model)
    again = unpack(content, checksum(content))
    assert same(again, model)
    assert again.guess("my card is lost") == model.guess("my card is lost")


def altered(change: str) -> bytes:
    """The model's ZIP with one part of it made wrong."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pack(learned().model))) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "weights.npy" and change == "pickle":
                file = io.BytesIO()
                np.save(file, np.array([print, {}], dtype=object), allow_pickle=True)
                content = file.getvalue()
            if name == "model.json" and change == "format":
                content = content.replace(b'"format": 2', b'"format": 1')
            if not (name == "bias.npy" and change == "missing"):
                new.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("change", ["pickle", "format", "missing"])
def test_bytes_that_are_no_model_are_refused(change: str) -> None:
    content = altered(change)
    with pytest.raises(InvalidModel):
        unpack(content, checksum(content))


def test_other_bytes_than_those_stored_are_refused() -> None:
    content = pack(learned().model)
    with pytest.raises(InvalidModel, match="checksum"):
        unpack(content[:-1] + b"x", checksum(content))
    with pytest.raises(InvalidModel):
        unpack(b"", checksum(b""))


def test_using_a_model_imports_no_scikit_learn() -> None:
    code = (
        "import sys; import tickets.triage.model, tickets.triage.report, tickets.triage.labelled;"
        "sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
