"""A live model for the example topics, learned from invented questions (questions.csv, 26 a topic and language)."""

from pathlib import Path

from tickets.models import TriageModel
from tickets.triage.labelled import Labelled, read

PRECISION = 0.9  # more cannot be told from a few hundred texts


def questions() -> Labelled:
    """Both languages, English first."""
    return read((Path(__file__).parent / "questions.csv").read_bytes())


def learn_topics() -> bool:
    """Train and make it live, unless there is any model. About two seconds. Outermost. Returns whether it was done now."""
    if TriageModel.objects.exists():
        return False
    from tickets.triage import versions  # noqa: PLC0415  scikit-learn takes a second to import

    versions.train_file(questions(), precision=PRECISION)
    return True
