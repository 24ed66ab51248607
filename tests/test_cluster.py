"""The process set of production behind its proxy: the main job, a web process that dies, a release, what comes through.

nginx is found or the test fails with a sentence: config/proxy.py, .ci/nginx.
"""

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from config.cluster import Cluster, free_ports, settings_of
from tests import ground
from tests.invariants import broken
from tests.people import Person, open_ticket
from tests.sockets import Socket
from tests.stack import LiveStack, drop_database, fresh_database, redis_of_its_own, run_manage
from tests.waiting import until

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    database = f"cluster_{ground.worker()}"
    (port,) = free_ports(1)
    with redis_of_its_own() as redis_url:
        environment = {
            **settings_of(port, folder / "media", folder / "static"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": fresh_database(database),
            "REDIS_URL": redis_url,
            "REDIS_PREFIX": f"standby-{database}",
        }
        run_manage(environment, "collectstatic", "--no-input", "--verbosity", "0")
        running = Cluster(port, environment, folder, folder / "logs")
        try:
            running.start()
            yield running
        finally:
            running.stop()
            drop_database(database)


@pytest.fixture(scope="module")
def front(cluster: Cluster) -> LiveStack:
    """The cluster as its users see it: through the proxy."""
    environment = dict(cluster.rest.environment)
    return LiveStack(
        cluster.rest, environment["DATABASE_URL"], environment["REDIS_URL"], environment, cluster.rest.logs
    )


@pytest.fixture(scope="module")
def anna(front: LiveStack) -> Iterator[Person]:
    person = Person.prepared(front, "Anna")
    person.post("shift/online")
    over = threading.Event()

    def beat() -> None:
        while not over.wait(4):
            with contextlib.suppress(httpx.HTTPError):
                person.client.post("shift/beat", json={"epoch": 1})

    beating = threading.Thread(target=beat)
    beating.start()
    yield person
    over.set()
    beating.join(30)


def socket_of(front: LiveStack, person: Person) -> Socket:
    socket = Socket(front, "/ws/agent/", headers={"Authorization": f"Token {person.token}"})
    socket.resume()
    socket.next("snapshot")
    return socket


def customers(
    front: LiveStack, opened: dict[str, str], after: int | None = None
) -> tuple[Socket, dict[str, object]]:
    """The customer's socket, and its first frame."""
    socket = Socket(
        front, f"/ws/tickets/{opened['id']}/", headers={"Authorization": f"Ticket {opened['token']}"}
    )
    socket.resume({} if after is None else {f"ticket:{opened['id']}": after})
    return socket, socket.next()


def test_the_main_job_through_the_proxy(front: LiveStack, anna: Person) -> None:
    page = httpx.get(f"{front.base_url}/", timeout=20)
    assert page.status_code == 200
    assert page.headers["X-Request-ID"]
    anna.post("shift/online")
    socket = socket_of(front, anna)
    opened = open_ticket(front, "Is anybody behind this proxy?")
    offer = socket.until("offer.made")["data"]["offer"]
    assert anna.post(f"offers/{offer}/accept", epoch=1)["ticket"] == opened["id"]
    customer, _first = customers(front, opened)
    anna.post(f"desk/{opened['id']}/reply", epoch=1, body="Yes, I am.")
    assert customer.until("message.posted")["data"]["body"] == "Yes, I am."
    anna.post(f"desk/{opened['id']}/resolve", epoch=1)
    customer.until("ticket.resolved")
    customer.close()
    socket.close()
    assert broken(front.sql) == {}


def test_addresses_are_what_the_proxy_sees(front: LiveStack) -> None:
    """Whoever tries passwords cannot look like many by naming other addresses."""

    def tried(source: str, number: int) -> int:
        transport = httpx.HTTPTransport(local_address=source)
        spoofed = {"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"}
        with httpx.Client(
            transport=transport, base_url=front.base_url, headers=spoofed, timeout=20
        ) as client:
            body = {"email": f"nobody{number}@agents.example", "password": "wrong"}
            return client.post("/api/v1/token", json=body).status_code

    statuses = [tried("127.0.0.2", number) for number in range(11)]
    assert 429 not in statuses[:10]
    assert statuses[10] == 429
    assert tried("127.0.0.3", 99) != 429  # another one is another one


def test_wrong_passwords_are_counted_by_address_too(front: LiveStack) -> None:
    """At the page, whose limits are allauth's: one who tries locks out nobody else."""

    def tried(source: str, number: int) -> str:
        transport = httpx.HTTPTransport(local_address=source)
        with httpx.Client(transport=transport, base_url=front.base_url, timeout=20) as client:
            client.get("/accounts/login/")
            body = {
                "login": f"nobody{number}@agents.example",
                "password": "wrong",
                "csrfmiddlewaretoken": client.cookies["csrftoken"],
            }
            answer = client.post("/accounts/login/", data=body)
            assert answer.status_code == 200, answer.text
            return "many" if "Too many failed" in answer.text else "wrong"

    assert [tried("127.0.0.4", number) for number in range(11)] == ["wrong"] * 10 + ["many"]
    assert tried("127.0.0.5", 99) == "wrong"


def test_what_monitors_read_is_inside_only(front: LiveStack, cluster: Cluster) -> None:
    for path in ("/metrics", "/healthz/ready", "/healthz/web"):
        assert httpx.get(front.base_url + path, timeout=20).status_code == 404
    assert httpx.get(f"{front.base_url}/healthz/live", timeout=20).json() == {"status": "ok"}
    inside = cluster.webs["web2"].base_url
    assert "standby_figures_up 1.0" in httpx.get(f"{inside}/metrics", timeout=20).text
    through = httpx.get(f"{inside}/metrics", headers={"X-Forwarded-For": "127.0.0.1"}, timeout=20)
    assert through.status_code == 404
    # All kinds of processes answer, by way of beat, Redis and PostgreSQL.
    until(lambda: httpx.get(f"{inside}/healthz/ready", timeout=20).status_code == 200, "not ready", 60)
    parts = httpx.get(f"{inside}/healthz/ready", timeout=20).json()["parts"]
    assert all(parts[kind]["ok"] for kind in ("matcher", "worker", "simulator", "beat"))


def test_what_is_too_large_is_refused_in_words(front: LiveStack) -> None:
    before = front.sql("SELECT count(*) FROM tickets_ticket")
    answer = httpx.post(
        f"{front.base_url}/api/v1/tickets",
        data={"text": "A large file"},
        files={"files": ("film.png", b"x" * (31 * 1024 * 1024), "image/png")},
        timeout=60,
    )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "too_large"
    assert front.sql("SELECT count(*) FROM tickets_ticket") == before


def test_a_web_process_dies_and_its_clients_go_on_at_the_other(
    front: LiveStack, cluster: Cluster, anna: Person
) -> None:
    opened = open_ticket(front, "Will you still be there?")
    sockets = [customers(front, opened) for _ in range(4)]  # on both, as connections are spread evenly
    numbers = [int(str(first["seq"])) for _socket, first in sockets]
    cluster.webs["web"].kill("web")
    headers = {"Authorization": f"Ticket {opened['token']}"}
    said = httpx.post(
        f"{front.base_url}/api/v1/tickets/{opened['id']}/messages",
        json={"body": "Hello?"},
        headers=headers,
        timeout=20,
    )
    assert said.status_code == 201, said.text
    dead = 0
    for (socket, _first), number in zip(sockets, numbers, strict=True):
        try:
            frame = socket.until("message.posted")
        except ConnectionClosed:
            dead += 1
            again, frame = customers(front, opened, after=number)
            if frame["type"] != "message.posted":
                frame = again.until("message.posted")
            again.close()
        assert frame["data"]["body"] == "Hello?"  # type: ignore[index]
        socket.close()
    assert 0 < dead < 4
    cluster.webs["web"].restart("web")
    cluster.webs["web"].wait("/healthz/web")


def test_a_worker_dies_and_mails_go_out_by_the_other(front: LiveStack, cluster: Cluster) -> None:
    assert {"worker", "worker2"} <= cluster.rest.pids.keys()
    cluster.rest.kill("worker")
    try:
        opened = open_ticket(front, "Do I get the link?", name="Carla", email="carla@customers.example")
        mailed = "SELECT count(link_mailed_at) FROM tickets_ticket WHERE public_id = %s"
        until(lambda: front.sql(mailed, [opened["id"]]) == [(1,)], "no mail", 60)
    finally:
        cluster.rest.restart("worker")


def test_a_release_fails_no_accept_and_closes_sockets_with_1012(
    front: LiveStack, cluster: Cluster, anna: Person
) -> None:
    anna.post("shift/online")  # whom an offer has passed meanwhile is paused
    over = threading.Event()
    accepted: list[str] = []
    failed: list[str] = []

    def careful(client: httpx.Client, path: str, body: dict[str, object]) -> httpx.Response:
        """A command with its key; again where the answer says when."""
        key = {"Idempotency-Key": uuid.uuid4().hex}
        while True:
            answer = client.post(path, json=body, headers=key)
            if answer.status_code != 503:
                return answer
            time.sleep(0.2)

    def work() -> None:
        with httpx.Client(base_url=f"{front.base_url}/api/v1/", timeout=20) as public:
            while not over.is_set() and len(accepted) < 15 and not failed:
                opened = careful(public, "tickets", {"text": "One more while you restart"})
                offers: list[dict[str, int]] = []
                deadline = time.monotonic() + 20
                while not offers and time.monotonic() < deadline:
                    answer = anna.client.get("offers")
                    offers = answer.json()["offers"] if answer.is_success else []
                    time.sleep(0.05)
                taken = careful(anna.client, f"offers/{offers[0]['offer']}/accept", {"epoch": 1})
                if not taken.is_success:
                    failed.append(f"accept {taken.status_code} {taken.text}")
                    return
                accepted.append(taken.json()["ticket"])
                done = careful(anna.client, f"desk/{accepted[-1]}/resolve", {"epoch": 1})
                if not (opened.is_success and done.is_success):
                    failed.append(f"{opened.status_code} {done.status_code} {done.text}")

    codes: list[int] = []
    sockets = [socket_of(front, anna) for _ in range(2)]
    worker = threading.Thread(target=work)
    worker.start()
    try:
        cluster.roll()
        codes = [socket.closed() for socket in sockets]
    finally:
        over.set()
        worker.join(60)
    assert codes == [1012, 1012]
    assert failed == []
    assert accepted
    states = front.sql("SELECT DISTINCT state FROM tickets_ticket WHERE public_id = ANY(%s)", [accepted])
    assert states == [("resolved",)]
    assert broken(front.sql) == {}


def test_no_log_names_anybody(front: LiveStack, cluster: Cluster) -> None:
    """Of all processes, the proxy included; and each line is one object, but for what others print."""
    open_ticket(front, "My name is Quirinus", name="Quirinus Abendroth", email="quirinus@customers.example")
    told = "".join(path.read_text(errors="replace") for path in Path(cluster.rest.logs).glob("*.log"))
    assert [word for word in ("Quirinus", "Abendroth", "quirinus@", "203.0.113.") if word in told] == []
    lines = [json.loads(line) for line in front.log("web").splitlines() if line.startswith("{")]
    assert {"request", "route", "status"} <= set().union(*(set(line) for line in lines))
