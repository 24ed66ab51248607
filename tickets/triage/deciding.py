"""The live model at work: what a ticket that is just being opened is about. It must not stop anybody from opening one."""

import logging
from dataclasses import dataclass

from tickets import kept, topics
from tickets.models import Topic, TriageModel
from tickets.triage.model import InvalidModel, Model, unpack

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Triaged:
    """`topic` is None when the model was not sure, or knows a topic that is not offered; `guess` is its label all the same."""

    topic: Topic | None
    guess: str
    percent: int
    version: int


class _Loaded:
    """The model that this process has unpacked, some megabytes; None for one that cannot be used."""

    version: int | None = None
    model: Model | None = None


def decide(text: str) -> Triaged | None:
    """What the text is about; None without a live model. No query while it is kept, one each two seconds, two for a new
    version.
    """
    version, model = live()
    if version is None or model is None:
        return None
    guess = model.guess(text)
    topic = topics.find(guess.label) if guess.sure else None
    return Triaged(topic, guess.label, int(guess.probability * 100), version)


def live() -> tuple[int | None, Model | None]:
    """The live version and its model. A model that cannot be read is logged once, and counts as none."""
    loaded: tuple[int | None, Model | None] = kept.keep("triage", _load)
    return loaded


def _load() -> tuple[int | None, Model | None]:
    version = TriageModel.objects.filter(live=True).values_list("version", flat=True).first()
    if version != _Loaded.version:
        model = None
        if version is not None:
            row = TriageModel.objects.only("content", "sha256").get(version=version)
            try:
                model = unpack(bytes(row.content), row.sha256)
            except InvalidModel:
                logger.exception(
                    "triage model %s cannot be used: tickets get the topic that is chosen", version
                )
        _Loaded.version, _Loaded.model = version, model
    return version, _Loaded.model
