"""A living installation is backed up, restored elsewhere, and is the same; what is damaged or would overwrite is refused."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from config import backup
from tests import ground
from tests.backstage import Backstage
from tests.invariants import broken
from tests.people import Person
from tests.stack import LiveStack, connection, drop_database, run_manage, url_of
from tests.waiting import until

pytestmark = pytest.mark.servers

TRIGGERS = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"


def picture_of() -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (20, 20), "teal").save(sink, "PNG")
    return sink.getvalue()


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def elsewhere(stack: LiveStack, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings of an empty database and folder."""
    name = f"restored_{ground.worker()}"
    drop_database(name)
    with connection(url_of("postgres")) as admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield {**stack.environment, "DATABASE_URL": url_of(name), "MEDIA_ROOT": str(tmp_path / "media")}
    drop_database(name)


def refused(environment: dict[str, str], *words: str) -> str:
    with pytest.raises(AssertionError) as failed:
        run_manage(environment, *words)
    return str(failed.value)


def test_a_living_installation_comes_back_elsewhere(
    stack: LiveStack, backstage: Backstage, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    anna = Person.prepared(stack, "Anna")
    epoch = anna.post("shift/online")["shift"]["epoch"]
    form = {"text": "My card was charged twice", "name": "Carla", "email": "carla@customers.example"}
    picture = {"files": ("receipt.png", picture_of(), "image/png")}
    opened = httpx.post(f"{stack.base_url}/api/v1/tickets", data=form, files=picture, timeout=20)
    assert opened.status_code == 201, opened.text
    until(lambda: bool(anna.client.get("offers").json()["offers"]), "no offer")
    offer = anna.client.get("offers").json()["offers"][0]["offer"]
    anna.post(f"offers/{offer}/accept", epoch=epoch)
    anna.post(f"desk/{opened.json()['id']}/resolve", epoch=epoch)
    media = Path(stack.environment["MEDIA_ROOT"])
    assert len(hashes(media)) >= 1
    assert stack.sql("SELECT count(*) FROM agents_ledgerentry")[0][0] >= 1

    target = tmp_path / "standby.tar"
    told = stack.manage("backup", str(target))
    assert f"{len(hashes(media))} files" in told
    assert target.stat().st_mode & 0o077 == 0
    manifest = backup.verify(target)
    assert run_manage(elsewhere, "restore", str(target)).startswith("restored: ")

    with connection(elsewhere["DATABASE_URL"]) as restored, restored.cursor() as cursor:

        def query(sql: str) -> list[Any]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        assert {name: query(f"SELECT count(*) FROM {name}")[0][0] for name in manifest["rows"]} == manifest[
            "rows"
        ]
        assert manifest["rows"]["tickets_ticket"] >= 1
        assert broken(query) == {}
        triggers = query(TRIGGERS)
        assert triggers == [tuple(row) for row in stack.sql(TRIGGERS)]
        assert triggers
        with pytest.raises(Exception, match=r"ledger|grow"):
            cursor.execute("DELETE FROM agents_ledgerentry")
    assert hashes(Path(elsewhere["MEDIA_ROOT"])) == hashes(media)
    assert "No planned migration operations" in run_manage(elsewhere, "migrate", "--plan")

    # What is there is not lost by mistake, a later version's tables go too, and a file that is not whole changes nothing.
    assert "The database is not empty" in refused(elsewhere, "restore", str(target))
    with connection(elsewhere["DATABASE_URL"]) as restored, restored.cursor() as cursor:
        cursor.execute("CREATE TABLE of_later (ticket bigint REFERENCES tickets_ticket, note text)")
        cursor.execute("INSERT INTO of_later SELECT id, 'later' FROM tickets_ticket")
        cursor.execute("CREATE VIEW of_later_too AS SELECT id FROM tickets_ticket")
    assert run_manage(elsewhere, "restore", str(target), "--replace").startswith("restored: ")
    with connection(elsewhere["DATABASE_URL"]) as restored, restored.cursor() as cursor:
        cursor.execute("SELECT to_regclass('of_later'), to_regclass('of_later_too')")
        assert cursor.fetchone() == (None, None)
        cursor.execute(TRIGGERS)
        assert cursor.fetchall() == triggers
    unreadable(elsewhere, target, tmp_path / "unreadable.tar")
    damaged = tmp_path / "damaged.tar"
    content = bytearray(target.read_bytes())
    content[5000] ^= 1
    damaged.write_bytes(content)
    assert "is damaged" in refused(elsewhere, "restore", str(damaged), "--replace")
    with connection(elsewhere["DATABASE_URL"]) as restored, restored.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tickets_ticket")
        assert cursor.fetchone() == (manifest["rows"]["tickets_ticket"],)


def unreadable(environment: dict[str, str], whole: Path, target: Path) -> None:
    """A dump that begins well and ends badly: the transaction is not committed, and no file is written."""
    with tarfile.open(whole) as source:
        dump = source.extractfile("database.dump")
        assert dump is not None
        half = dump.read()[:-3000]
    manifest = backup.verify(whole)
    archive(target, {"database.dump": half, "media/new.txt": b"x"}, rows=manifest["rows"])
    with connection(environment["DATABASE_URL"]) as restored, restored.cursor() as cursor:
        cursor.execute("CREATE TABLE stays (id int)")
        cursor.execute("SELECT count(*) FROM tickets_ticketevent")
        before = cursor.fetchone()
    assert "pg_restore: error: " in refused(environment, "restore", str(target), "--replace")
    held = {
        **environment,
        "PGOPTIONS": "-c default_transaction_read_only=on",
    }  # psql stops at the first statement
    assert "ERROR:  cannot execute DROP SCHEMA in a read-only transaction" in refused(
        held, "restore", str(whole), "--replace"
    )
    with connection(environment["DATABASE_URL"]) as restored, restored.cursor() as cursor:
        cursor.execute("SELECT count(*), to_regclass('stays') IS NOT NULL FROM tickets_ticketevent")
        assert cursor.fetchone() == (*before, True)
        cursor.execute("DROP TABLE stays")
    assert not (Path(environment["MEDIA_ROOT"]) / "new.txt").exists()


def archive(path: Path, parts: dict[str, bytes], **manifest: Any) -> Path:
    told = {"format": 1, "made_at": "", "migrations": [], "rows": {}, "sha256": {}} | manifest
    told["sha256"] = told["sha256"] or {
        name: hashlib.sha256(part).hexdigest() for name, part in parts.items()
    }
    with tarfile.open(path, "w") as made:
        for name, part in {**parts, "manifest.json": json.dumps(told).encode()}.items():
            backup._add(made, name, part)
    return path


@pytest.mark.parametrize(
    ("parts", "manifest", "says"),
    [
        (
            {"database.dump": b"x"},
            {"sha256": {"database.dump": "0" * 64}},
            "database.dump is not what it was",
        ),
        ({"database.dump": b"x", "media/a": b"y"}, {"sha256": {"database.dump": "0" * 64}}, "other parts"),
        ({"media/../../etc/passwd": b"x"}, {}, "it would write to media/../../etc/passwd"),
        ({"/etc/passwd": b"x"}, {}, "it would write to /etc/passwd"),
        ({"database.dump": b"x"}, {"format": 2}, "format 2"),
    ],
)
def test_an_archive_that_lies_is_refused(
    tmp_path: Path, parts: dict[str, bytes], manifest: dict[str, Any], says: str
) -> None:
    with pytest.raises(backup.ArchiveDamaged, match=says):
        backup.verify(archive(tmp_path / "x.tar", parts, **manifest))


def test_half_a_file_and_no_archive_are_refused(tmp_path: Path) -> None:
    whole = archive(tmp_path / "x.tar", {"database.dump": b"x" * 5000})
    backup.verify(whole)
    half = tmp_path / "half.tar"
    half.write_bytes(whole.read_bytes()[:3000])
    text = tmp_path / "text.tar"
    text.write_text("no archive at all")
    for path in (half, text):
        with pytest.raises(backup.ArchiveDamaged, match="is no backup, or it is damaged"):
            backup.verify(path)


def test_one_of_a_later_version_is_refused(tmp_path: Path) -> None:
    later = archive(tmp_path / "x.tar", {"database.dump": b"x"}, migrations=["dispatch.9999_of_tomorrow"])
    with pytest.raises(backup.FromLater, match=r"dispatch\.9999_of_tomorrow"):
        backup.restore(later, tmp_path / "media")
