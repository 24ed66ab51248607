"""The search on labelled questions of our own: as sure as it says, in both languages."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dispatch.demo.articles import HERE
from tickets.assistant import search
from tickets.assistant.evaluate import read_questions
from tickets.models import Article, Calibration

pytestmark = pytest.mark.usefixtures("help_desk")


def evaluated(language: str) -> dict[str, Any]:
    out = StringIO()
    call_command(
        "evaluate_assistant", HERE / f"questions.{language}.txt", "--json", language=language, stdout=out
    )
    return dict(json.loads(out.getvalue()))


@pytest.mark.parametrize(("language", "least"), [("en", 0.8), ("de", 0.6)])
def test_precision_and_coverage_hold_on_questions_held_out(language: str, least: float) -> None:
    found = evaluated(language)
    assert found["questions"] >= 150
    assert found["questions"] - found["answerable"] >= 40
    row = next(row for row in found["targets"] if row["target"] == 0.95)
    assert row["here"]["precision"] >= 0.95
    assert row["held_out"]["precision"] >= 0.94
    assert row["held_out"]["coverage_of_answerable"] >= least
    low, high = row["held_out"]["precision_interval"]
    assert low < row["held_out"]["precision"] < high


def test_there_are_articles_enough() -> None:
    for language in ("en", "de"):
        assert Article.objects.filter(language=language, state="approved").count() >= 30


def test_what_is_not_approved_or_past_its_day_is_not_found() -> None:
    def best(text: str) -> str | None:
        found = search.find(text, "en")
        return found.slug if found else None

    asked = "How do I reset my password?"
    assert best(asked) == "reset-password"
    Article.objects.filter(slug="reset-password").update(valid_until="2020-01-01")
    assert best(asked) != "reset-password"
    Article.objects.filter(slug="reset-password").update(valid_until=None)
    assert best(asked) == "reset-password"
    Article.objects.filter(slug="reset-password").update(state="draft", approved_at=None)
    assert best(asked) != "reset-password"


@pytest.mark.parametrize(
    "text", ["", "?!", "'; DROP TABLE tickets_article; --", "the of and", "a" * 5000, "\\ : * & | !"]
)
def test_any_text_is_a_question(text: str) -> None:
    found = search.find(text, "en")
    assert found is None or 0 <= found.raw <= 1


def test_typing_errors_are_forgiven() -> None:
    found = search.find("i forgott my pasword, how do i reset it", "en")
    assert found is not None
    assert found.slug == "reset-password"


def test_without_a_calibration_nothing_is_sure() -> None:
    Calibration.objects.all().delete()
    search.kept.forget("calibrations")
    assert search.score_of(0.9, "en") == 0.0


def test_a_line_that_is_no_question_is_refused(tmp_path: Any) -> None:
    (tmp_path / "bad.txt").write_text("where is it\n")
    with pytest.raises(ValueError, match=r"bad.txt, line 1"):
        read_questions(tmp_path / "bad.txt")
    with pytest.raises(CommandError):
        call_command("evaluate_assistant", tmp_path / "bad.txt", language="en")
