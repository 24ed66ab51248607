"""/api/v1/shift: online, pause, finish, offline, beat; keys, epochs and bad input."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import AgentStatus, Lease, Shift
from dispatch.models import FeedEvent
from tests.callers import Caller, agent_of, problem
from tests.cast import World
from tests.untouched import nothing_changed

pytestmark = pytest.mark.django_db

ONLINE = {"epoch": 1, "state": "online", "reason": "", "lost": False, "units": 100, "units_taken": 0}
COMMANDS = ("pause", "finish", "offline", "beat")


@pytest.fixture
def anna(world: World) -> Caller:
    return agent_of(world.agent("Anna"))


def test_a_shift_from_online_to_offline(anna: Caller) -> None:
    assert anna.ask("shift").json() == {"shift": None}
    assert anna.tell("shift/online").json() == {"shift": ONLINE}
    assert anna.tell("shift/online").json() == {"shift": ONLINE}  # a second tab
    paused = anna.tell("shift/pause", {"epoch": 1, "reason": "lunch"}).json()
    assert paused == {"shift": {**ONLINE, "state": "paused", "reason": "lunch"}}
    assert anna.ask("shift").json() == paused
    assert anna.tell("shift/online").json() == {"shift": ONLINE}
    assert anna.tell("shift/finish", {"epoch": 1}).json() == {"shift": {**ONLINE, "state": "finishing"}}
    assert anna.tell("shift/offline", {"epoch": 1}).json() == {"shift": None}
    assert anna.tell("shift/online").json() == {"shift": {**ONLINE, "epoch": 2}}


def test_a_beat_renews_the_lease_and_nothing_else(anna: Caller) -> None:
    anna.tell("shift/online")
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    events = FeedEvent.objects.count()
    assert anna.tell("shift/beat", {"epoch": 1}).json() == {"shift": ONLINE}
    assert Lease.objects.get().expires_at > timezone.now() + timedelta(seconds=10)
    assert FeedEvent.objects.count() == events


@pytest.mark.parametrize("command", COMMANDS)
class TestTheEpoch:
    def test_before_the_first_shift(self, anna: Caller, command: str) -> None:
        with nothing_changed():
            code = "shift_ended" if command == "beat" else "not_online"
            problem(anna.tell(f"shift/{command}", {"epoch": 1}), 409, code)

    def test_of_a_shift_that_is_over(self, anna: Caller, command: str) -> None:
        anna.tell("shift/online")
        anna.tell("shift/offline", {"epoch": 1})
        with nothing_changed():
            problem(anna.tell(f"shift/{command}", {"epoch": 1}), 409, "shift_ended")
        anna.tell("shift/online")
        with nothing_changed():
            problem(anna.tell(f"shift/{command}", {"epoch": 1}), 409, "shift_ended")
            problem(anna.tell(f"shift/{command}", {"epoch": 3}), 409, "shift_ended")

    @pytest.mark.parametrize("epoch", ["1", "x", None, 1.0, True, [1], -1, 2**31, 10**30])
    def test_of_a_wrong_type(self, anna: Caller, command: str, epoch: object) -> None:
        anna.tell("shift/online")
        with nothing_changed():
            answer = problem(anna.tell(f"shift/{command}", {"epoch": epoch}), 400, "invalid")
        assert list(answer["errors"]) == ["epoch"]

    def test_missing(self, anna: Caller, command: str) -> None:
        anna.tell("shift/online")
        with nothing_changed():
            problem(anna.tell(f"shift/{command}"), 400, "invalid")
            problem(anna.tell(f"shift/{command}", [1]), 400, "invalid")
            problem(anna.send(f"shift/{command}", b"\xff"), 400, "parse_error")


@pytest.mark.parametrize(
    ("reason", "status", "code"),
    [
        (5, 400, "invalid"),
        ("\x00", 422, "bad_text"),
        ("\ud800", 422, "bad_text"),
        ("x" * 8001, 422, "message_too_long"),
    ],
)
def test_a_wrong_reason(anna: Caller, reason: object, status: int, code: str) -> None:
    anna.tell("shift/online")
    with nothing_changed():
        body = json.dumps({"epoch": 1, "reason": reason}).encode()
        problem(anna.send("shift/pause", body), status, code)


def test_a_long_reason_is_cut(anna: Caller) -> None:
    anna.tell("shift/online")
    paused = anna.tell("shift/pause", {"epoch": 1, "reason": "r" * 50}).json()
    assert paused["shift"]["reason"] == "r" * 40


@pytest.mark.parametrize("status", [AgentStatus.APPLIED, AgentStatus.SUSPENDED])
def test_who_is_not_admitted_stays_offline(world: World, status: AgentStatus) -> None:
    anna = world.agent("Anna")
    anna.status = status
    anna.save()
    caller = agent_of(anna)
    with nothing_changed():
        problem(caller.tell("shift/online"), 403, "not_admitted")


class TestTheSameKey:
    @pytest.mark.parametrize("command", ["online", "pause", "finish", "offline", "beat"])
    def test_is_done_once_and_answers_the_same(self, anna: Caller, command: str) -> None:
        body = None
        if command != "online":
            anna.tell("shift/online")
            body = {"epoch": 1}
        first = anna.tell(f"shift/{command}", body, key="a-key")
        events = FeedEvent.objects.count()
        again = anna.tell(f"shift/{command}", body, key="a-key")
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json() == again.json()
        assert (FeedEvent.objects.count(), Shift.objects.count()) == (events, 1)
        with nothing_changed():
            problem(anna.tell(f"shift/{command}", body, key="k" * 101), 400, "idempotency_key_invalid")

    def test_for_something_else_is_refused(self, anna: Caller) -> None:
        anna.tell("shift/online", key="a-key")
        with nothing_changed():
            for command in ("pause", "finish", "offline"):
                problem(
                    anna.tell(f"shift/{command}", {"epoch": 1}, key="a-key"), 422, "idempotency_key_reused"
                )
        anna.tell("shift/pause", {"epoch": 1, "reason": "lunch"}, key="b-key")
        with nothing_changed():
            answer = anna.tell("shift/pause", {"epoch": 1, "reason": "dinner"}, key="b-key")
            problem(answer, 422, "idempotency_key_reused")

    def test_of_another_agent_is_free(self, world: World, anna: Caller) -> None:
        bernd = agent_of(world.agent("Bernd"))
        assert anna.tell("shift/online", key="a-key").status_code == 200
        assert bernd.tell("shift/online", key="a-key").status_code == 200
        assert Shift.objects.count() == 2

    def test_of_a_shift_that_is_over(self, anna: Caller) -> None:
        anna.tell("shift/online", key="a-key")
        anna.tell("shift/offline", {"epoch": 1})
        with nothing_changed():
            problem(anna.tell("shift/online", key="a-key"), 409, "shift_ended")
