"""Versions: from a file, from corrections; a worse one does not go live; both commands."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from agents.models import User
from tests.cast import World
from tests.tickets.triage.small import labelled, learned
from tickets import kept, tasks
from tickets.intake import ticket_open
from tickets.models import Channel, Ticket, TicketEvent, TriageLabel, TriageModel
from tickets.triage import deciding, labels, versions
from tickets.triage.calibration import Share
from tickets.triage.labelled import Labelled
from tickets.triage.learning import Verdict, compare

pytestmark = pytest.mark.django_db


@pytest.fixture
def live(world: World) -> TriageModel:
    """A live model that knows "refund" and "card"."""
    return versions.train_file(labelled(), precision=0.9).version


def opened(text: str, **more: Any) -> Ticket:
    return ticket_open(text=text, channel=Channel.FORM, **more).ticket


def told(ticket: Ticket) -> list[tuple[int, str, dict[str, Any]]]:
    return list(TicketEvent.objects.filter(ticket=ticket).order_by("seq").values_list("seq", "type", "data"))


def test_without_a_model_a_ticket_without_a_topic_is_general(world: World) -> None:
    ticket = opened("Where is my money back?")
    assert ticket.topic is None
    assert [(seq, kind) for seq, kind, _ in told(ticket)] == [(1, "ticket.opened"), (2, "message.posted")]


def test_a_sure_model_sets_the_topic_and_says_so(world: World, live: TriageModel) -> None:
    ticket = Ticket.objects.get(pk=opened("Where is my money back?").pk)
    assert (ticket.topic, ticket.last_seq) == (world.refund, 3)
    seq, kind, data = told(ticket)[2]
    assert (seq, kind) == (3, "ticket.triaged")
    assert data == {"topic": "refund", "guess": "refund", "percent": data["percent"], "model": live.version}
    assert 90 <= data["percent"] <= 100
    assert told(ticket)[0][2]["topic"] == "refund"
    assert TicketEvent.objects.get(ticket=ticket, seq=3).public is False


def test_an_unsure_one_leaves_it_to_people(world: World, live: TriageModel) -> None:
    ticket = opened("xyzzy")
    assert ticket.topic is None
    assert told(ticket)[2][2]["topic"] is None


def test_what_the_customer_chose_stays(world: World, live: TriageModel) -> None:
    ticket = opened("Where is my money back?", topic_key="card")
    assert ticket.topic == world.card
    assert "ticket.triaged" not in [kind for _, kind, _ in told(ticket)]


def test_a_topic_that_is_not_offered_is_not_set(world: World, live: TriageModel) -> None:
    world.refund.active = False
    world.refund.save()
    kept.forget()
    ticket = opened("Where is my money back?")
    assert ticket.topic is None
    assert told(ticket)[2][2]["guess"] == "refund"


def test_a_model_whose_bytes_were_changed_is_not_used(world: World, live: TriageModel) -> None:
    TriageModel.objects.update(sha256="0" * 64)
    kept.forget()
    deciding._Loaded.version = None
    assert opened("Where is my money back?").topic is None


def test_one_more_query_and_none_while_it_is_kept(
    world: World, live: TriageModel, django_assert_num_queries: Any
) -> None:
    deciding.decide("warm")
    with django_assert_num_queries(0):
        deciding.decide("Where is my money back?")


def test_nothing_new_is_not_learned_again(live: TriageModel) -> None:
    assert versions.retrain() is None
    again = versions.retrain(anew=True)
    assert again is not None
    assert (again.version.version, again.version.live) == (live.version + 1, True)
    assert again.version.verdict["why"] == "not_worse"
    assert again.version.verdict["new_right"] == again.version.verdict["old_right"] == 80
    assert TriageModel.objects.filter(live=True).count() == 1


def test_a_worse_one_is_kept_and_does_not_go_live(live: TriageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Verdict(80, old_right=80, new_right=79, old=Share(80, 80, 80), new=Share(70, 70, 80))
    monkeypatch.setattr(versions, "compare", lambda *_: said)
    tasks.triage_train(anew=True)
    newest, before = TriageModel.objects.all()
    assert (newest.live, before.live) == (False, True)
    assert (newest.verdict["why"], newest.verdict["than"]) == ("worse", before.version)
    assert deciding.live()[0] == before.version


@pytest.mark.parametrize(
    ("new_right", "new", "worse"),
    [
        (80, Share(70, 70, 80), False),
        (79, Share(79, 79, 80), True),  # fewer are right
        (80, Share(70, 72, 80), True),  # of what it is sure of, more is wrong
        (81, Share(75, 76, 80), False),
    ],
)
def test_what_worse_means(new_right: int, new: Share, worse: bool) -> None:
    assert Verdict(80, old_right=80, new_right=new_right, old=Share(71, 72, 80), new=new).worse is worse


def test_a_text_that_both_learned_counts_as_when_it_was_held_out(live: TriageModel) -> None:
    """The old model knows its own texts by heart; put to them now, it would always win."""
    given = labelled()
    held_out = learned().held_out
    wrong = replace(held_out, chosen=1 - held_out.chosen)
    assert compare(given, learned(), learned().model, held_out).old_right == 80
    assert compare(given, learned(), learned().model, wrong).old_right == 0
    none = replace(held_out, digest=held_out.digest + np.uint64(1))
    assert compare(given, learned(), learned().model, none).old_right == 80


def test_corrections_are_learned_and_practice_is_not(world: World, live: TriageModel) -> None:
    ticket, played = world.ticket("My plastic melted"), world.ticket("Played")
    Ticket.objects.filter(pk=played.pk).update(channel=Channel.PRACTICE, state="closed")
    for one in (ticket, played):
        labels.corrected(ticket_id=one.pk, topic=world.refund)
    labels.corrected(ticket_id=ticket.pk, topic=world.card)
    known, last = labels.known()
    assert known.texts[80:] == ("My plastic melted",)
    assert known.labels[80:] == ("card",)
    assert last == TriageLabel.objects.get(ticket=ticket).pk
    trained = versions.retrain()
    assert trained is not None
    assert trained.version.texts == 81
    ticket.messages.all().delete()
    assert len(labels.known()[0].texts) == 80


def test_a_file_takes_the_place_of_the_last_one_and_leaves_corrections(
    world: World, live: TriageModel
) -> None:
    labels.corrected(ticket_id=world.ticket("My plastic melted").pk, topic=world.card)
    versions.train_file(Labelled(("one word", "another"), ("refund", "card")), precision=0.9)
    assert TriageLabel.objects.count() == 3
    assert TriageModel.objects.filter(live=True).values_list("texts", flat=True).get() == 3


# --- Commands ---------------------------------------------------------------------------------------------------------


def run(*words: Any) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    given = labelled()
    path = tmp_path / "tickets.csv"
    lines = [f'"{text}",{label}' for text, label in zip(given.texts, given.labels, strict=True)]
    path.write_text("\n".join(["text,category", *lines]), encoding="utf-8-sig")
    return path


def test_training_and_evaluating_a_file(world: World, file: Path, tmp_path: Path) -> None:
    said = run("train_triage", file, "--precision", "0.9", "--report")
    assert "80 texts, 2 labels" in said
    assert "Version 1 is live" in said
    unseen = tmp_path / "unseen.csv"
    unseen.write_text("Topic;Text\nrefund;money back now\ncard;a lost card\nfees;what a fee\n;no label\n")
    found = json.loads(run("evaluate_triage", unseen, "--json"))
    assert (found["version"], found["texts"], found["left_out"]) == (1, 3, 1)
    assert (found["unknown_labels"], found["unknown_texts"]) == (["fees"], 1)
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["per_label"]["fees"]["recall"] == 0.0
    assert "accuracy" in run("evaluate_triage", unseen)
    nested = json.loads(run("train_triage", file, "--nested", "--json", "--precision", "0.9"))
    assert nested["accuracy"] == 1.0
    assert TriageModel.objects.count() == 1


def strange_file(folder: Path) -> Path:
    path = folder / "strange.csv"
    given = labelled()
    lines = [f'"{text}",no-{label}' for text, label in zip(given.texts, given.labels, strict=True)]
    path.write_text("\n".join(["text,category", *lines]))
    return path


def test_a_file_without_a_topic_of_ours_leaves_the_live_model(
    world: World, live: TriageModel, tmp_path: Path
) -> None:
    path = strange_file(tmp_path)
    learned_from = list(TriageLabel.objects.order_by("pk").values_list("text", "label"))
    said = run("train_triage", path, "--precision", "0.9", "--report")
    assert "80 texts, 2 labels" in said
    assert "Version 2 is stored and not live" in said
    assert "None of the 2 labels is a topic here" in said
    assert TriageModel.objects.get(live=True) == live
    assert list(TriageLabel.objects.order_by("pk").values_list("text", "label")) == learned_from
    # The live one knows no such label, so that one is judged; of a file of our topics the live one.
    found = json.loads(run("evaluate_triage", path, "--json"))
    assert (found["version"], found["texts"], found["accuracy"]) == (2, 80, 1.0)
    ours = tmp_path / "ours.csv"
    ours.write_text("text,topic\nmoney back now,refund\n")
    assert json.loads(run("evaluate_triage", ours, "--json"))["version"] == 1
    assert json.loads(run("evaluate_triage", path, "--json", "--version-number", "1"))["accuracy"] == 0.0
    with pytest.raises(CommandError, match="no such model"):
        run("evaluate_triage", path, "--version-number", "9")

    said = run("train_triage", path, "--precision", "0.9", "--anyway")
    assert "Version 3 is live" in said
    assert "2 of 2 labels are no topic here: no-card, no-refund." in said
    assert TriageModel.objects.get(live=True).version == 3


def test_a_file_with_some_topics_of_ours_says_how_many_are_none(
    world: World, file: Path, tmp_path: Path
) -> None:
    assert "no topic here" not in run("train_triage", file, "--precision", "0.9")
    path = tmp_path / "some.csv"
    path.write_text(file.read_text(encoding="utf-8-sig").replace(",card", ",no-card"))
    said = run("train_triage", path, "--precision", "0.9")
    assert "Version 2 is live" in said
    assert "1 of 2 labels are no topic here: no-card." in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("evaluate_triage", "no-such.csv"), "no such model"),
        (("train_triage", "no-such.csv"), "No such file"),
        (("train_triage", "manage.py"), "no column"),
        (("train_triage", "manage.py", "--precision", "98"), "between 0 and 1"),
    ],
)
def test_what_is_wrong_is_said(world: World, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*words)
    assert not TriageModel.objects.exists()
    assert not TriageLabel.objects.exists()


# --- Admin ------------------------------------------------------------------------------------------------------------


def test_an_admin_sees_versions_and_asks_for_a_training(
    client: Client, world: World, live: TriageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(User.objects.create_superuser("boss@standby.example", "secret"))
    asked: list[bool] = []
    monkeypatch.setattr(tasks.triage_train, "delay", lambda *, anew: asked.append(anew))
    address = "/admin/tickets/triagemodel/"
    assert "trained from a file by a person" in client.get(address).content.decode()
    client.post(address, {"action": "train_anew", "_selected_action": [live.pk]})
    assert asked == [True]
    page = client.get(f"{address}{live.pk}/change/").content.decode()
    assert '<th scope="row">refund</th><td>40</td><td>100.0 %</td>' in page
    labels.corrected(ticket_id=opened("Call +49 171 2345617, Carla").pk, topic=world.refund)
    page = client.get("/admin/tickets/triagelabel/?source__exact=agent").content.decode()
    assert "Call +49 … 17, Carla" in page
    assert "2345617" not in page
