"""Weights of a text are those of scikit-learn's TfidfVectorizer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from tickets.triage.features import MAX_CHARS, Corpus, apart, letters, weights, words

TEXTS = (
    "Where is my refund? My refund!",
    "Wo  bleibt\tmeine Erstattung, die Größe stimmt nicht",
    "a b", "x", "", "…", "Où est ma carte", "refund my card now please now", "card card card", "ÄÖÜ straße",
)  # fmt: skip


@pytest.mark.parametrize(
    ("block", "theirs"),
    [
        (0, {"ngram_range": (1, 2), "token_pattern": r"\b\w+\b"}),
        (2, {"analyzer": "char_wb", "ngram_range": (2, 4)}),
    ],
)
def test_a_block_is_what_scikit_learn_makes_of_it(block: int, theirs: dict[str, object]) -> None:
    sure = TfidfVectorizer(sublinear_tf=True, dtype=np.float64, **theirs)
    wanted = sure.fit_transform(TEXTS).toarray()
    corpus = Corpus(TEXTS)
    weighing = corpus.learn(np.arange(len(TEXTS)), at_least=(1, 1, 1))
    sizes = [len(kept) for kept, _idf in weighing.parts]
    begin = sum(sizes[:block])
    ours = weighing.matrix(np.arange(len(TEXTS))).toarray()[:, begin : begin + sizes[block]]
    assert list(weighing.vocabulary().blocks[block].column) == list(sure.get_feature_names_out())
    np.testing.assert_allclose(ours, wanted, atol=1e-6)


def test_one_text_weighs_what_it_weighs_among_many() -> None:
    corpus = Corpus(TEXTS)
    weighing = corpus.learn(np.arange(6))
    table = weighing.matrix(np.arange(len(TEXTS))).toarray()
    vocabulary = weighing.vocabulary()
    for number, text in enumerate(TEXTS):
        columns, values = weights(text, vocabulary)
        row = np.zeros(vocabulary.size, np.float32)
        row[columns] = values
        np.testing.assert_allclose(row, table[number], atol=1e-6)


def test_pairs_stand_apart_in_either_order() -> None:
    assert apart("my card is lost") == apart("lost is card my") == {"is_my": 1, "card_lost": 1, "lost_my": 1}


def test_a_term_of_too_few_texts_is_not_learned() -> None:
    with pytest.raises(ValueError, match="no term"):
        Corpus(["one", "two"]).learn(np.arange(2), at_least=(2, 2, 3))


@given(st.text())
def test_any_text_is_counted(text: str) -> None:
    for count in (words, apart, letters):
        assert all(times > 0 for times in count(text).values())


def test_only_the_beginning_of_a_long_text_counts() -> None:
    assert words("a " * MAX_CHARS + "z") == words("a " * MAX_CHARS)
