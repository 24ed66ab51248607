"""Our own PostgreSQL and Redis: start, attach, stop, and nothing left behind however the owner ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from config import embedded
from config.embedded.home import Record
from config.embedded.processes import Identity
from config.stack import PROJECT
from tests import ground
from tests.config.owners import gone, other, outside_environment
from tests.waiting import until

OWNER = """
import os, sys
from pathlib import Path
from config import embedded
with embedded.running(Path(os.environ["STANDBY_HOME"]), durable=False) as servers:
    print(servers.owned, *servers.pids.values())
    sys.stdin.read()
"""
# The same where the kernel does not end children with their parent.
OWNER_ELSEWHERE = "from config.embedded import processes; processes._libc = None" + OWNER
# It waits in turns: of a signal that comes when a read is just about to begin, Python hears when the read is over.
COMMAND = """
import os, select, sys
from config.embedded import servers_for_command
with servers_for_command(["manage.py", *sys.argv[1:], "migrate"]):
    print(os.environ["DATABASE_URL"])
    while not select.select([sys.stdin], [], [], 0.2)[0]:
        pass
"""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = ground.new_home()
    yield folder
    embedded.reset(folder)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def rows(servers: embedded.Servers, statement: str) -> list[tuple[object, ...]]:
    with psycopg2.connect(servers.database_url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        found = list(cursor.fetchall()) if cursor.description else []
    connection.close()
    return found


def test_starts_both_and_stops_both(home: Path) -> None:
    with embedded.running(home, durable=False) as servers:
        assert servers.owned
        assert rows(servers, "SHOW server_encoding") == [("UTF8",)]
        assert rows(servers, "SHOW timezone") == [("UTC",)]
        assert rows(servers, "SHOW listen_addresses") == [("",)]
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.ping()
        pids, sockets = servers.pids, servers.sockets
        assert set(pids) == {"postgres", "redis"}
        assert sockets.stat().st_mode & 0o777 == 0o700
        family = [child.pid for child in psutil.Process(pids["postgres"]).children(recursive=True)]
        assert family
    assert all(gone(pid) for pid in (*pids.values(), *family))
    assert not sockets.exists()
    assert not (home / "servers.json").exists()


def test_data_survive_a_restart_and_are_safe_unless_told_otherwise(home: Path) -> None:
    with embedded.running(home) as servers:
        assert rows(servers, "SHOW fsync") == [("on",)]
        rows(servers, "CREATE TABLE kept AS SELECT 42 AS answer")
        key = servers.environment()["SECRET_KEY"]
    with embedded.running(home, durable=False) as servers:
        assert rows(servers, "SHOW fsync") == [("off",)]
        assert rows(servers, "SELECT answer FROM kept") == [(42,)]
        assert servers.environment()["SECRET_KEY"] == key
    assert (home / "secret-key").stat().st_mode & 0o777 == 0o600


def test_postgres_never_runs_as_root(home: Path) -> None:
    with embedded.running(home, durable=False) as servers:
        assert psutil.Process(servers.pids["postgres"]).uids().effective != 0


def test_two_homes_side_by_side(home: Path) -> None:
    second = ground.new_home()
    with embedded.running(home, durable=False) as one, embedded.running(second, durable=False) as two:
        rows(one, "CREATE TABLE mine AS SELECT 1")
        assert rows(two, "SELECT count(*) FROM pg_tables WHERE tablename = 'mine'") == [(0,)]
        assert not set(one.pids.values()) & set(two.pids.values())
        ours = two
    ground.end(ours)
    assert not second.exists()


def test_the_second_attaches_and_leaves_the_servers_alone(home: Path) -> None:
    with other(home, OWNER) as owner:
        owned, *pids = owner.line().split()
        assert owned == "True"
        with embedded.running(home) as attached:
            assert not attached.owned
            assert sorted(map(str, attached.pids.values())) == sorted(pids)
            assert rows(attached, "SELECT 1") == [(1,)]
            assert f"process {owner.process.pid}" in attached.describe()
        with embedded.running(home) as again:  # still there
            assert rows(again, "SELECT 1") == [(1,)]
        with pytest.raises(embedded.Busy, match=f"process {owner.process.pid}"):
            embedded.start(home, attach=False)
        with pytest.raises(embedded.Busy, match=f"process {owner.process.pid}"):
            embedded.reset(home)
        owner.let_go()
    assert all(gone(int(pid)) for pid in pids)


def test_one_of_many_that_come_at_once_starts_the_servers(home: Path) -> None:
    with other(home, OWNER) as first, other(home, OWNER) as second:
        lines = [first.line().split(), second.line().split()]
        assert sorted(line[0] for line in lines) == ["False", "True"]
        assert lines[0][1:] == lines[1][1:]
        attached, owner = sorted(
            (first, second), key=lambda one: lines[(first, second).index(one)][0] == "True"
        )
        attached.let_go()
        owner.let_go()


def test_servers_die_with_their_killed_owner(home: Path) -> None:
    with other(home, OWNER) as owner:
        pids = [int(pid) for pid in owner.line().split()[1:]]
        owner.kill()
        until(lambda: all(gone(pid) for pid in pids), "servers end with their owner")
    with embedded.running(home, durable=False) as servers:  # and the next start finds all in order
        assert servers.owned
        assert rows(servers, "SELECT 1") == [(1,)]


def test_servers_left_behind_are_stopped_by_the_next_start(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with other(home, OWNER_ELSEWHERE) as owner:
        pids = [int(pid) for pid in owner.line().split()[1:]]
        record = embedded.Home(home).record()
        assert record is not None
        owner.kill()
    assert not any(gone(pid) for pid in pids)
    with embedded.running(home, durable=False) as servers:
        assert servers.owned
        assert all(gone(pid) for pid in pids)
        assert rows(servers, "SELECT 1") == [(1,)]
        assert not Path(record.sockets).exists()
    told = capsys.readouterr().err
    assert "stopped a PostgreSQL left behind" in told
    assert "stopped a Redis left behind" in told


def test_a_process_that_only_has_the_id_is_not_touched(home: Path) -> None:
    bystander = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    try:
        truth = Identity.of(bystander.pid)
        stranger = replace(truth, started=truth.started - 3600)
        folder = embedded.Home(home)
        folder.prepare()
        folder.write_record(
            Record(
                owner=stranger,
                command="x",
                sockets="/nonexistent",
                postgres=stranger,
                redis=stranger,
                ready=True,
            )
        )
        embedded.reset(home)
        assert bystander.poll() is None
    finally:
        bystander.communicate()


def test_reset_deletes_what_is_ours_and_nothing_else(home: Path) -> None:
    with embedded.running(home, durable=False) as servers:
        rows(servers, "CREATE TABLE mine AS SELECT 1")
        data = servers.data
    foreign = home / "holiday.jpg"
    foreign.write_text("not ours")
    embedded.reset(home)
    assert not data.exists()
    assert sorted(path.name for path in home.iterdir()) == ["holiday.jpg", "servers.lock"]


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can make a folder that PostgreSQL's user cannot reach"
)
def test_root_may_keep_the_home_where_only_root_can_enter(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    with embedded.running(closed / "home", durable=False) as servers:
        rows(servers, "CREATE TABLE kept AS SELECT 42 AS answer")
        data = servers.data
        assert data.parent == Path("/var/lib/standby")
        assert str(data) in servers.describe()
        assert data.stat().st_mode & 0o777 == 0o700
    with embedded.running(closed / "home", durable=False) as servers:
        assert rows(servers, "SELECT answer FROM kept") == [(42,)]
    embedded.reset(closed / "home")
    assert not data.exists()
    (closed / "home" / "servers.lock").unlink()
    (closed / "home").rmdir()
    closed.rmdir()


def test_a_command_says_what_runs_and_ends_tidily_on_sigterm(home: Path) -> None:
    with other(home, COMMAND) as command:
        assert command.line().startswith("postgres://standby@/standby?host=/")
        record = embedded.Home(home).record()
        assert record is not None
        assert record.ready
        assert command.kill(signal.SIGTERM) == 143
        assert command.process.stderr is not None
        told = command.process.stderr.read()
    assert told.startswith("standby: PostgreSQL and Redis started for this command, data in ")
    assert str(home) in told
    assert record.postgres is not None
    assert gone(record.postgres.pid)
    assert not (home / "servers.json").exists()


def test_a_command_that_started_the_servers_waits_for_those_who_attached(home: Path) -> None:
    with other(home, COMMAND) as command:
        address = command.line()
        with other(home, COMMAND) as attached:
            assert attached.line() == address
            command.close()
            assert command.process.stderr is not None
            told = [command.process.stderr.readline() for _ in range(2)]
            assert "waiting for them to end" in told[1]
            connection = psycopg2.connect(address)  # the attached one still has its servers
            connection.close()
            _, said = attached.let_go()
            assert "already running" in said
        assert command.process.wait(60) == 0


def test_given_addresses_are_used_and_nothing_is_started(home: Path) -> None:
    with other(
        home, COMMAND, DATABASE_URL="postgres://elsewhere/x", REDIS_URL="redis://elsewhere"
    ) as command:
        assert command.line() == "postgres://elsewhere/x"
        _, told = command.let_go()
    assert told == ""
    assert list(home.iterdir()) == []


def test_half_given_addresses_are_refused(home: Path) -> None:
    with other(home, COMMAND, DATABASE_URL="postgres://elsewhere/x") as command:
        _, told = command.let_go()
        assert command.process.returncode == 1
    assert told == (
        "standby: DATABASE_URL is set but REDIS_URL is not: set both, or none for a trial with own servers\n"
    )
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("words", [["help"], ["version"], ["migrate", "--help"]])
def test_help_needs_no_servers(home: Path, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=outside_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(home.iterdir()) == []
