"""The audit chain: whatever was changed past the triggers is found and named, and erasing somebody leaves it whole."""

import io
import threading
from collections.abc import Callable
from importlib import import_module

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from agents.models import Skill, User
from config import doctor
from dispatch import audit, leading
from dispatch.models import AuditLink, Change, LeadAction
from tests.cast import World
from tickets.erasing import ticket_erase
from tickets.models import Topic

pytestmark = pytest.mark.django_db


def sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def committed() -> None:
    """What the commit would do."""
    sql("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED")


def past_triggers(*statements: str) -> None:
    """As somebody who may switch them off."""
    committed()
    sql(
        "SET LOCAL session_replication_role = replica",
        *statements,
        "SET LOCAL session_replication_role = origin",
    )


@pytest.fixture
def chain(world: World) -> list[AuditLink]:
    """Three changes of a topic, after all that it takes to have one."""
    for priority in (1, 2, 1):
        Topic.objects.filter(pk=world.refund.pk).update(priority=priority)
    committed()
    return list(AuditLink.objects.order_by("number"))


def test_each_row_has_its_entry_in_order(chain: list[AuditLink]) -> None:
    changes = list(Change.objects.order_by("pk").values_list("pk", flat=True))
    assert [(one.number, one.table, one.row, one.act) for one in chain] == [
        (number, "dispatch_change", pk, "added") for number, pk in enumerate(changes, start=1)
    ]
    assert len({one.hash for one in chain}) == len(chain)
    found = audit.verify()
    assert (found.entries, found.since, found.head, found.broken) == (
        len(chain), chain[0].at, f"{len(chain)}:{chain[-1].hash}", "",
    )  # fmt: skip
    out = io.StringIO()
    call_command("verify_audit", "--kept", f"2:{chain[1].hash}", stdout=out)
    assert out.getvalue().startswith(
        f"{len(chain)} entries, unbroken since {chain[0].at:%Y-%m-%d %H:%M:%S} UTC.\n"
    )
    assert f"Head: {len(chain)}:{chain[-1].hash}\n" in out.getvalue()


FOLLOWS_NOT = "does not follow from the one before it: one of the two was changed or is missing."
BREAKS = [
    ("UPDATE dispatch_change SET new = '{{\"priority\": 9}}' WHERE id = {row}",
     "Entry {n}: dispatch_change {row} is not what it was when it was written."),
    ("UPDATE dispatch_change SET at = at - interval '1 day' WHERE id = {row}",
     "Entry {n}: dispatch_change {row} is not what it was when it was written."),
    ("DELETE FROM dispatch_change WHERE id = {row}",
     "Entry {n}: its row of dispatch_change is gone, and nobody was erased."),
    ("DELETE FROM dispatch_auditlink WHERE number = {n}",
     "Entry {after} (dispatch_change {next}) {broken}"),
    ("UPDATE dispatch_auditlink SET digest = repeat('0', 64) WHERE number = {n}",
     "Entry {n} (dispatch_change {row}) {broken}"),
    ("UPDATE dispatch_auditlink SET at = at - interval '1 s' WHERE number = {n}",
     "Entry {n} (dispatch_change {row}) {broken}"),
    ("UPDATE dispatch_auditlink SET salt = '' WHERE number = {n}",
     "Entry {n}: dispatch_change {row} is not what it was when it was written."),
]  # fmt: skip


@pytest.mark.parametrize(("how", "says"), BREAKS)
def test_what_was_changed_past_the_triggers_is_named(chain: list[AuditLink], how: str, says: str) -> None:
    one, after = chain[-2], chain[-1]
    words = {"row": one.row, "n": one.number, "after": after.number, "next": after.row, "broken": FOLLOWS_NOT}
    past_triggers(how.format(**words))
    with pytest.raises(CommandError) as failed:
        call_command("verify_audit", stdout=io.StringIO())
    assert str(failed.value).startswith(says.format(**words) + " (")
    (told,) = [one for one in doctor.examine() if one.about == "audit"]
    assert (told.level, told.says) == ("failure", says.format(**words))


def test_a_row_that_was_put_in_past_the_triggers_is_named(chain: list[AuditLink]) -> None:
    past_triggers(
        'INSERT INTO dispatch_change ("table", row, kind, old, new, about)'
        " VALUES ('auth_group', 1, 'INSERT', '{}', '{}', '{}')"
    )
    made = Change.objects.latest("pk").pk
    assert audit.verify().broken == f"dispatch_change {made} has no entry: it was added without its trigger."


def test_an_end_that_was_cut_off_is_found_by_the_head_that_was_kept(chain: list[AuditLink]) -> None:
    kept, row = audit.verify().head, chain[-1].row
    past_triggers(
        f"DELETE FROM dispatch_auditlink WHERE number = {chain[-1].number}",
        f"DELETE FROM dispatch_change WHERE id = {row}",
    )
    assert audit.verify().broken == ""  # nothing in the database says so
    number = chain[-1].number
    assert (
        audit.verify(kept=kept).broken
        == f"Entry {number} has another hash than the one that was kept, or is missing."
    )
    assert (
        audit.verify(kept="yesterday").broken == "“yesterday” is no head: it is a number, a colon and a hash."
    )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE dispatch_auditlink SET digest = ''",
        "UPDATE dispatch_auditlink SET salt = 'x'",
        "DELETE FROM dispatch_auditlink",
    ],
)
def test_the_database_refuses_to_change_it(chain: list[AuditLink], change: str) -> None:
    before = list(AuditLink.objects.values_list())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(change)
    assert list(AuditLink.objects.values_list()) == before


def test_words_that_are_erased_leave_it_whole_and_nothing_to_guess_from(world: World) -> None:
    lead = User.objects.create_superuser("lead@staff.example", "secret")
    ticket = world.ticket()
    leading._record(leading.LeadActionKind.WHISPER, lead, "Carla is impatient.", ticket_id=ticket.pk)
    committed()
    ticket_erase(ticket=ticket, by_customer=False)
    committed()
    ticket_erase(ticket=ticket, by_customer=False)
    LeadAction.objects.update(why="–")  # says nothing new
    committed()
    act = LeadAction.objects.get()
    assert act.why == "–"
    links = AuditLink.objects.filter(table="dispatch_leadaction").order_by("number")
    assert [(one.row, one.act, bool(one.salt)) for one in links] == [
        (act.pk, "added", False),
        (act.pk, "words", True),
    ]
    assert audit.verify().broken == ""
    past_triggers(f"UPDATE dispatch_leadaction SET why = 'No reason.' WHERE id = {act.pk}")
    assert "is not what it was" in audit.verify().broken


def test_a_change_that_goes_with_an_erased_person_leaves_it_whole(chain: list[AuditLink]) -> None:
    sql("SET LOCAL standby.erasing = 'on'")
    row = chain[-2].row
    Change.objects.filter(pk=row).delete()
    committed()
    links = list(AuditLink.objects.filter(row=row).order_by("number"))
    assert [(one.act, one.salt, bool(one.digest)) for one in links] == [
        ("added", "", True),
        ("deleted", "", False),
    ]
    assert audit.verify().broken == ""
    past_triggers(
        'INSERT INTO dispatch_change (id, "table", row, kind, old, new, about)'
        f" VALUES ({row}, 'auth_group', 1, 'INSERT', '{{}}', '{{}}', '{{}}')"
    )
    assert (
        audit.verify().broken
        == f"Entry {links[-1].number}: dispatch_change {row} was deleted when somebody was erased, and is there again."
    )


def test_only_the_newest_are_looked_at_if_asked_so(chain: list[AuditLink]) -> None:
    assert len(chain) > 3
    past_triggers(f"DELETE FROM dispatch_change WHERE id = {chain[0].row}")
    assert audit.verify(newest=2).broken == ""
    assert audit.verify().broken == "Entry 1: its row of dispatch_change is gone, and nobody was erased."


def test_what_was_there_before_the_chain_is_hung_into_it(chain: list[AuditLink]) -> None:
    leading._record(
        leading.LeadActionKind.CALL_IN, User.objects.create_superuser("lead@staff.example", "x"), "Many wait."
    )
    past_triggers("DELETE FROM dispatch_auditlink")
    assert "has no entry" in audit.verify().broken
    sql(import_module("dispatch.migrations.0043_audit_chain").CHAIN_WHAT_IS_THERE)
    found = audit.verify()
    assert (found.entries, found.broken) == (Change.objects.count() + 1, "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at_once", [False, True])
def test_the_chain_is_locked_after_all_else(at_once: bool) -> None:
    """One changes a skill, then wants the row that another has locked, who changes something too. `at_once`: the control."""
    first, second, third = (
        Skill.objects.create(key=f"s{number}", name_en="S", name_de="S") for number in range(3)
    )
    before = audit.verify().entries
    failed: list[DatabaseError] = []
    ready = threading.Barrier(2)

    def change(begins: Callable[[], object], goes_on: Skill) -> None:
        try:
            with transaction.atomic():
                if at_once:
                    sql("SET CONSTRAINTS ALL IMMEDIATE")
                begins()
                ready.wait()
                Skill.objects.filter(pk=goes_on.pk).update(name_de="T")
        except DatabaseError as error:
            failed.append(error)
        finally:
            connection.close()

    one = threading.Thread(
        target=change, args=(lambda: Skill.objects.filter(pk=first.pk).update(name_en="T"), second)
    )
    other = threading.Thread(
        target=change, args=(lambda: Skill.objects.select_for_update().get(pk=second.pk), third)
    )
    for thread in (one, other):
        thread.start()
    for thread in (one, other):
        thread.join()
    found = audit.verify()
    if at_once:
        assert len(failed) == 1
        assert "deadlock detected" in str(failed[0])
    else:
        assert failed == []
        assert found.entries == before + 3
    assert found.broken == ""
