"""Redis only rings the bell: killed and emptied, nothing is lost, and the main job goes on by HTTP meanwhile."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from redis import Redis

from config.embedded import redis as embedded_redis
from tests.invariants import broken
from tests.people import Person, open_ticket
from tests.sockets import Socket
from tests.stack import LiveStack, live_stack
from tests.waiting import until

pytestmark = pytest.mark.servers


class OwnRedis:
    """A Redis that a test may kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: Any = None

    def start(self) -> None:
        self.process = embedded_redis.start(self.folder, self.folder / "redis.log")
        embedded_redis.wait(self.process, self.folder, self.folder / "redis.log")

    def kill(self) -> None:
        psutil.Process(self.process.pid).kill()
        self.process.wait(10)

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/redis.sock"


@pytest.fixture(scope="module")
def redis() -> Iterator[OwnRedis]:
    with tempfile.TemporaryDirectory(prefix="standby-r-") as folder:
        server = OwnRedis(Path(folder))
        server.start()
        yield server
        server.kill()


@pytest.fixture(scope="module")
def shaky(redis: OwnRedis) -> Iterator[LiveStack]:
    with live_stack("redis", settings={"REDIS_URL": redis.url}) as started:
        yield started


def test_the_main_job_goes_on_while_redis_is_away(shaky: LiveStack, redis: OwnRedis) -> None:
    anna = Person.prepared(shaky, "Anna")
    anna.post("shift/online")
    redis.kill()
    statuses: list[int] = []

    def ask(method: Callable[..., httpx.Response], path: str, **more: Any) -> httpx.Response:
        answer = method(path, **more)
        statuses.append(answer.status_code)
        return answer

    with httpx.Client(base_url=f"{shaky.base_url}/api/v1/", timeout=20) as public:
        ticket = ask(public.post, "tickets", json={"text": "Is anybody there without the bell?"}).json()
        # Nobody can ask the worker, so whoever opened the ticket has matched it.
        offers = ask(anna.client.get, "offers").json()["offers"]
        assert len(offers) == 1
        accepted = ask(anna.client.post, f"offers/{offers[0]['offer']}/accept", json={"epoch": 1})
        assert accepted.json()["ticket"] == ticket["id"]
        ask(anna.client.post, f"desk/{ticket['id']}/reply", json={"epoch": 1, "body": "Yes, I am."})
        mine = {"Authorization": f"Ticket {ticket['token']}"}
        ask(public.post, f"tickets/{ticket['id']}/messages", json={"body": "Good."}, headers=mine)
        ask(anna.client.post, "shift/beat", json={"epoch": 1})
        ask(anna.client.post, f"desk/{ticket['id']}/resolve", json={"epoch": 1})
    assert [status for status in statuses if status >= 500] == []
    assert statuses == [201, 200, 200, 201, 201, 200, 200]
    assert broken(shaky.sql) == {}

    redis.start()  # empty
    after = open_ticket(shaky, "And with it again?")
    until(lambda: bool(anna.client.get("offers").json()["offers"]), "no offer after Redis came back")
    offer = anna.client.get("offers").json()["offers"][0]["offer"]
    assert anna.post(f"offers/{offer}/accept", epoch=1)["ticket"] == after["id"]
    assert broken(shaky.sql) == {}


@pytest.mark.parametrize("kind", ["normal", "pubsub"])
def test_a_connection_that_redis_has_closed_is_no_matter(
    shaky: LiveStack, redis: OwnRedis, kind: str
) -> None:
    """By its own timeout, or by a proxy between: the next socket opens, and those that are open hear the bell again."""
    anna = Person.prepared(shaky, kind.title())
    headers = {"Authorization": f"Token {anna.token}"}

    def lost(kind: str) -> int:
        with Redis.from_url(redis.url) as admin:
            return int(admin.client_kill_filter(_type=kind, skipme=True))

    Socket(shaky, "/ws/agent/", headers=headers).close()
    time.sleep(0.5)  # now the web process listens to nothing, and its connection counts as a normal one
    assert lost(kind) >= (kind == "normal")
    socket = Socket(shaky, "/ws/agent/", headers=headers)
    socket.resume()
    socket.next("snapshot")
    assert lost("pubsub") >= 1
    time.sleep(1.5)
    anna.post("shift/online")
    socket.until("shift.changed")  # no beat was sent, so the bell has told it
    socket.close()
    anna.post("shift/offline", epoch=1)
