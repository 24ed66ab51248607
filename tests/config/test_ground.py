"""What tests stand on: databases of their own, made fast, and Redis numbers that do not meet."""

import os

import pytest

from tests import ground
from tests.stack import connection, drop_database, fresh_database


def tables(address: str) -> list[str]:
    with connection(address) as opened, opened.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def test_a_fresh_database_is_migrated_empty_and_alone() -> None:
    names = [f"ground_{ground.worker()}_{number}" for number in (1, 2)]
    one, two = map(fresh_database, names)
    try:
        assert "django_migrations" in tables(one)
        with connection(one) as opened, opened.cursor() as cursor:
            cursor.execute("CREATE TABLE mine ()")
        assert "mine" in tables(one)
        assert "mine" not in tables(two)
        assert "mine" not in tables(fresh_database(names[0]))  # made anew under the same name
    finally:
        for name in names:
            drop_database(name)


@pytest.mark.parametrize(("worker", "number"), [(None, 0), ("gw0", 1), ("gw7", 8)])
def test_each_worker_has_a_redis_number(
    monkeypatch: pytest.MonkeyPatch, worker: str | None, number: int
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    if worker is not None:
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    assert ground.worker_number() == number
    assert ground.redis_url(number).endswith(f"?db={number}")
    assert os.environ["REDIS_PREFIX"].startswith("standby-")


def test_no_two_stacks_share_a_redis_number(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    for worker in ("main", *(f"gw{n}" for n in range(8))):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        ours: set[int] = set()
        for _ in range(3):
            ours.add(ground.stack_number(ours))
        given += ours
    assert len(set(given)) == 27
    assert (min(given), max(given)) == (32, 58)
