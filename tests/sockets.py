"""A websocket client for the tests, and a reader that keeps a state by applying events to it, as a page does."""

import json
import time
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.stack import LiveStack

Frame = dict[str, Any]
SECONDS = 30.0  # to wait at most for what has to come; no target, as everywhere
QUIET = 0.6  # seconds in which nothing may come
ENDS = (
    "offer.declined",
    "offer.expired",
    "offer.rescinded",
    "offer.revoked",
    "offer.cancelled",
    "offer.accepted",
)


class Socket:
    """One connection. `origin` is that of the stack unless another is given; None sends none."""

    def __init__(
        self,
        stack: LiveStack,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        cookie: str = "",
        **more: Any,
    ) -> None:
        headers = (headers or {}) | ({"Cookie": cookie} if cookie else {})
        more.setdefault("origin", stack.base_url)
        self.opened = connect(
            stack.socket_url + path, additional_headers=headers, max_size=None, open_timeout=SECONDS, **more
        )
        self.connection = self.opened.__enter__()

    def raw(self, frame: str | bytes) -> None:
        self.connection.send(frame)

    def resume(self, after: dict[str, int] | None = None) -> None:
        self.raw(json.dumps({"type": "resume", "after": after or {}}))

    def beat(self, epoch: int | None = None) -> None:
        self.raw(json.dumps({"type": "beat"} | ({} if epoch is None else {"epoch": epoch})))

    def next(self, kind: str | None = None) -> Frame:
        """The next frame, which must be of this type."""
        frame: Frame = json.loads(self.connection.recv(timeout=SECONDS))
        assert kind is None or frame["type"] == kind, frame
        return frame

    def until(self, kind: str) -> Frame:
        """The next frame of this type; others before it are passed over."""
        while (frame := self.next())["type"] != kind:
            pass
        return frame

    def quiet(self) -> None:
        """Nothing comes."""
        try:
            frame = self.connection.recv(timeout=QUIET)
        except TimeoutError:
            return
        raise AssertionError(f"nothing should have come: {frame!r}")

    def drain(self) -> None:
        """Read what is there."""
        try:
            while True:
                self.connection.recv(timeout=0)
        except TimeoutError:
            return

    def closed(self, seconds: float = SECONDS) -> int:
        """The code with which the server closes."""
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                self.connection.recv(timeout=seconds)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
        raise AssertionError("the server does not close")

    def close(self) -> None:
        self.opened.__exit__(None, None, None)

    def apply_until(self, numbers: dict[str, int], agent: Frame, tickets: dict[str, Frame]) -> None:
        """Apply frames to the states until each stream is at its number."""
        deadline = time.monotonic() + SECONDS

        def behind() -> bool:
            return any(
                (agent if stream == agent["stream"] else tickets.get(stream, {"seq": 0}))["seq"] < seq
                for stream, seq in numbers.items()
            )

        while behind():
            assert time.monotonic() < deadline, (numbers, agent, tickets)
            frame = self.next()
            if frame["type"] == "heartbeat":
                continue
            if frame["stream"] == agent["stream"]:
                apply_to_agent(agent, tickets, frame)
            elif frame["type"] == "snapshot":
                tickets[frame["stream"]] = state_of_ticket(frame)
            elif frame["stream"] in tickets:
                apply_to_ticket(tickets[frame["stream"]], frame)


def state_of_agent(frame: Frame) -> Frame:
    """What a page keeps of an agent's snapshot; the seconds left change with each look."""
    offers = [without_seconds(card) for card in frame["data"]["offers"]]
    shift = frame["data"]["shift"]
    if shift is not None:
        shift = {name: shift[name] for name in ("epoch", "state", "reason", "lost")}
    return {
        "stream": frame["stream"],
        "seq": frame["seq"],
        "shift": shift,
        "offers": offers,
        "tickets": frame["data"]["tickets"],
        "silent": frame["data"]["silent"],
        "wrap_ups": {one["ticket"]: one["until"] for one in frame["data"]["wrap_ups"]},
    }


def without_seconds(card: Frame) -> Frame:
    return {name: value for name, value in card.items() if name != "seconds_left"}


def apply_to_agent(agent: Frame, tickets: dict[str, Frame], frame: Frame) -> None:
    kind, data = frame["type"], frame["data"]
    assert frame["seq"] == agent["seq"] + 1, "numbers of an agent's stream leave none out"
    agent["seq"] = frame["seq"]
    if kind == "shift.changed":
        agent["shift"] = None if data["state"] == "ended" else data
    elif kind == "offer.made":
        agent["offers"].append(without_seconds(data))
    elif kind in ENDS:
        agent["offers"] = [card for card in agent["offers"] if card["offer"] != data["offer"]]
        if kind == "offer.accepted":
            agent["tickets"].append(data["ticket"])
    elif kind in ("offer.completed", "offer.released"):
        agent["tickets"].remove(data["ticket"])
        agent["silent"] = [ticket for ticket in agent["silent"] if ticket != data["ticket"]]
        if data.get("wrap_up_until"):
            agent["wrap_ups"][data["ticket"]] = data["wrap_up_until"]
        else:
            tickets.pop(f"ticket:{data['ticket']}", None)
    elif kind == "wrap_up.ended":
        del agent["wrap_ups"][data["ticket"]]
        tickets.pop(f"ticket:{data['ticket']}", None)
    elif kind == "attention.changed":
        agent["silent"] = [ticket for ticket in agent["silent"] if ticket != data["ticket"]]
        if data["silent"]:
            agent["silent"].append(data["ticket"])


def state_of_ticket(frame: Frame) -> Frame:
    return {"stream": frame["stream"], "seq": frame["seq"]} | frame["data"]


WAITING = {"place": None, "expected_seconds": None, "nobody_online": False}


def apply_to_ticket(ticket: Frame, frame: Frame) -> None:
    kind, data = frame["type"], frame["data"]
    ticket["seq"] = frame["seq"]
    match kind:
        case "message.posted" | "note.added":
            message = {"seq": frame["seq"], "internal": kind == "note.added"} | data
            ticket["messages"] = [*ticket["messages"], message | {"at": _written_at(ticket, frame)}]
        case "ticket.human_requested":
            ticket["human_requested"] = True
        case "ticket.held":
            ticket |= {"state": "held", "agent_name": data["agent_name"]} | WAITING
        case "ticket.released" | "ticket.reopened" | "ticket.restored":
            ticket |= {"state": "waiting", "agent_name": None, "wakes_at": None, "ended_as": None}
        case "ticket.resolved":
            ticket |= {"state": "resolved", "agent_name": None, "wakes_at": None}
        case "ticket.closed" | "ticket.erased":
            ticket |= {"state": "closed", "agent_name": None, "wakes_at": None} | WAITING
        case "ticket.ended":
            ticket |= {"state": "closed", "agent_name": None, "wakes_at": None, "ended_as": data["kind"]}
        case "ticket.merged":
            ticket |= {
                "state": "closed",
                "agent_name": None,
                "wakes_at": None,
                "ended_as": "merged",
            } | WAITING
        case "ticket.snoozed":
            ticket["wakes_at"] = data["until"]
        case "ticket.left_asleep":
            ticket |= {"state": "asleep", "agent_name": None, "wakes_at": data["until"]}
        case "ticket.woke":
            ticket |= {
                "wakes_at": None,
                "state": "waiting" if ticket["state"] == "asleep" else ticket["state"],
            }
        case "ticket.placed":
            ticket |= {"place": data["place"], "expected_seconds": data["expected_seconds"]}
        case "ticket.flagged":
            ticket["nobody_online"] = True
        case "ticket.unflagged":
            ticket["nobody_online"] = False
        case "ticket.answer_promised":
            ticket["answer_due_at"] = data["due_at"]
        case "ticket.answer_kept":
            ticket["answer_due_at"] = None


def _written_at(ticket: Frame, frame: Frame) -> str:
    return str(frame["at"])
