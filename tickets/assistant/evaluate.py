"""How good the search is on labelled questions, and the calibration that comes of it.

A labelled file has a line a question: "address-of-article | question", or "- | question" for one that no article answers.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tickets import kept
from tickets.assistant import search
from tickets.assistant.calibrate import Figures, Trial, cross_fitted, curve_of, figures, threshold, wilson
from tickets.models import AssistantUse, Calibration, Topic

NONE = "-"
TARGETS = (0.9, 0.95, 0.98)


class Question(NamedTuple):
    slug: str  # of the article that answers it, NONE where none does
    text: str


def read_questions(path: Path) -> list[Question]:
    """The questions of a labelled file. Raises ValueError for a line that is none, OSError."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        slug, bar, text = (part.strip() for part in line.partition("|"))
        if not (slug and bar and text):
            raise ValueError(f"{path.name}, line {number}: “address | question” is wanted")
        found.append(Question(slug, text))
    return found


def trials(language: str, questions: Iterable[Question]) -> list[Trial]:
    """Each question searched. One whose best article is for people only counts as not found. One query a question."""
    for_people = set(Topic.objects.filter(assistant=AssistantUse.NEVER).values_list("pk", flat=True))
    done = []
    for question in questions:
        found = search.find(question.text, language)
        if found is None or found.topic_id in for_people:
            done.append(Trial(0.0, right=False))
        else:
            done.append(Trial(found.raw, found.slug == question.slug))
    return done


def report(language: str, questions: Sequence[Question], done: Sequence[Trial]) -> dict[str, Any]:
    """Figures for each target precision. `held_out`: each question judged by a threshold chosen without it (five folds)."""
    curve = curve_of(done)
    answerable = sum(question.slug != NONE for question in questions)
    return {
        "language": language,
        "questions": len(questions),
        "answerable": answerable,
        "best_is_right": sum(trial.right for trial in done),
        "targets": [
            {
                "target": target,
                "threshold": least,
                "here": _figures(figures(done, least), answerable),
                "held_out": _figures(cross_fitted(done, target), answerable),
            }
            for target in TARGETS
            for least in [threshold(curve, target)]
        ],
    }


def _figures(one: Figures, answerable: int) -> dict[str, Any]:
    return {
        "answered": one.answered,
        "right": one.right,
        "precision": one.precision,
        "precision_interval": wilson(one.right, one.answered),
        "coverage": one.coverage,
        "coverage_interval": wilson(one.answered, one.asked),
        "coverage_of_answerable": one.right / answerable if answerable else None,
    }


def calibrate(language: str, questions: Sequence[Question]) -> Calibration:
    """Store a new calibration, which counts from now on. Inner."""
    done = trials(language, questions)
    made = Calibration.objects.create(
        language=language,
        curve=curve_of(done),
        questions=len(questions),
        report=report(language, questions, done),
    )
    kept.forget("calibrations")
    return made
