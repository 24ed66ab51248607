"""Mail from a real IMAP server: handled ones are moved, what failed stays with a flag, and two workers do no harm."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections

from config import env
from tests.cast import World
from tests.postoffice import PostOffice
from tests.tickets.mail_styles import plain
from tickets import tasks
from tickets.inbox import fetching
from tickets.inbox.fetching import Source, mail_fetch
from tickets.models import MailIn, Outcome, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


def letter(number: int) -> bytes:
    return plain(f"Number {number}").replace(b"<one@", f"<{number}@".encode())


def test_handled_ones_are_moved(world: World, office: PostOffice, capsys: pytest.CaptureFixture[str]) -> None:
    office.deliver(letter(1), letter(2), b"Precedence: bulk\r\n" + letter(3))
    call_command("fetch_mail")
    assert capsys.readouterr().out == "3\n"
    assert Ticket.objects.count() == 2
    assert (office.lies_in("INBOX"), office.lies_in("Handled")) == (0, 3)


def test_a_server_that_cannot_move_gets_it_copied(
    world: World, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching.IMAPClient, "has_capability", lambda _self, _name: False)
    office.deliver(letter(1))
    assert mail_fetch() == 1
    assert (office.lies_in("INBOX"), office.lies_in("Handled")) == (0, 1)


def test_one_that_fails_stays_flagged_and_does_not_hold_up_the_rest(
    world: World, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = fetching.mail_take

    def broken(raw: bytes) -> Any:
        if b"Number 1" in raw:
            raise ZeroDivisionError
        return take(raw)

    monkeypatch.setattr(fetching, "mail_take", broken)
    office.deliver(letter(1), letter(2))
    assert mail_fetch() == 1
    assert mail_fetch() == 0
    assert (office.lies_in("INBOX", "FLAGGED"), office.lies_in("Handled")) == (1, 1)
    row = MailIn.objects.get(outcome=Outcome.FAILED)
    assert (row.sender, row.reason) == ("carla@customers.example", "ZeroDivisionError")
    monkeypatch.undo()
    with office.mailbox() as server:  # a person takes the flag away
        server.select_folder("INBOX")
        server.remove_flags(server.search(), [b"\\Flagged"])
    assert mail_fetch() == 1
    assert set(MailIn.objects.values_list("outcome", flat=True)) == {Outcome.OPENED}


def test_a_database_that_restarts_is_no_fault_of_the_mail(
    world: World, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_raw: bytes) -> Any:
        raise OperationalError

    monkeypatch.setattr(fetching, "mail_take", away)
    office.deliver(letter(1))
    with pytest.raises(OperationalError):
        mail_fetch()
    assert (office.lies_in("INBOX", "UNFLAGGED"), MailIn.objects.count()) == (1, 0)


def test_while_another_worker_fetches_nothing_is_done(world: World, office: PostOffice) -> None:
    office.deliver(letter(1))
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [fetching._LOCK])
        assert mail_fetch() == 0
        cursor.execute("SELECT pg_advisory_unlock_all()")  # now, and not when the server hears of the end
    other.close()
    assert mail_fetch() == 1


def test_a_server_that_is_away(office: PostOffice, settings: Any) -> None:
    settings.MAIL_IN_URL = "imap://carrier:wrong@127.0.0.1:1/INBOX"
    tasks.mail_fetch()
    with pytest.raises(CommandError, match="the mail server"):
        call_command("fetch_mail")
    settings.MAIL_IN_URL = office.url.replace("pigeon", "hawk")
    with pytest.raises(CommandError, match="the mail server") as refused:
        call_command("fetch_mail")
    assert "hawk" not in str(refused.value)


def test_addresses_of_mailboxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_IN_URL", "imaps://help%40later.example:p%2Fw@mail.later.example/Help%20me")
    assert Source.of(env.mailbox("MAIL_IN_URL")) == Source(
        "mail.later.example", 993, True, "help@later.example", "p/w", "Help me"
    )
    for wrong in ("http://a:b@c/", "imaps://c/INBOX", "imaps://a@c/INBOX"):
        monkeypatch.setenv("MAIL_IN_URL", wrong)
        with pytest.raises(env.BadSetting, match="MAIL_IN_URL wants"):
            env.mailbox("MAIL_IN_URL")
    monkeypatch.setenv("MAIL_IN_SECRET", "short")
    with pytest.raises(env.BadSetting, match="32"):
        env.secret("MAIL_IN_SECRET")
